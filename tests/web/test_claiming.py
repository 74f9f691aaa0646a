"""Is the installation claimed once, by the holder of its token, and is registration closed otherwise?"""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.web.conftest import PASSWORD, Site


def registration(**changed: object) -> dict[str, Any]:
    return {"username": "ann", "email": "ann@example.org", "password": PASSWORD, **changed}


def token_of(site: Site) -> str:
    return site.settings.claim_path.read_text().strip()


def test_the_token_is_printed_and_never_logged(unclaimed: Site, capsys: pytest.CaptureFixture[str]) -> None:
    token = token_of(unclaimed)
    assert unclaimed.settings.claim_path.stat().st_mode & 0o777 == 0o600
    unclaimed.client.post("/auth/register", json=registration(claim_token=token))
    assert token not in (unclaimed.settings.log_dir / "server.log").read_text()
    assert token not in capsys.readouterr().err


def test_the_holder_of_the_token_makes_the_first_account(unclaimed: Site) -> None:
    answer = unclaimed.client.post("/auth/register", json=registration(claim_token=token_of(unclaimed)))
    assert answer.status_code == 201
    body = answer.json()
    assert (body["username"], body["is_admin"]) == ("ann", True)
    assert "password" not in answer.text
    assert not unclaimed.settings.claim_path.exists()
    assert unclaimed.log_in("ann")
    again = unclaimed.client.post("/auth/register", json=registration(username="eve", email="e@x"))
    assert again.status_code == 403
    assert "daemon user create" in again.json()["hint"]


def test_the_token_may_come_in_a_header(unclaimed: Site) -> None:
    headers = {"X-Claim-Token": token_of(unclaimed)}
    assert unclaimed.client.post("/auth/register", json=registration(), headers=headers).status_code == 201


@pytest.mark.parametrize("token", [None, "", "wrong", 7])
def test_without_the_token_nobody_becomes_anything(unclaimed: Site, token: object) -> None:
    answer = unclaimed.client.post("/auth/register", json=registration(claim_token=token, is_admin=True))
    assert answer.status_code in (403, 422)
    assert unclaimed.settings.claim_path.exists()
    assert (
        unclaimed.client.post("/auth/login", data={"username": "ann", "password": PASSWORD}).status_code
        == 401
    )


def test_guessing_the_token_is_slowed_down(unclaimed: Site) -> None:
    statuses = [
        unclaimed.client.post("/auth/register", json=registration(claim_token=f"guess {n}")).status_code
        for n in range(12)
    ]
    assert statuses[:10] == [403] * 10
    assert statuses[10:] == [429, 429]


def test_a_used_token_is_worth_nothing(unclaimed: Site) -> None:
    token = token_of(unclaimed)
    unclaimed.client.post("/auth/register", json=registration(claim_token=token))
    unclaimed.settings.claim_path.write_text(token)
    answer = unclaimed.client.post(
        "/auth/register", json=registration(username="eve", email="eve@x", claim_token=token)
    )
    assert answer.status_code == 403


def test_what_no_account_can_be_made_of_leaves_the_token(unclaimed: Site) -> None:
    token = token_of(unclaimed)
    for changed in (
        {"password": "short"},
        {"username": "a"},
        {"email": "x"},
        {"nickname": "x"},
        {"username": 7},
    ):
        answer = unclaimed.client.post("/auth/register", json=registration(claim_token=token, **changed))
        assert answer.status_code == 422
        assert answer.json()["errors"]
    assert token_of(unclaimed) == token


def test_of_many_claims_at_once_one_wins(unclaimed: Site) -> None:
    token, statuses = token_of(unclaimed), []

    def claim(number: int) -> None:
        body = registration(username=f"user{number}", email=f"{number}@x", claim_token=token)
        statuses.append(unclaimed.client.post("/auth/register", json=body).status_code)

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 403, 403, 403, 403, 403]
    with unclaimed.writing() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM users").scalar() == 1
        counted = connection.exec_driver_sql("SELECT COUNT(*) FROM audit_logs WHERE action = 'CLAIM'")
        assert counted.scalar() == 1


def test_an_account_made_elsewhere_closes_registration(unclaimed: Site) -> None:
    token = token_of(unclaimed)
    unclaimed.add_user("ann", is_admin=True)
    answer = unclaimed.client.post(
        "/auth/register", json=registration(username="eve", email="e@x", claim_token=token)
    )
    assert answer.status_code == 403
