"""Is the first account made once, by who holds the token, and does it inherit exactly what is its own?"""

from __future__ import annotations

import stat
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, select

from app import tables
from app.accounts import audit, claim, users
from app.accounts.users import NewUser
from app.errors import NotAllowed
from tests.conftest import SettingsIn

ANN = NewUser("ann", "a@x", "h")


def test_the_first_account_is_an_admin_and_ends_the_open_door(connection: Connection, now: datetime) -> None:
    assert not claim.is_claimed(connection)
    ann = claim.claim(connection, ANN, now)
    assert ann.is_admin
    assert claim.is_claimed(connection)
    with pytest.raises(NotAllowed):
        claim.claim(connection, NewUser("ben", "b@x", "h"), now)
    assert [each.username for each in users.list_users(connection)] == ["ann"]


def test_the_end_is_stored_and_outlives_the_account(connection: Connection, now: datetime) -> None:
    claim.claim(connection, ANN, now)
    for table in (tables.user_privacy_settings, tables.users):
        connection.execute(delete(table))
    connection.execute(delete(tables.audit_logs).where(tables.audit_logs.c.action != audit.CLAIM))
    assert claim.is_claimed(connection)


def test_it_inherits_exactly_what_came_through_the_open_door(connection: Connection, now: datetime) -> None:
    entries = [(1, None), (2, None), (3, 77)]
    for entry_id, owner in entries:
        values = {"id": entry_id, "endpoint_id": 1, "data": "{}", "created_by_id": owner}
        connection.execute(insert(tables.data_entries).values(**values))
    audit.record(connection, audit.CREATE_UNCLAIMED, "data_entries", 1, now=now)
    audit.record(connection, audit.CREATE_UNCLAIMED, "data_entries", 3, now=now)
    connection.execute(
        delete(tables.data_entries).where(tables.data_entries.c.id == 3)
    )  # an owner would make it claimed
    audit.record(connection, audit.CREATE_UNCLAIMED, "endpoints", 2, now=now)
    ann = claim.claim(connection, ANN, now)
    found = connection.execute(
        select(tables.data_entries.c.id, tables.data_entries.c.created_by_id).order_by(
            tables.data_entries.c.id
        )
    ).all()
    assert [tuple(each) for each in found] == [(1, ann.id), (2, None)]


def test_later_accounts_are_what_they_are_made_as(connection: Connection, now: datetime) -> None:
    assert claim.create_account(connection, NewUser("ann", "a@x", "h", is_admin=True), now).is_admin
    assert not claim.create_account(connection, NewUser("ben", "b@x", "h"), now).is_admin
    claims = select(tables.audit_logs).where(tables.audit_logs.c.action == audit.CLAIM)
    assert len(connection.execute(claims).all()) == 1


def test_a_database_with_users_is_claimed_without_a_word(connection: Connection) -> None:
    connection.execute(
        insert(tables.users).values(id=1, username="old", email="o", hashed_password="x", is_active=0)
    )
    assert claim.is_claimed(connection)


def test_the_token_is_made_once_and_ends_once(tmp_path: Path, settings_in: SettingsIn) -> None:
    settings = settings_in(tmp_path)
    settings.data_dir.mkdir()
    assert not claim.is_claim_token(settings, "")
    token = claim.claim_token(settings)
    assert claim.claim_token(settings) == token
    assert stat.S_IMODE(settings.claim_path.stat().st_mode) == 0o600
    assert claim.is_claim_token(settings, token)
    assert not claim.is_claim_token(settings, token + "x")
    assert not claim.is_claim_token(settings, "\udc80")
    claim.end_claim_token(settings)
    claim.end_claim_token(settings)
    assert not claim.is_claim_token(settings, token)
    assert not claim.is_claim_token(settings, "")
