"""Does a login need a code where its person said so, through every door, and is a lost one no end?"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from app import clock
from app.accounts import second_factor, totp
from app.accounts.throttle import LoginThrottle
from tests.databases import run
from tests.web.conftest import PASSWORD, Site


class Device:
    """An authenticator program."""

    def __init__(self, secret: str) -> None:
        self.secret = base64.b32decode(secret)

    def code(self, site: Site) -> str:
        """Return a code of now; the account is as if its last one were long ago."""
        with site.writing() as connection:
            run(connection, "UPDATE second_factors SET last_step = NULL")
        return totp.code_of(self.secret, totp.step_of(clock.now()))


def turn_on(site: Site, username: str) -> tuple[Device, list[str], dict[str, str]]:
    headers = site.log_in(username)
    begun = site.client.post("/auth/second-factor", headers=headers)
    assert begun.status_code == 201, begun.text
    device = Device(begun.json()["secret"])
    code = totp.code_of(device.secret, totp.step_of(clock.now()))
    on = site.client.post("/auth/second-factor/confirm", json={"otp": code}, headers=headers)
    assert on.status_code == 200, on.text
    return device, on.json()["recovery_codes"], headers


def log_in(site: Site, otp: str | None = None, username: str = "bea", password: str = PASSWORD) -> Any:
    form = {"username": username, "password": password} | ({} if otp is None else {"otp": otp})
    return site.client.post("/auth/login", data=form)


@pytest.fixture
def bea(site: Site) -> tuple[Device, list[str], dict[str, str]]:
    """bea's device, her recovery codes, and a session of hers."""
    site.app.server.throttle = LoginThrottle(lambda: 0.0)
    site.add_user("bea")
    return turn_on(site, "bea")


Bea = tuple[Device, list[str], dict[str, str]]


def test_a_login_needs_a_code_once_it_is_on(site: Site, bea: Bea) -> None:
    device = bea[0]
    missing = log_in(site)
    assert (missing.status_code, missing.json()["code"]) == (401, "second_factor_needed")
    assert log_in(site, "000000x").status_code == 401
    code = device.code(site)
    assert log_in(site, code).status_code == 200
    assert log_in(site, code).status_code == 401, "a code that was used is used up"


def test_only_who_has_the_password_hears_of_a_second_factor(site: Site, bea: Bea) -> None:
    site.add_user("carl")
    answers = [
        log_in(site, otp, username, "wrong")
        for username in ("bea", "carl", "nobody")
        for otp in (None, "000000", bea[1][0])
    ]
    said = {(each.status_code, each.json()["code"], each.json()["detail"]) for each in answers}
    assert len(said) == 1
    assert log_in(site, bea[1][0]).status_code == 200, "and nothing was used up by them"


def test_wrong_codes_are_slowed_down_whoever_has_the_password(site: Site, bea: Bea) -> None:
    device, codes, _ = bea
    wrong = str((int(device.code(site)) + 1) % 10**6).zfill(6)
    answers = [log_in(site, wrong).status_code for _ in range(7)]
    assert answers == [401] * second_factor.WRONG_CODES_FREE + [429] * 2
    assert log_in(site, device.code(site)).status_code == 429
    assert log_in(site, codes[0]).status_code == 200
    told = site.client.get("/api/v1/admin/audit?action=SECOND_FACTOR", headers=site.log_in("ann")).json()
    assert [each["new_values"] for each in told["items"]] == [{"recovery_codes": 9}, {"is_on": True}]


def test_every_door_that_takes_the_password_takes_a_code_too(site: Site, bea: Bea) -> None:
    device, _, headers = bea
    changed = {"current_password": PASSWORD, "new_password": "a longer sentence is better"}
    for address, body in (("/auth/confirm", {"password": PASSWORD}), ("/auth/password", changed)):
        for otp in ({}, {"otp": "12345"}):
            refused = site.client.post(address, json={**body, **otp}, headers=headers)
            assert refused.status_code == 403, (address, otp)
        done = site.client.post(address, json={**body, "otp": device.code(site)}, headers=headers)
        assert done.is_success, (address, done.text)
    assert log_in(site, device.code(site), password="a longer sentence is better").status_code == 200


def test_a_lost_device_is_no_end_with_a_recovery_code(site: Site, bea: Bea) -> None:
    _, codes, _ = bea
    answer = log_in(site, codes[3])
    assert answer.status_code == 200
    assert log_in(site, codes[3]).status_code == 401
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    state = site.client.get("/auth/second-factor", headers=headers).json()
    assert (state["is_on"], state["recovery_codes_left"]) == (True, 9)
    renewed = site.client.post("/auth/second-factor/recovery-codes", headers=headers).json()
    assert log_in(site, codes[4]).status_code == 401
    assert log_in(site, renewed["recovery_codes"][0]).status_code == 200
    assert site.client.delete("/auth/second-factor", headers=headers).status_code == 204
    assert log_in(site).status_code == 200


def test_an_admin_turns_a_lost_one_off_and_the_audit_says_who(site: Site, bea: Bea) -> None:
    ann, about = site.log_in("ann"), site.user("bea").id
    address = f"/api/v1/admin/users/{about}/second-factor"
    assert site.client.delete(address, headers=bea[2]).status_code == 403
    assert site.client.delete(address, headers=ann).status_code == 204
    assert log_in(site).status_code == 200
    told = site.client.get("/api/v1/admin/audit?action=SECOND_FACTOR", headers=ann).json()["items"]
    assert (told[0]["record_id"], told[0]["username"], told[0]["new_values"]) == (
        about,
        "ann",
        {"is_on": False},
    )


def test_turning_it_on_and_off_asks_for_the_password_again(site: Site, bea: Bea) -> None:
    ann = site.log_in("ann")
    with site.writing() as connection:
        run(connection, "UPDATE sessions SET confirmed_at = ?", "2020-01-01 00:00:00")
    for method, address, headers in (
        ("DELETE", "/auth/second-factor", bea[2]),
        ("POST", "/auth/second-factor/recovery-codes", bea[2]),
        ("POST", "/auth/second-factor", ann),
        ("DELETE", f"/api/v1/admin/users/{site.user('bea').id}/second-factor", ann),
    ):
        refused = site.client.request(method, address, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_needed"), address


def test_another_password_by_a_link_does_not_turn_it_off(site: Site, bea: Bea) -> None:
    address = f"/api/v1/admin/users/{site.user('bea').id}/password-link"
    token = site.client.post(address, headers=site.log_in("ann")).json()["token"]
    body = {"token": token, "new_password": "a longer sentence is better"}
    assert site.client.post("/auth/password/reset", json=body).status_code == 204
    answer = log_in(site, password="a longer sentence is better")
    assert (answer.status_code, answer.json()["code"]) == (401, "second_factor_needed")
