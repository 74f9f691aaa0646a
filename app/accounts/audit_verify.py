"""Verifying the audit's chain. Is every row as it was written, is none missing, and was none put in?

Rows are read from the first to the last, a few at a time; what is found is said by row. A row that does not
fit was changed itself, or rows before it are gone: which of the two, no chain can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select

from app.accounts import audit
from app.accounts.audit_anchors import RETENTION
from app.accounts.audit_head import START
from app.accounts.audit_row import hashes_with, is_chained
from app.audit_chain import NOTHING, Hashes
from app.errors import Failed
from app.tables import audit_anchors, audit_logs

ROWS_AT_ONCE = 200
FAULTS_TOLD = 20
DOES_NOT_FOLLOW = (
    "it is not what was written after the row before it: it was changed, or rows before it are gone"
)
PUT_IN = "it was put in between rows of the chain"
PUT_BACK = "values stand where they had been erased"

_ROW, _ANCHOR = audit_logs.c, audit_anchors.c


@dataclass(frozen=True)
class Fault:
    """Where the chain breaks: the row, when and what it says it is, and what is wrong with it."""

    id: int
    created_at: str | None
    action: str
    what: str


@dataclass
class Verified:
    """What was found: rows of the chain, rows without one, rows that retention took, erased values; faults.

    ``faults_count`` counts them all, ``faults`` are the first few. ``head`` is what the chains come to.
    """

    chained_count: int = 0
    unchained_count: int = 0
    cleared_count: int = 0
    erased_count: int = 0
    faults_count: int = 0
    faults: list[Fault] = field(default_factory=list)
    first_chained_id: int | None = None
    last_chained_id: int | None = None
    head: Hashes = field(default_factory=Hashes)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults_count

    def refuse_if_broken(self) -> None:
        """Raise Failed, with the first row that does not fit, where the chain is broken."""
        if not self.is_whole:
            first = self.faults[0]
            raise Failed(
                f"The audit is NOT whole: {self.faults_count} rows do not fit. Row {first.id}"
                f" ({first.created_at}, {first.action}): {first.what}.",
                hint="daemon audit verify",
            )


def verify(connection: Connection, note: Callable[[int], None] = lambda count: None) -> Verified:
    """Read the whole audit and say whether its chain is whole; ``note`` hears how many rows were read.

    Writes nothing.
    """
    return _Verification(connection, note).done()


class _Verification:
    """One reading, from the first row to the last."""

    def __init__(self, connection: Connection, note: Callable[[int], None]) -> None:
        self.connection = connection
        self.note = note
        self.found = Verified()
        anchors = connection.execute(select(audit_anchors)).all()
        removed = [one for one in anchors if one.kind == RETENTION]
        self.after = {one.before_hash: one.after_hash for one in removed}
        self.found.cleared_count = sum(int(one.rows_count) for one in removed)
        self.outside = [(one.first_id, one.last_id) for one in anchors if one.kind == START]
        self.waiting: list[Row[Any]] = []  # rows that no anchor names, until a row of the chain comes

    def done(self) -> Verified:
        for row in self._rows():
            if is_chained(row):
                self._check(row)
            else:
                self._pass_over(row)
        return self.found

    def _rows(self) -> Iterator[Row[Any]]:
        query, after = select(audit_logs).order_by(_ROW.id).limit(ROWS_AT_ONCE), -(2**63)
        while rows := self.connection.execute(query.where(_ROW.id > after)).all():
            yield from rows
            after = rows[-1].id
            self.note(self.found.chained_count + self.found.unchained_count)

    def _pass_over(self, row: Row[Any]) -> None:
        self.found.unchained_count += 1
        if not any(first <= row.id <= last for first, last in self.outside):
            self.waiting.append(row)  # at the end, an older version wrote them: the next link says so
            del self.waiting[FAULTS_TOLD:]

    def _check(self, row: Row[Any]) -> None:
        found = self.found
        for one in self.waiting:
            self._fault(one, PUT_IN)
        self.waiting.clear()
        found.chained_count += 1
        found.first_chained_id = found.first_chained_id or row.id
        found.last_chained_id = row.id
        stored = Hashes(row.changes_hash, row.events_hash)
        if row.values_digest is not None:
            found.erased_count += 1
            if {row.old_values, row.new_values} - {None, NOTHING}:
                self._fault(row, PUT_BACK)
        if not self._follows(row, stored):
            self._fault(row, DOES_NOT_FOLLOW)
        found.head = stored if row.action in audit.EVENTS else Hashes(stored.changes, self._events(stored))

    def _follows(self, row: Row[Any], stored: Hashes) -> bool:
        changes, events = self.found.head
        if row.action not in audit.EVENTS:
            # Within rows that are gone, what it says of them is only vouched for by its own link.
            is_known = stored.events == events or events in self.after
            return is_known and hashes_with(Hashes(changes, stored.events), row) == stored
        while hashes_with(Hashes(changes, events), row) != stored:
            if events not in self.after:
                return False
            events = self.after[events]
        return True

    def _events(self, stored: Hashes) -> str:
        """What the chain of events comes to after a change: what it was, where rows that are gone begin."""
        events = self.found.head.events
        return events if events in self.after else stored.events

    def _fault(self, row: Row[Any], what: str) -> None:
        self.found.faults_count += 1
        if len(self.found.faults) < FAULTS_TOLD:
            self.found.faults.append(Fault(row.id, row.created_at, row.action, what))
