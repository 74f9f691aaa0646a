"""Head of the audit's chain. What does it come to by now, in the transaction that adds to it?

Read once from the newest row, and kept for as long as no one else has written and nothing was taken back:
a transaction that writes holds the write lock, and only `audit` adds rows. Where the newest row is not in the
chain (an older version wrote it, or this is the first of all), an anchor says which rows are not.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from app import clock
from app.audit_chain import Hashes
from app.prepared_statements import PreparedQuery, PreparedStatement
from app.snapshot_memory import remembered
from app.tables import audit_anchors, audit_logs

START = "start"
_ROW = audit_logs.c
_NEWEST_FIRST = select(_ROW.id, _ROW.changes_hash, _ROW.events_hash).order_by(_ROW.id.desc()).limit(1)
_NEWEST = PreparedQuery(_NEWEST_FIRST)
_NEWEST_CHAINED = PreparedQuery(_NEWEST_FIRST.where(_ROW.changes_hash.is_not(None)))


_ADD_ANCHOR = PreparedStatement(insert(audit_anchors), "kind", "first_id", "last_id", "rows_count", "made_at")


@dataclass
class Head:
    """What both chains come to with the newest row; the writer of the audit moves it on."""

    hashes: Hashes


def head_of(connection: Connection, at: str | None) -> Head:
    """Return the head in a transaction that writes. Writes audit_anchors where a chain begins."""
    # It depends on rows that do not count for what is remembered: whoever adds one moves it on.
    return remembered(connection, "audit head", lambda: _read(connection, at), while_writing=True)


def find_newest_chained(connection: Connection) -> int | None:
    """Return the id of the newest row of the chain: what the next one is a link to."""
    found = next(_NEWEST_CHAINED.rows(connection), None)
    return None if found is None else int(found[0])


def _read(connection: Connection, at: str | None) -> Head:
    newest = next(_NEWEST.rows(connection), None)
    if newest is None:
        return Head(Hashes())
    if newest[1] is not None:
        return Head(Hashes(newest[1], newest[2]))
    chained = next(_NEWEST_CHAINED.rows(connection), None)
    last, hashes = (0, Hashes()) if chained is None else (chained[0], Hashes(*chained[1:]))
    _write_anchor(connection, int(last) + 1, int(newest[0]), at)
    return Head(hashes)


def _write_anchor(connection: Connection, first_id: int, last_id: int, at: str | None) -> None:
    is_outside = _ROW.id.between(first_id, last_id)
    count = connection.execute(select(func.count()).where(is_outside)).scalar_one()
    values = {"kind": START, "first_id": first_id, "last_id": last_id, "rows_count": count}
    _ADD_ANCHOR.run(connection, {**values, "made_at": at or clock.stored(clock.now())})
