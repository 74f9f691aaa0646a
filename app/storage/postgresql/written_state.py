"""Written state on PostgreSQL. Has anyone but this connection changed anything since it began to write?

Whoever changes a row takes a transaction id, and so does each savepoint in which rows are changed; the ids
are given in order (PostgreSQL 15, "Transactions and Identifiers"). So where no id was in use when this
transaction began (its snapshot is ``7:7:``), and the next one begins at just as many ids later as this one
took (``9:9:``), no one else has changed anything. Wherever that cannot be said, nothing is believed.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from app.storage.postgresql.adapted import Cursor
from app.storage.written_state import CountedState

if TYPE_CHECKING:
    import psycopg

OWNERS_TRIGGERS = (
    b"SELECT EXISTS (SELECT FROM pg_trigger WHERE NOT tgisinternal)"
    b" OR EXISTS (SELECT FROM pg_rewrite WHERE ev_type <> '1' AND ev_class >= 16384)"
)
"""Whether a change can have others behind it that this program does not know of. The first id of a table that
does not belong to the server itself is 16384 (its source, FirstNormalObjectId)."""

_CHANGING = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_CHANGES_NOTHING = frozenset({"SELECT", "BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT", "SET", "SHOW"})
_others = itertools.count()


class PostgreSQLWrittenState(CountedState):
    """What the one connection that writes sees. It counts what its cursors change (`WritingCursor`)."""

    def __init__(self) -> None:
        super().__init__()
        self._rows = 0
        self._rows_at_begin = 0
        self._first_id: int | None = None  # that this transaction gets, if no one else changes anything
        self._savepoints_count = 0  # in which rows were changed
        self._next_snapshot = ""  # of the next transaction, if no one else changes anything

    def count(self) -> int:
        """How many rows were changed up to here; more than that where it may be more."""
        return self._rows

    def begin(self, snapshot: str) -> bool:
        """Begin a transaction that sees this (``xmin:xmax:xip_list``); whether others may have committed."""
        is_the_same = snapshot == self._next_snapshot
        self._next_snapshot = ""
        self._first_id, self._savepoints_count, self._rows_at_begin = _next_id(snapshot), 0, self._rows
        self._begin_with(self.others if is_the_same else next(_others))
        return not is_the_same

    def end(self) -> None:
        """The transaction is committed."""
        if self._first_id is not None:
            has_written = self._rows != self._rows_at_begin
            last_id = self._first_id + has_written + self._savepoints_count
            self._next_snapshot = f"{last_id}:{last_id}:"

    def end_savepoint(self, counted_before: int) -> None:
        """A savepoint ends, released or taken back, that was begun at this count."""
        self._savepoints_count += self._rows != counted_before

    def take(self, words: str | None, rows: int) -> None:
        """Count what a statement did, of which the server says these words."""
        what = words.partition(" ")[0] if words else ""
        if what in _CHANGES_NOTHING:
            return
        if what not in _CHANGING:
            self._rows += 1
            self._first_id = None  # it may have taken an id, or none
        elif rows:
            self._rows += rows + (what == "DELETE")  # foreign keys may have deleted more


class WritingCursor(Cursor):
    """A cursor that tells what it has changed."""

    written: PostgreSQLWrittenState

    def execute(self, query: Any, params: Any = None, **options: Any) -> WritingCursor:
        """Run one statement."""
        super().execute(query, params, **options)
        self.written.take(self.statusmessage, self.rowcount)
        return self

    def executemany(self, *args: Any, **options: Any) -> None:
        """Run one statement with each of these parameters."""
        super().executemany(*args, **options)
        self.written.take(self.statusmessage, self.rowcount)


def written_state_of(driver: psycopg.Connection[Any], info: dict[Any, Any]) -> PostgreSQLWrittenState:
    """What a connection sees that writes; its cursors count from then on."""
    state = info.get("written_state")
    if not isinstance(state, PostgreSQLWrittenState):
        state = info["written_state"] = PostgreSQLWrittenState()
        driver.cursor_factory = type("WritingCursor", (WritingCursor,), {"written": state})
    return state


def _next_id(snapshot: str) -> int | None:
    """The id of the next who changes something; None where others were at it when the snapshot was taken."""
    oldest, following, in_use = snapshot.split(":")
    return int(following) if oldest == following and not in_use else None
