"""Export of an account. Which rows of this room belong to one person? Never a password's or a key's hash."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from app.accounts.people import people_named
from app.tables import api_keys, audit_logs, users

Stored = dict[str, Any]
"""One row, by the names of its columns."""


def account_of(connection: Connection, username: str) -> Stored | None:
    """Return the whole account but the password's hash: of that name, or of the only one in any case."""
    columns = [column for column in users.c if column.name != "hashed_password"]
    named = people_named(connection, username)
    found = [one for one in named if one.username == username] or named
    if len(found) != 1:
        return None
    return dict(connection.execute(select(*columns).where(users.c.id == found[0].id)).one()._mapping)


def keys_of(connection: Connection, user_id: int) -> list[Stored]:
    """Return a person's API keys, without their hashes, by id."""
    columns = [column for column in api_keys.c if column.name != "key_hash"]
    query = select(*columns).where(api_keys.c.user_id == user_id).order_by(api_keys.c.id)
    return [dict(row._mapping) for row in connection.execute(query)]


def audit_rows_of(connection: Connection, user_id: int) -> list[Stored]:
    """Return the audit rows of what a person did, by id."""
    query = select(audit_logs).where(audit_logs.c.user_id == user_id).order_by(audit_logs.c.id)
    return [dict(row._mapping) for row in connection.execute(query)]
