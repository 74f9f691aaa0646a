"""People (what others may know of accounts). Whom does a name mean, and who is the person behind an id?

`PEOPLE` is what other rooms join to their own tables: no hash, no mail address can be named through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, case, func, or_, select

from app.snapshot_memory import remembered
from app.tables import users

PEOPLE = select(users.c.id, users.c.username, users.c.is_active).subquery("people")
"""Every account: id, username, is_active as it is stored (1 alone is active)."""

DEFAULT_PERSON = "default person"  # as it is remembered
NAMESAKES_COUNT = 20  # accounts of one name in different cases that are looked at


@dataclass(frozen=True)
class Person:
    """One account, as much as other rooms need of it."""

    id: int
    username: str
    is_active: bool


def people_named(connection: Connection, typed: str) -> list[Person]:
    """Return the accounts of this name in any case, active or not; exactly as typed first, a few at most."""
    is_exact = users.c.username == typed
    is_named = or_(is_exact, users.c.username_key == typed.casefold())
    query = _people().where(is_named, users.c.erased_at.is_(None))
    rows = connection.execute(query.order_by(case((is_exact, 0), else_=1), users.c.id).limit(NAMESAKES_COUNT))
    return [_person(row) for row in rows]


def find_name(connection: Connection, user_id: int) -> str | None:
    """Return the name of an account, as it is stored; None where there is no such account."""

    def read() -> str | None:
        return connection.execute(_NAME, {"user_id": user_id}).scalar()

    return remembered(connection, ("name", user_id), read, while_writing=True)


def is_active(connection: Connection, user_id: int) -> bool:
    """Return whether there is such an account, and it is in use."""

    def read() -> object:
        return connection.execute(_IS_ACTIVE, {"user_id": user_id}).scalar()

    return remembered(connection, ("active", user_id), read, while_writing=True) == 1


_IS_ACTIVE = select(users.c.is_active).where(users.c.id == bindparam("user_id"))
_NAME = select(users.c.username).where(users.c.id == bindparam("user_id"))


def find_default_person(connection: Connection) -> Person | None:
    """Return the oldest active admin, or else the oldest active user."""
    return remembered(connection, DEFAULT_PERSON, partial(_find_default_person, connection))


def _find_default_person(connection: Connection) -> Person | None:
    return _first(connection, _ACTIVE_ADMIN) or _first(connection, _ACTIVE)


def _people() -> Select[Any]:
    return select(users.c.id, users.c.username, users.c.is_active)


_ACTIVE = _people().where(users.c.is_active == 1).order_by(users.c.id).limit(1)
_ACTIVE_ADMIN = _ACTIVE.where(users.c.is_admin == 1)


def default_person_id() -> ColumnElement[int]:
    """Return the id of whom `find_default_person` finds, for a query."""
    oldest = (each.with_only_columns(users.c.id).scalar_subquery() for each in (_ACTIVE_ADMIN, _ACTIVE))
    return func.coalesce(*oldest)


def _first(connection: Connection, query: Select[Any]) -> Person | None:
    row = connection.execute(query).first()
    return _person(row) if row else None


def _person(row: Row[Any]) -> Person:
    return Person(row.id, row.username, row.is_active == 1)
