"""Do old keys work as they did, and does what is over not?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from app.accounts import api_keys, users
from app.accounts.users import NewUser
from app.errors import NotAuthenticated
from app.tables import api_keys as table

KEY = "daemon_" + "k" * 43


def put_key(connection: Connection, now: datetime, **changed: Any) -> None:
    ann = users.create_user(connection, NewUser("ann", "a@x", "h"), now)
    values = {"id": 3, "name": "k", "key_hash": api_keys.hash_of(KEY), "user_id": ann.id, "is_active": 1}
    connection.execute(insert(table).values(**(values | changed)))


@pytest.mark.parametrize("expires_at", [None, "2030-01-01 00:00:00", "2026-03-04 05:06:08.000001"])
def test_a_key_opens_until_it_ends(connection: Connection, now: datetime, expires_at: str | None) -> None:
    put_key(connection, now, expires_at=expires_at)
    assert api_keys.use_key(connection, KEY, now).user.username == "ann"


@pytest.mark.parametrize(
    "changed",
    [
        {"expires_at": "2026-03-04 05:06:07"},
        {"expires_at": "2020-01-01 00:00:00"},
        {"expires_at": "some day"},
        pytest.param({"expires_at": 20300101}, marks=pytest.mark.only_on("sqlite")),
        {"expires_at": ""},
        {"is_active": 0},
        {"is_active": None},
        {"user_id": 99},
    ],
)
def test_a_key_that_is_over_opens_nothing(
    connection: Connection, now: datetime, changed: dict[str, Any]
) -> None:
    put_key(connection, now, **changed)
    with pytest.raises(NotAuthenticated):
        api_keys.use_key(connection, KEY, now)


def test_the_key_of_a_deactivated_account_opens_nothing(connection: Connection, now: datetime) -> None:
    put_key(connection, now)
    users.create_user(connection, NewUser("ben", "b@x", "h", is_admin=True), now)
    users.set_active(connection, "ann", False, now)
    with pytest.raises(NotAuthenticated):
        api_keys.use_key(connection, KEY, now)


@pytest.mark.parametrize("text", ["", "daemon_", KEY + " ", KEY.upper(), "\udc80"])
def test_an_unknown_key_opens_nothing(connection: Connection, now: datetime, text: str) -> None:
    put_key(connection, now)
    with pytest.raises(NotAuthenticated):
        api_keys.use_key(connection, text, now)


def test_a_use_is_noted_once_an_hour(connection: Connection, now: datetime) -> None:
    put_key(connection, now)
    assert api_keys.use_key(connection, KEY, now).is_to_be_noted
    api_keys.note_use(connection, 3, now)
    assert connection.execute(select(table.c.last_used)).scalar_one() == "2026-03-04 05:06:07"
    assert not api_keys.use_key(connection, KEY, now + timedelta(minutes=59)).is_to_be_noted
    assert api_keys.use_key(connection, KEY, now + timedelta(minutes=60)).is_to_be_noted
