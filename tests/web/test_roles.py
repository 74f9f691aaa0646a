"""Do roles hold from the next request on, and is there always an admin left?"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app import clock
from app.accounts import users
from app.tables import audit_logs
from tests.databases import run
from tests.web.conftest import PASSWORD, Site
from tests.web.test_entries import location_of


def set_role(site: Site, username: str, role: str, headers: dict[str, str]) -> Any:
    address = f"/api/v1/admin/users/{site.user(username).id}/role"
    return site.client.put(address, json={"role": role}, headers=headers)


def test_a_reader_reads_and_writes_nothing_with_whatever_was_given_before(site: Site) -> None:
    site.add_user("rosa")
    rosa, ann = site.log_in("rosa"), site.log_in("ann")
    made = site.client.post("/auth/keys", json={"name": "k", "can_write": True}, headers=rosa).json()
    place = location_of(site.client.post("/api/v1/ideas", json={"content": "mine"}, headers=rosa))
    answer = set_role(site, "rosa", "reader", ann)
    assert (answer.status_code, answer.json()["role"], answer.json()["is_admin"]) == (200, "reader", False)
    for headers in (rosa, {"X-API-Key": made["key"]}):
        assert site.client.get(place, headers=headers).json()["content"] == "mine"
        for method, address in (
            ("POST", "/api/v1/ideas"),
            ("PUT", place),
            ("PATCH", place),
            ("DELETE", place),
        ):
            refused = site.client.request(method, address, json={"content": "x"}, headers=headers)
            assert refused.status_code == 403, (method, address)
            assert refused.json()["hint"] == "daemon user role rosa member"
    own = site.client.patch("/auth/me", json={"full_name": "Rosa"}, headers=rosa)
    assert own.json()["role"] == "reader"
    assert site.client.patch(
        "/api/v1/privacy/settings", json={"show_location": False}, headers=rosa
    ).is_success
    assert set_role(site, "rosa", "member", ann).json()["role"] == "member"
    assert site.client.patch(place, json={"content": "x"}, headers=rosa).status_code == 200


def test_an_admin_is_who_has_is_admin_whoever_wrote_it(site: Site) -> None:
    site.add_user("rosa")
    rosa, ann = site.log_in("rosa"), site.log_in("ann")

    def seen() -> tuple[object, ...]:
        me = site.client.get("/auth/me", headers=rosa).json()
        return me["role"], me["is_admin"], site.client.get("/api/v1/admin/audit", headers=rosa).status_code

    assert set_role(site, "rosa", "reader", ann).status_code == 200
    assert seen() == ("reader", False, 403)
    for value, expected in ((1, ("admin", True, 200)), (0, ("reader", False, 403))):
        with site.writing() as connection:  # as an owner may, by the guide, or an older server
            run(connection, "UPDATE users SET is_admin = ? WHERE username = 'rosa'", value)
        assert seen() == expected
    assert set_role(site, "rosa", "admin", ann).status_code == 200
    assert seen() == ("admin", True, 200)
    with site.writing() as connection:
        found = connection.exec_driver_sql("SELECT username FROM users WHERE is_admin = 1 ORDER BY id").all()
    assert [row[0] for row in found] == ["ann", "rosa"]


def test_the_last_admin_is_not_demoted_and_one_of_two_may_be(site: Site) -> None:
    site.add_user("bea")
    ann, bea = site.log_in("ann"), site.log_in("bea")
    refused = set_role(site, "ann", "member", ann)
    assert (refused.status_code, site.user("ann").is_admin) == (409, True)
    assert set_role(site, "bea", "admin", ann).status_code == 200
    assert set_role(site, "ann", "reader", ann).status_code == 200
    assert set_role(site, "bea", "member", ann).status_code == 403, "no admin any more, from this moment on"
    assert set_role(site, "bea", "member", bea).status_code == 409
    with site.writing() as connection:
        changes = connection.execute(select(audit_logs.c.new_values).where(audit_logs.c.action == "ADMIN"))
        assert changes.scalars().all() == [
            '{"is_admin": true, "role": "admin"}',
            '{"is_admin": false, "role": "reader"}',
        ]


def test_an_admin_who_is_deactivated_is_none_that_could_be_left(site: Site) -> None:
    site.add_user("bea")
    ann = site.log_in("ann")
    assert set_role(site, "bea", "admin", ann).status_code == 200
    with site.writing() as connection:
        users.set_active(connection, "bea", False, clock.now())
    assert set_role(site, "ann", "member", ann).status_code == 409


def test_erasing_an_entry_asks_for_the_password_again(site: Site) -> None:
    ann = site.log_in("ann")
    place = location_of(site.client.post("/api/v1/ideas", json={"content": "mine"}, headers=ann))
    with site.writing() as connection:
        run(connection, "UPDATE sessions SET confirmed_at = ?", "2020-01-01 00:00:00")
    refused = site.client.post(f"{place}/erase", headers=ann)
    assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_needed")
    assert site.client.get(place, headers=ann).json()["content"] == "mine"
    assert site.client.post("/auth/confirm", json={"password": PASSWORD}, headers=ann).status_code == 204
    assert site.client.post(f"{place}/erase", headers=ann).status_code == 200


def test_another_role_asks_for_the_password_again(site: Site) -> None:
    site.add_user("bea")
    ann = site.log_in("ann")
    with site.writing() as connection:
        run(connection, "UPDATE sessions SET confirmed_at = ?", "2020-01-01 00:00:00")
    refused = set_role(site, "bea", "admin", ann)
    assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_needed")
    assert "POST /auth/confirm" in refused.json()["hint"]
    assert site.client.post("/auth/confirm", json={"password": PASSWORD}, headers=ann).status_code == 204
    assert set_role(site, "bea", "admin", ann).status_code == 200
