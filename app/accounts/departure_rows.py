"""Departures (rows). Who leaves, since when, and when are they erased?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Integer, bindparam, delete, insert, select, update

from app import clock
from app.prepared_statements import PreparedQuery
from app.tables import departures

_ROW = departures.c
_DUE = PreparedQuery(
    select(_ROW.user_id)
    .where(_ROW.due_at <= bindparam("now"))
    .order_by(_ROW.due_at, _ROW.user_id)
    .limit(bindparam("most", type_=Integer))
)


@dataclass(frozen=True)
class Departure:
    """Someone who leaves; times as they are stored. ``was_active``: they can still decide otherwise."""

    user_id: int
    asked_at: str
    due_at: str
    was_active: bool

    def is_due(self, now: datetime) -> bool:
        """Whether erasing has begun, so that no one can bring the account back."""
        return self.due_at <= clock.stored(now)


def find(connection: Connection, user_id: int) -> Departure | None:
    """Return the departure of a person; None for someone who stays."""
    row = connection.execute(select(departures).where(_ROW.user_id == user_id)).first()
    if row is None:
        return None
    return Departure(row.user_id, row.asked_at, row.due_at, row.was_active == 1)


def find_due(connection: Connection, now: datetime, most: int) -> list[int]:
    """Return the ids of people who are to be erased, or are being erased, the longest due first."""
    return [int(user_id) for (user_id,) in _DUE.rows(connection, {"now": clock.stored(now), "most": most})]


def add(connection: Connection, user_id: int, now: datetime, due: datetime, *, was_active: bool) -> None:
    """Write the row of someone who leaves."""
    said = {"asked_at": clock.stored(now), "due_at": clock.stored(due), "was_active": was_active}
    connection.execute(insert(departures).values(user_id=user_id, **said))


def change(connection: Connection, user_id: int, **values: object) -> None:
    """Write new values of the row: due_at, was_active."""
    connection.execute(update(departures).where(_ROW.user_id == user_id).values(values))


def remove(connection: Connection, user_id: int) -> None:
    """Delete the row: the person stays, or nothing of theirs is left."""
    connection.execute(delete(departures).where(_ROW.user_id == user_id))
