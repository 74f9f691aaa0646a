"""Anchors of the audit's chain. How does it stay whole where retention takes rows out of it?

An anchor says what the chain of events came to before the rows that went and after the last of them, how many
they were, and between which ids. Rows that follow each other go into one anchor, and one that follows an
anchor into that: as events go in the order of time, there is one anchor that grows, and few beside it where a
clock was set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from app import clock
from app.accounts import audit
from app.accounts.audit_row import hashes_with, is_chained
from app.audit_chain import GENESIS, Hashes
from app.tables import audit_anchors, audit_logs

RETENTION = "retention"
_ROW, _ANCHOR = audit_logs.c, audit_anchors.c


@dataclass(frozen=True)
class Gap:
    """Rows without a break between them that are gone: the chain before and after, where, and how many."""

    before: str
    after: str
    first_id: int
    last_id: int
    count: int


def note_removed(connection: Connection, ids: Sequence[int]) -> None:
    """Write down which links these rows are, which will be deleted. Writes audit_anchors."""
    rows = connection.execute(select(audit_logs).where(_ROW.id.in_(ids)).order_by(_ROW.id)).all()
    for gap in _gaps(connection, [row for row in rows if is_chained(row) and row.action in audit.EVENTS]):
        _keep(connection, gap)


def _gaps(connection: Connection, rows: Sequence[Row[Any]]) -> Iterator[Gap]:
    gap: Gap | None = None
    for row in rows:
        if gap is not None and _follows(gap.after, row):
            gap = replace(gap, after=row.events_hash, last_id=row.id, count=gap.count + 1)
            continue
        if gap is not None:
            yield gap
        gap = Gap(_before(connection, row), row.events_hash, row.id, row.id, 1)
    if gap is not None:
        yield gap


def _follows(events: str, row: Row[Any]) -> bool:
    return bool(hashes_with(Hashes(row.changes_hash, events), row).events == row.events_hash)


def _before(connection: Connection, row: Row[Any]) -> str:
    """What the chain of events came to before a row: as the row before it says, or an anchor."""
    earlier = select(_ROW.events_hash).where(_ROW.id < row.id, _ROW.changes_hash.is_not(None))
    said = connection.execute(earlier.order_by(_ROW.id.desc()).limit(1)).scalar()
    of_anchor = select(_ANCHOR.after_hash).where(_ANCHOR.kind == RETENTION, _ANCHOR.last_id < row.id)
    anchored = connection.execute(of_anchor.order_by(_ANCHOR.last_id.desc()).limit(1)).scalar()
    for known in (said, anchored):
        if known is not None and _follows(known, row):
            return str(known)
    return str(said or anchored or GENESIS)


def _keep(connection: Connection, gap: Gap) -> None:
    is_removed = _ANCHOR.kind == RETENTION
    after = connection.execute(
        select(audit_anchors).where(is_removed, _ANCHOR.before_hash == gap.after)
    ).first()
    if after is not None:
        connection.execute(delete(audit_anchors).where(_ANCHOR.id == after.id))
        gap = replace(
            gap, after=after.after_hash, last_id=after.last_id, count=gap.count + int(after.rows_count)
        )
    before = connection.execute(
        select(audit_anchors).where(is_removed, _ANCHOR.after_hash == gap.before)
    ).first()
    now = clock.stored(clock.now())
    if before is None:
        values = {"kind": RETENTION, "before_hash": gap.before, "first_id": gap.first_id, "made_at": now}
        values |= {"after_hash": gap.after, "last_id": gap.last_id, "rows_count": gap.count}
        connection.execute(insert(audit_anchors).values(values))
        return
    grown = update(audit_anchors).where(_ANCHOR.id == before.id)
    count = int(before.rows_count) + gap.count
    connection.execute(grown.values(after_hash=gap.after, last_id=gap.last_id, rows_count=count, made_at=now))
