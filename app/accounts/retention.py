"""Audit retention. How long does the audit keep what happened? AUDIT_DAYS; what changed is kept for ever.

Clearing goes through the index on time in steps: each looks at so many rows after those of the step before,
kept ones included, and never at the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, select

from app import clock, ids
from app.accounts import audit, audit_anchors, audit_head
from app.tables import audit_logs, users

ROWS_OF_A_STEP = 500

Position = tuple[str, int]
START: Position = ("", 2**63 - 1)
"""When a row was written, as it is stored, and its id: clearing goes on after it."""


@dataclass(frozen=True)
class Step:
    """Which rows to clear away, and how far the look has come with them."""

    ids: tuple[int, ...]
    cleared_to: Position


def find_step(connection: Connection, after: Position, before: datetime) -> Step:
    """Return which of the next rows are events from before that moment. Writes nothing."""
    rows: list[Row[Any]] = []
    for query in step_queries(after, before):
        rows += connection.execute(query.limit(ROWS_OF_A_STEP - len(rows)))
    if not rows:
        return Step((), after)
    found = tuple(row.id for row in rows if row.action in audit.EVENTS)
    return Step(found, (rows[-1].created_at, rows[-1].id))


def step_queries(after: Position, before: datetime) -> tuple[Select[Any], Select[Any]]:
    """Return the queries of a step: the other rows of the same second, and those after it, by time."""
    row, (moment, row_id) = audit_logs.c, after
    found = select(row.id, row.action, row.created_at).where(row.created_at < clock.stored(before))
    same = found.where(row.created_at == moment, row.id > row_id).order_by(row.id)
    return same, found.where(row.created_at > moment).order_by(row.created_at, row.id)


def clear(connection: Connection, step: Step) -> None:
    """Delete the rows of a step. The ids of accounts, which they alone may name, are not given again.

    The newest row of the chain stays however old it is: the next one is a link to it. Writes audit_anchors.
    """
    newest = audit_head.find_newest_chained(connection)
    gone = tuple(row_id for row_id in step.ids if row_id != newest)
    ids.keep_highest(connection, users)
    audit_anchors.note_removed(connection, gone)
    connection.execute(delete(audit_logs).where(audit_logs.c.id.in_(gone)))
