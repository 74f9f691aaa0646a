"""How long does the audit keep what happened? AUDIT_DAYS; what changed is kept for ever.

Clearing goes through the index on time in steps: each looks at so many rows after those of the step before,
kept ones included, and never at the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, delete, select, tuple_

from app import clock, ids
from app.accounts import audit
from app.tables import api_keys, audit_logs, users

ROWS_OF_A_STEP = 500

Position = tuple[str, int]
START: Position = ("", 0)
"""When a row was written, as it is stored, and its id: clearing goes on after it."""


@dataclass(frozen=True)
class Step:
    """Which rows to clear away, and how far the look has come with them."""

    ids: tuple[int, ...]
    cleared_to: Position


def find_step(connection: Connection, after: Position, before: datetime) -> Step:
    """Return which of the next rows are events from before that moment. Writes nothing."""
    rows = connection.execute(step_query(after, before)).all()
    if not rows:
        return Step((), after)
    found = tuple(row.id for row in rows if row.action in audit.EVENTS)
    return Step(found, (rows[-1].created_at, rows[-1].id))


def step_query(after: Position, before: datetime) -> Select[tuple[int, str, str]]:
    """Return the query of a step: rows by time."""
    place = (audit_logs.c.created_at, audit_logs.c.id)
    return (
        select(audit_logs.c.id, audit_logs.c.action, audit_logs.c.created_at)
        .where(tuple_(*place) > after, audit_logs.c.created_at < clock.stored(before))
        .order_by(*place)
        .limit(ROWS_OF_A_STEP)
    )


def clear(connection: Connection, step: Step) -> None:
    """Delete the rows of a step. What they alone may name, accounts and keys, keeps its ids to itself."""
    for table in (users, api_keys):
        ids.keep_highest(connection, table)
    connection.execute(delete(audit_logs).where(audit_logs.c.id.in_(step.ids)))
