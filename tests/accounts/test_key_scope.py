"""Is what is stored of a key's scope read as narrowly as it was meant, and an odd one as nothing?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, insert, update

from app.accounts import api_keys, users
from app.accounts.api_keys import NewKey
from app.accounts.key_scope import NOTHING, READ, VERBS, Scope, new_scope, with_writing
from app.accounts.users import NewUser
from app.errors import Conflict, InvalidContent
from app.tables import api_keys as table

KEY = "daemon_" + "k" * 43


def stored(connection: Connection, now: datetime, **columns: Any) -> Scope:
    ann = users.create_user(connection, NewUser("ann", "a@x", "h"), now)
    values = {"id": 3, "name": "k", "key_hash": api_keys.hash_of(KEY), "user_id": ann.id, "is_active": 1}
    connection.execute(insert(table).values(**values, **columns))
    return api_keys.use_key(connection, KEY, now).scope


@pytest.mark.parametrize(
    ("columns", "scope"),
    [
        ({}, Scope(READ)),
        ({"can_write": 0}, Scope(READ)),
        ({"can_write": 1}, Scope(VERBS)),
        ({"can_write": 1, "verbs": '["create", "read"]'}, Scope(("read", "create"))),
        ({"can_write": 0, "verbs": '["create", "read"]'}, Scope(READ)),
        ({"can_write": None, "verbs": '["create"]'}, Scope(())),
        ({"can_write": 1, "verbs": '["erase"]'}, Scope(())),
        ({"kinds": '["ideas"]'}, Scope(READ, ("ideas",))),
        ({"kinds": "[]"}, Scope(READ, ())),
        ({"can_write": 1, "privacy_level": "ai_safe"}, Scope(READ, None, "ai_safe")),
        ({"kinds": '"ideas"'}, NOTHING),
        ({"kinds": "[1]"}, NOTHING),
        ({"kinds": "ideas"}, NOTHING),
        ({"kinds": "null"}, NOTHING),
        ({"can_write": 1, "verbs": "{}"}, NOTHING),
        ({"verbs": "[" * 100_000}, NOTHING),
    ],
)
def test_a_stored_scope_allows_what_it_says_and_no_more(
    connection: Connection, now: datetime, columns: dict[str, Any], scope: Scope
) -> None:
    assert stored(connection, now, **columns) == scope


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"can_write": True},
        {"verbs": ["create"]},
        {"verbs": ["delete", "read"], "kinds": ["ideas", "skills"]},
        {"level": "business_card", "kinds": ["ideas"]},
    ],
)
def test_a_scope_is_the_same_after_it_was_stored(
    connection: Connection, now: datetime, asked: dict[str, Any]
) -> None:
    ann = users.create_user(connection, NewUser("ann", "a@x", "h"), now)
    made, text = api_keys.make_key(connection, ann, NewKey("k", new_scope(**asked)), now)
    assert made.scope == new_scope(**asked) == api_keys.use_key(connection, text, now).scope
    assert made.prefix == text[:8]
    connection.execute(update(table).values(prefix=None))
    assert api_keys.get_key(connection, made.id).prefix is None


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"verbs": []}, "/verbs"),
        ({"verbs": ["read", "erase"]}, "/verbs/1"),
        ({"verbs": ["read"], "can_write": True}, "/can_write"),
        ({"verbs": ["create"], "can_write": False}, "/can_write"),
        ({"kinds": []}, "/kinds"),
        ({"kinds": ["a"] + [f"k{n}" for n in range(100)]}, "/kinds"),
        ({"kinds": ["ideas", ""]}, "/kinds/1"),
        ({"can_write": True, "level": "ai_safe"}, "/privacy_level"),
    ],
)
def test_what_is_no_scope_is_refused_by_its_place(asked: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidContent) as raised:
        new_scope(**asked)
    assert raised.value.details["errors"][0]["pointer"] == pointer  # type: ignore[index]


def test_a_key_is_let_write_and_kept_from_it_within_its_scope() -> None:
    narrow = Scope(("read", "create"), ("ideas",))
    assert with_writing(narrow, True) == Scope(VERBS, ("ideas",))
    assert with_writing(narrow, False) == Scope(READ, ("ideas",))
    with pytest.raises(Conflict):
        with_writing(Scope(READ, None, "ai_safe"), True)
    with pytest.raises(Conflict):
        with_writing(Scope(("create",)), False)
