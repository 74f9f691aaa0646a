"""Does a key that is limited to kinds, verbs or a level open that, and at every other address nothing?"""

from __future__ import annotations

from typing import Any

import pytest

from app import clock
from app.accounts import api_keys
from app.accounts.api_keys import NewKey
from app.accounts.key_scope import new_scope
from tests.web import test_matrix
from tests.web.conftest import Site
from tests.web.test_matrix import HIDDEN, TABLE, Headers, World, asked, expected_of, served

world = test_matrix.world
PARTS = 12
VERBS = {"GET": "read", "POST": "create", "PUT": "change", "PATCH": "change", "DELETE": "delete"}
SCOPES: dict[str, dict[str, Any]] = {
    "of other kinds": {"kinds": ["skills"], "can_write": True},
    "of ideas": {"kinds": ["ideas"], "can_write": True},
    "of ideas, reading": {"kinds": ["ideas"]},
    "creating": {"verbs": ["create"]},
    "changing": {"verbs": ["read", "change"]},
    "deleting": {"verbs": ["delete"]},
    "at a level": {"level": "professional"},
}


def make_key(world: World, name: str) -> Headers:
    new = NewKey(name, new_scope(**SCOPES[name]))
    with world.site.writing() as connection:
        return {"X-API-Key": api_keys.make_key(connection, world.owner, new, clock.now())[1]}


def expected(address: str, one: test_matrix.Row, name: str) -> int:
    """What a key of the owner with that scope is answered, by the row of a key that does everything."""
    scope = new_scope(**SCOPES[name])
    if not one.asks_who:
        return one.answers[0]
    if address == "GET /api/v1/search":  # which looks among the kinds of the key, at its level
        reads = any(scope.allows("read", kind) for kind in scope.kinds or ("ideas",))
        return expected_of(one, "key that writes") if reads else 403
    if address == "GET /media/{name}":  # which is of ideas, and shown to keys as to strangers
        if not any(scope.allows("read", kind) for kind in scope.kinds or ("ideas",)):
            return 403
        return expected_of(one, "anonymous") if scope.allows("read", "ideas") else 404
    if "/{kind}" not in address:
        reads_all = address.startswith("GET") and scope.is_whole
        return expected_of(one, "key that writes") if reads_all else 403
    if not scope.allows(VERBS[address.split()[0]], "ideas"):  # type: ignore[arg-type]
        return 403
    if not scope.level:
        return expected_of(one, "key that writes")
    as_stranger = expected_of(one, "anonymous")
    return 403 if as_stranger == 401 else as_stranger  # it is known, and may not


@pytest.mark.sweep
@pytest.mark.parametrize("part", range(PARTS))
def test_at_every_address_a_limited_key_is_answered_by_its_scope(world: World, part: int) -> None:
    """In one installation: what ends logins or takes rights away is refused to every key."""
    keys = {name: make_key(world, name) for name in SCOPES}
    wrong: list[object] = []
    for address, one in [(each, one) for each in served()[part::PARTS] for one in TABLE[each]]:
        for name, key in keys.items():
            answer = asked(world, address, one, key)
            if answer.status_code != expected(address, one, name):
                wrong.append((address, one.about, name, answer.status_code, expected(address, one, name)))
            may_see = "key that writes" in one.shows and not new_scope(**SCOPES[name]).level
            if HIDDEN in answer.text and not (may_see and answer.status_code < 400):
                wrong.append((address, one.about, name, "is shown what is hidden"))
    assert wrong == []


def test_a_key_at_a_level_sees_what_strangers_see_there(world: World) -> None:
    key, get = make_key(world, "at a level"), world.site.client.get
    for path in ("/api/v1/ideas/users/olga", "/api/v1/ideas"):
        for level in (None, "public_full", "professional"):
            query = {} if level is None else {"level": level}
            strangers = get("/api/v1/ideas/users/olga", params={"level": "professional"})
            assert get(path, params=query, headers=key).json() == strangers.json()
    assert get("/api/v1/ideas", params={"level": "nothing"}, headers=key).status_code == 400


def test_a_scope_is_chosen_and_told_over_http(site: Site) -> None:
    ann = site.log_in("ann")
    wanted = {"verbs": ["create", "read"], "kinds": ["ideas"], "privacy_level": None}
    made = site.client.post("/auth/keys", json={"name": "blog", **wanted}, headers=ann).json()
    told = {name: made[name] for name in ("verbs", "kinds", "privacy_level", "can_write", "prefix")}
    assert told == {**wanted, "verbs": ["read", "create"], "can_write": True, "prefix": made["key"][:8]}
    key = {"X-API-Key": made["key"]}
    written = site.client.post("/api/v1/ideas", json={"content": "x"}, headers=key)
    assert written.status_code == 201
    refused = site.client.delete(f"/api/v1/ideas/{written.json()['id']}", headers=key)
    assert (refused.status_code, refused.json()["detail"]) == (403, "This API key may not delete entries.")
    with site.writing() as connection:
        row = connection.exec_driver_sql("SELECT new_values FROM audit_logs WHERE table_name = 'api_keys'")
        assert '"kinds": "[\\"ideas\\"]"' in row.scalar_one()


@pytest.mark.parametrize(
    ("asked_for", "pointer"),
    [
        ({"kinds": ["no_such_kind"]}, "/kinds/0"),
        ({"privacy_level": "nothing"}, "/privacy_level"),
        ({"verbs": ["erase"]}, "/verbs/0"),
        ({"verbs": []}, "/verbs"),
        ({"kinds": "ideas"}, "/kinds"),
    ],
)
def test_what_is_no_scope_is_refused(site: Site, asked_for: dict[str, Any], pointer: str) -> None:
    answer = site.client.post("/auth/keys", json={"name": "k", **asked_for}, headers=site.log_in("ann"))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_a_key_is_never_more_than_its_owner_at_the_moment_of_its_use(site: Site) -> None:
    site.add_user("ben")
    ben = site.log_in("ben")
    made = site.client.post("/auth/keys", json={"name": "k", "can_write": True}, headers=ben).json()
    key = {"X-API-Key": made["key"]}
    assert site.client.post("/api/v1/ideas", json={"content": "x"}, headers=key).status_code == 201
    with site.writing() as connection:
        connection.exec_driver_sql("UPDATE users SET is_active = 0 WHERE username = 'ben'")
    assert site.client.post("/api/v1/ideas", json={"content": "x"}, headers=key).status_code == 401
