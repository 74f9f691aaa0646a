"""Do people make, see and end their own API keys over HTTP, and no one else's?"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from app import clock
from app.accounts import api_keys, users
from app.accounts.api_keys import NewKey
from tests.web.conftest import Site
from tests.web.test_entries import location_of


@pytest.fixture
def ben(site: Site) -> dict[str, str]:
    """The login of someone who is no admin."""
    site.add_user("ben")
    return site.log_in("ben")


def make(site: Site, headers: dict[str, str], **members: Any) -> dict[str, Any]:
    answer = site.client.post("/auth/keys", json={"name": "my phone", **members}, headers=headers)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert location_of(answer) == f"/auth/keys/{found['id']}"
    assert answer.headers["cache-control"] == "private, no-store"
    return found


def ideas(site: Site, key: str) -> int:
    return site.client.post("/api/v1/ideas", json={"content": "x"}, headers={"X-API-Key": key}).status_code


def test_a_key_is_shown_once_and_reads(site: Site, ben: dict[str, str]) -> None:
    made = make(site, ben)
    text = made.pop("key")
    assert text.startswith("dmn_")
    assert len(text) == 4 + 43 + 6
    assert (made["can_write"], made["is_active"], made["expires_at"], made["last_used"]) == (
        False,
        True,
        None,
        None,
    )
    listed = site.client.get("/auth/keys", headers=ben)
    assert listed.json() == {"items": [made], "next": None}
    assert site.client.get(f"/auth/keys/{made['id']}", headers=ben).json() == made
    assert site.client.get("/api/v1/ideas", headers={"X-API-Key": text}).status_code == 200
    assert ideas(site, text) == 403
    with site.writing() as connection:
        stored = connection.exec_driver_sql("SELECT * FROM api_keys").one()
        audited = str(connection.exec_driver_sql("SELECT * FROM audit_logs").all())
    assert text not in str(stored) + audited
    assert api_keys.hash_of(text) in stored


def test_what_a_key_may_is_its_owners_word(site: Site, ben: dict[str, str]) -> None:
    made = make(site, ben, can_write=True)
    place = f"/auth/keys/{made['id']}"
    assert ideas(site, made["key"]) == 201
    assert site.client.patch(place, json={"can_write": False}, headers=ben).json()["can_write"] is False
    assert ideas(site, made["key"]) == 403
    assert site.client.patch(place, json={"can_write": True}, headers=ben).json()["can_write"] is True
    assert ideas(site, made["key"]) == 201
    assert site.client.patch(place, json={}, headers=ben).status_code == 200


def test_a_revoked_key_opens_nothing_and_stays_so(site: Site, ben: dict[str, str]) -> None:
    made = make(site, ben)
    place = f"/auth/keys/{made['id']}"
    assert site.client.delete(place, headers=ben).status_code == 204
    assert site.client.get("/api/v1/ideas", headers={"X-API-Key": made["key"]}).status_code == 401
    assert site.client.get("/auth/keys", headers=ben).json()["items"] == []
    for method, body in (("GET", None), ("PATCH", {"can_write": True}), ("DELETE", None)):
        assert site.client.request(method, place, json=body, headers=ben).status_code == 404


def test_a_key_ends(site: Site, ben: dict[str, str]) -> None:
    made = make(site, ben, expires_at="2099-01-01T01:00:00+01:00")
    assert made["expires_at"] == "2099-01-01T00:00:00Z"
    with site.writing() as connection:
        connection.exec_driver_sql("UPDATE api_keys SET expires_at = '2020-01-01 00:00:00'")
    assert site.client.get("/api/v1/ideas", headers={"X-API-Key": made["key"]}).status_code == 401


def test_nobody_reaches_the_key_of_another_not_even_an_admin(site: Site, ben: dict[str, str]) -> None:
    made = make(site, ben)
    ann = site.log_in("ann")
    assert site.client.get("/auth/keys", headers=ann).json()["items"] == []
    for key_id in (made["id"], 999, "x", "0", "9" * 19, "9" * 40):
        for method, body in (("GET", None), ("PATCH", {"can_write": True}), ("DELETE", None)):
            answer = site.client.request(method, f"/auth/keys/{key_id}", json=body, headers=ann)
            assert answer.status_code == 404, (method, key_id)
    assert site.client.get("/api/v1/ideas", headers={"X-API-Key": made["key"]}).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": 1}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "  "}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"name": "x", "can_write": "yes"}, "/can_write"),
        ({"name": "x", "can_write": None}, "/can_write"),
        ({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"name": "x", "expires_at": "2099-01-01T00:00:00"}, "/expires_at"),
        ({"name": "x", "expires_at": "tomorrow"}, "/expires_at"),
        ({"name": "x", "expires_at": 4070908800}, "/expires_at"),
        ({"name": "x", "user_id": 1}, "/user_id"),
        ({"name": "x", "is_admin": True}, "/is_admin"),
    ],
)
def test_what_can_be_no_key_is_named(
    site: Site, ben: dict[str, str], body: dict[str, Any], pointer: str
) -> None:
    answer = site.client.post("/auth/keys", json=body, headers=ben)
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]
    assert site.client.get("/auth/keys", headers=ben).json()["items"] == []


def test_an_account_has_so_many_keys_and_a_list_has_pages(
    site: Site, ben: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    user = site.user("ben")
    with site.writing() as connection:
        for number in range(api_keys.MOST_KEYS):
            api_keys.make_key(connection, user, NewKey(f"key {number}"), clock.now())
    answer = site.client.post("/auth/keys", json={"name": "one more"}, headers=ben)
    assert answer.status_code == 409
    assert "daemon key revoke" in answer.json()["hint"]
    from app.web.routes import keys

    monkeypatch.setattr(keys, "ITEMS", 40)
    found: list[str] = []
    cursor = ""
    for _ in range(3):
        page = site.client.get(f"/auth/keys{cursor}", headers=ben).json()
        found += [each["name"] for each in page["items"]]
        cursor = f"?cursor={page['next']}"
    assert found == [f"key {number}" for number in range(api_keys.MOST_KEYS)]
    assert page["next"] is None
    assert site.client.get("/auth/keys?cursor=x", headers=ben).status_code == 400


def test_keys_rest_while_their_owner_is_deactivated(site: Site, ben: dict[str, str]) -> None:
    made = make(site, ben)
    for is_active, status in ((False, 401), (True, 200)):
        with site.writing() as connection:
            users.set_active(connection, "ben", is_active, clock.now())
        answer = site.client.get("/api/v1/ideas", headers={"X-API-Key": made["key"]})
        assert answer.status_code == status


def test_what_is_done_to_keys_is_in_the_audit(site: Site, ben: dict[str, str]) -> None:
    made = make(site, ben)
    site.client.patch(f"/auth/keys/{made['id']}", json={"can_write": True}, headers=ben)
    site.client.delete(f"/auth/keys/{made['id']}", headers=ben)
    with site.writing() as connection:
        query = (
            "SELECT action, record_id, user_id, ip_address FROM audit_logs "
            "WHERE table_name = 'api_keys' ORDER BY id"
        )
        found = [tuple(row) for row in connection.exec_driver_sql(query)]
    by_ben = (made["id"], site.user("ben").id, "192.0.2.1")
    assert found == [("CREATE", *by_ben), ("UPDATE", *by_ben), ("REVOKE", *by_ben)]


def test_who_wrote_a_moment_ago_is_asked_again_when_writing(site: Site, ben: dict[str, str]) -> None:
    written = site.client.post("/api/v1/ideas", json={"content": "one"}, headers=ben)
    assert written.status_code == 201
    with site.writing() as connection:
        connection.execute(text("UPDATE users SET is_active = 0 WHERE username = 'ben'"))
    assert site.client.post("/api/v1/ideas", json={"content": "two"}, headers=ben).status_code == 401
    with site.writing() as connection:
        assert connection.execute(text("SELECT count(*) FROM data_entries")).scalar() == 1
