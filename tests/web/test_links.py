"""Do links open an account or another password over HTTP, once, and tell strangers nothing?"""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from app.accounts.throttle import LoginThrottle
from tests.databases import run
from tests.web.conftest import PASSWORD, Site

NEW = "a longer sentence is better"


def invite(site: Site, **wanted: object) -> dict[str, Any]:
    answer = site.client.post("/api/v1/admin/invitations", json=wanted, headers=site.log_in("ann"))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def password_link(site: Site, username: str) -> str:
    address = f"/api/v1/admin/users/{site.user(username).id}/password-link"
    answer = site.client.post(address, headers=site.log_in("ann"))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def join(site: Site, token: str, username: str = "rosa", **more: object) -> Any:
    body = {"username": username, "email": f"{username}@example.org", "password": PASSWORD, **more}
    return site.client.post("/auth/register", json={**body, "invitation": token})


def reset(site: Site, token: str, password: str = NEW) -> Any:
    return site.client.post("/auth/password/reset", json={"token": token, "new_password": password})


def test_who_is_invited_joins_once_as_what_the_admin_said(site: Site) -> None:
    made = invite(site, role="reader", label="for rosa")
    looked = site.client.post("/auth/link", json={"token": made["token"]}).json()
    assert (looked["purpose"], looked["role"], looked["username"]) == ("invitation", "reader", None)
    answer = join(site, made["token"], is_admin=True)
    assert (answer.status_code, answer.json()["role"]) == (201, "reader")
    rosa = site.log_in("rosa")
    assert site.client.get("/auth/me", headers=rosa).json()["is_admin"] is False
    again = join(site, made["token"], "eve")
    assert (again.status_code, again.json()["code"]) == (403, "not_allowed")
    assert site.client.get("/api/v1/admin/invitations", headers=site.log_in("ann")).json()["items"] == []


def test_the_link_leads_to_an_address_that_uses_nothing_up(site: Site) -> None:
    made = invite(site)
    link = urljoin("http://x/daemon/api/v1/admin/invitations", made["link"])
    assert link == f"http://x/daemon/auth/link#{made['token']}"
    assert "POST /auth/register" in site.client.get("/auth/link").json()["detail"]
    assert join(site, made["token"]).status_code == 201


def test_a_fault_of_the_account_or_a_taken_name_uses_nothing_up(site: Site) -> None:
    token = invite(site)["token"]
    assert join(site, token, password="password1").status_code == 422
    assert join(site, token, "ANN").status_code == 409
    assert join(site, token, email="ANN@example.org").status_code == 409
    assert join(site, token).status_code == 201


def test_an_invitation_does_not_let_one_try_names_at_will(site: Site) -> None:
    site.app.server.throttle = LoginThrottle(lambda: 0.0)
    token = invite(site)["token"]
    assert [join(site, token, "ann").status_code for _ in range(12)] == [409] * 10 + [429] * 2


def test_registration_is_closed_without_a_link_that_is_good(site: Site) -> None:
    site.app.server.throttle = LoginThrottle(lambda: 0.0)
    assert join(site, "daemon_link_junk").status_code == 403
    assert site.client.post("/auth/link", json={"token": "daemon_link_junk"}).status_code == 403
    assert reset(site, "daemon_link_junk").status_code == 403
    good = invite(site)["token"]
    assert [join(site, "daemon_link_junk").status_code for _ in range(8)] == [403] * 7 + [429]
    assert join(site, good).status_code == 201, "the right one is never held up"


def test_whatever_is_wrong_with_a_link_is_answered_alike(site: Site) -> None:
    site.add_user("bea")
    used, over, other = invite(site)["token"], invite(site)["token"], password_link(site, "bea")
    assert join(site, used).status_code == 201
    with site.writing() as connection:
        run(
            connection,
            "UPDATE one_time_links SET expires_at = ? WHERE purpose = ?",
            "2020-01-01",
            "invitation",
        )
    answers = [join(site, token, "eve") for token in (used, over, other, "daemon_link_junk")]
    said = {(each.status_code, each.json()["detail"]) for each in answers}
    assert len(said) == 1


def test_another_password_by_a_link_ends_every_session_and_the_link(site: Site) -> None:
    site.add_user("bea")
    before = site.log_in("bea")
    token = password_link(site, "bea")
    looked = site.client.post("/auth/link", json={"token": token}).json()
    assert (looked["purpose"], looked["role"], looked["username"]) == ("password", None, "bea")
    assert reset(site, token, "bea").status_code == 422
    assert site.client.get("/auth/me", headers=before).status_code == 200
    assert reset(site, token).status_code == 204
    assert site.client.get("/auth/me", headers=before).status_code == 401
    assert reset(site, token).status_code == 403
    assert site.client.get("/auth/me", headers=site.log_in("bea", NEW)).status_code == 200


def test_who_changes_the_password_ends_a_link_for_it(site: Site) -> None:
    site.add_user("bea")
    token = password_link(site, "bea")
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert site.client.post("/auth/password", json=body, headers=site.log_in("bea")).status_code == 200
    assert reset(site, token, "yet another long sentence").status_code == 403


def test_what_gives_rights_asks_for_the_password_again(site: Site) -> None:
    bea, ann = site.add_user("bea"), site.log_in("ann")
    with site.writing() as connection:
        run(connection, "UPDATE sessions SET confirmed_at = ?", "2020-01-01 00:00:00")
    for address in ("/api/v1/admin/invitations", f"/api/v1/admin/users/{bea.id}/password-link"):
        refused = site.client.post(address, json={}, headers=ann)
        assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_needed"), address


def test_a_mail_address_is_changed_by_its_person_and_others_cannot_be_tried_at_will(site: Site) -> None:
    site.app.server.throttle = LoginThrottle(lambda: 0.0)
    site.add_user("bea")
    bea = site.log_in("bea")
    changed = site.client.patch("/auth/me", json={"email": "Bea@elsewhere.org"}, headers=bea)
    assert changed.json()["email"] == "Bea@elsewhere.org"
    same = site.client.patch("/auth/me", json={"email": "bea@elsewhere.org"}, headers=bea)
    assert same.json()["email"] == "bea@elsewhere.org"
    assert site.client.patch("/auth/me", json={"email": "nonsense"}, headers=bea).status_code == 422
    assert site.client.patch("/auth/me", json={"email": None}, headers=bea).status_code == 422
    taken = [
        site.client.patch("/auth/me", json={"email": "ANN@example.org"}, headers=bea).status_code
        for _ in range(12)
    ]
    assert taken == [409] * 10 + [429] * 2
    told = site.client.get("/api/v1/admin/audit?action=UPDATE", headers=site.log_in("ann")).json()["items"]
    assert [each["new_values"] for each in told] == [
        {"email": "bea@elsewhere.org"},
        {"email": "Bea@elsewhere.org"},
    ]
