"""Upkeep of the search index (background job). Which entries are to be found otherwise than before?

A write waits for nothing here: within a second or so this reads on in the audit, and makes the rows of what
was written. After a change of what is shown it looks at every entry, a fraction of a second at a time; a
row that is not right is found by no one meanwhile. While many write they come first: it waits until they
write less, for some seconds at most, and makes then many rows in one transaction, which takes less for each.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock

from app import clock
from app.accounts import audit_reading
from app.entries import search_due, search_index
from app.entries.search_making import Made, Maker
from app.log import get_logger
from app.server.database_supervisor import DatabaseSupervisor
from app.server.text_backfill import TextBackfill

AGAIN_SECONDS = 3600.0
STEP_SECONDS = 0.3  # of the server's time, before it does something else
BUSY_COUNT = 20  # entries that were written since the last look
BUSY_WAIT_SECONDS = 10.0
BUSY_STEP_SECONDS = 0.1
BATCH = 50
WAITING_MOST = 20_000  # entries; where more wait, all are looked at

_log = get_logger(__name__)


@dataclass(frozen=True)
class SearchProgress:
    """Of how many entries how many were looked at in this round, how many wait besides, was a round done?"""

    looked_at: int = 0
    entries: int = 0
    waiting: int = 0
    is_done: bool = False


class SearchUpkeep:
    """Makes the rows of the search, for all processes that serve the database."""

    def __init__(self, supervisor: DatabaseSupervisor, texts: TextBackfill, ceiling: str) -> None:
        """``texts`` searches what texts hold: what that changes is not indexed before it is through."""
        self._supervisor = supervisor
        self._texts = texts
        self._ceiling = ceiling
        self._turn = Lock()
        self.begin_again()

    def begin_again(self) -> None:
        """Look at every entry: the database may be another one."""
        self.progress = SearchProgress()
        self._waiting: dict[int, None] = {}
        self._line: int | None = None
        self._looked_at = clock.now()
        self._after_id: int | None = None  # of the round that runs
        self._is_wanted = True
        self._done_at = self._made_at = 0.0
        self._entries = self._count = 0

    def step(self) -> None:
        """Make what is due, for a while. Writes search_rows and search_stamps."""
        with self._turn:
            self._step()

    def catch_up(self) -> None:
        """Look at every entry now, for who cannot wait for the job; whatever was found in texts up to now."""
        with self._turn:
            self._look()
            self._after_id, self._is_wanted, self._count = 0, False, 0
            while self._one_batch() or self._waiting:
                pass
            self._tell()

    def _step(self) -> None:
        is_wanted = self._is_wanted  # not only just now: what texts hold is searched before
        is_busy = self._look() > BUSY_COUNT
        now = time.monotonic()
        if self._begins(is_wanted):
            self._after_id, self._is_wanted, self._count = 0, False, 0
        if not is_busy or now > self._made_at + BUSY_WAIT_SECONDS:
            until = now + (BUSY_STEP_SECONDS if is_busy else STEP_SECONDS)
            while self._one_batch() and time.monotonic() < until:
                pass
            self._made_at = time.monotonic()
        self._tell()

    def _tell(self) -> None:
        waiting, is_done = len(self._waiting), self._done_at > 0
        self.progress = SearchProgress(self._count, self._entries, waiting, is_done)

    def _look(self) -> int:
        """Read on in the audit; return how many entries were written since."""
        now = clock.now()
        with self._supervisor.reading() as connection:
            if self._line is None:
                self._line = audit_reading.last_line(connection)
                self._entries = search_due.count(connection)
                return 0
            due = search_due.since(connection, self._line, self._looked_at, now)
        self._line, self._looked_at = due.last_line, now
        self._is_wanted = self._is_wanted or due.is_all
        self._waiting |= dict.fromkeys(due.entry_ids)
        if len(self._waiting) > WAITING_MOST:
            self._waiting.clear()
            self._is_wanted = True
        return len(due.entry_ids)

    def _begins(self, is_wanted: bool) -> bool:
        """Whether a round begins now: one that runs begins again where something else changed meanwhile."""
        is_due = self._after_id is None and time.monotonic() > self._done_at + AGAIN_SECONDS
        return (is_wanted or is_due) and self._texts.is_through

    def _one_batch(self) -> bool:
        """Make the rows of a few entries; return whether there may be more to do."""
        made = self._make_some()
        if made is None:
            return self._after_id is not None and self._end_round()
        if not made.is_there:
            with self._supervisor.writing() as connection:
                search_index.keep(connection, made)
        for each in made.entry_ids:
            self._waiting.pop(each, None)
        return True

    def _make_some(self) -> Made | None:
        """Make rows of entries that wait, or else of the next ones of a round; None where there are none."""
        ids = list(self._waiting)[:BATCH]
        with self._supervisor.reading() as connection:
            if not ids and self._after_id is not None:
                ids = list(search_due.ids_after(connection, self._after_id, BATCH))
                self._count += len(ids)
                self._after_id = ids[-1] if ids else self._after_id
            return Maker(connection, self._ceiling).make(ids) if ids else None

    def _end_round(self) -> bool:
        """Note that a round is through; return whether there are rows left of entries that are gone."""
        with self._supervisor.reading() as connection:
            gone = search_index.rows_of_nothing(connection, BATCH)
            is_noted = search_index.is_complete(connection, self._ceiling)
            self._entries = self._count = search_due.count(connection)
        if gone:
            self._waiting |= dict.fromkeys(gone)
            return True
        if not is_noted:
            with self._supervisor.writing() as connection:
                search_index.note_complete(connection, self._ceiling)
            _log.info("The search has found every entry once.", extra={"entries": self._entries})
        self._after_id, self._done_at = None, time.monotonic()
        return False
