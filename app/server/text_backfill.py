"""Backfill of findings (background job). How far is the search of texts that no one has searched yet?

It begins when the server does, goes on where a batch ended, and after a restart looks past what is stored. It
looks again at every entry once an hour (an older server, or SQL, may have written some), and soon after
someone's never-list was changed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock

from app import clock
from app.accounts import privacy_settings
from app.entries import store, text_search
from app.log import get_logger
from app.server.database_supervisor import DatabaseSupervisor

AGAIN_SECONDS = 3600.0
STEP_SECONDS = 0.2  # of the server's time, before it does something else

_log = get_logger(__name__)


@dataclass(frozen=True)
class BackfillProgress:
    """Of how many entries how many were looked at in this round, and whether a whole round was done."""

    looked_at: int = 0
    entries: int = 0
    is_done: bool = False


class TextBackfill:
    """The search of all entries, a fraction of a second at a time."""

    def __init__(self, supervisor: DatabaseSupervisor) -> None:
        self._supervisor = supervisor
        self._turn = Lock()
        self.begin_again()

    def begin_again(self) -> None:
        """Look at every entry: the database may be another one."""
        self.progress = BackfillProgress()
        self._after_id: int | None = None
        self._done_at = 0.0
        self._changes = -1
        self._searched = 0

    @property
    def is_through(self) -> bool:
        """Whether every text was searched, and none is being searched again."""
        return self.progress.is_done and self._after_id is None

    def step(self) -> None:
        """Search for a while, or see whether there is a reason to begin again. Writes text_findings."""
        with self._turn:
            if self._after_id is None and not self._has_reason():
                return
            until = time.monotonic() + STEP_SECONDS
            self._search_one_batch()
            while self._after_id is not None and time.monotonic() < until:
                self._search_one_batch()

    def _search_one_batch(self) -> None:
        after_id = self._after_id or 0
        with self._supervisor.reading() as connection:
            if after_id == 0:
                self._changes = privacy_settings.count_word_changes(connection)
                self.progress = BackfillProgress(0, store.count_there(connection), self.progress.is_done)
            batch = text_search.search_batch(connection, after_id)
            lacks_key = text_search.lacks_key(connection, batch)
        if lacks_key:
            with self._supervisor.writing() as connection:
                text_search.make_key(connection, clock.now())
            return  # the same batch again: what is stored has the hashes of values
        for part in text_search.parts_of(batch):
            with self._supervisor.writing() as connection:
                text_search.keep_part(connection, part, clock.now())
        self._went_on(batch)

    def _has_reason(self) -> bool:
        if not self.progress.is_done or time.monotonic() > self._done_at + AGAIN_SECONDS:
            return True
        with self._supervisor.reading() as connection:
            return privacy_settings.count_word_changes(connection) != self._changes

    def _went_on(self, batch: text_search.Batch) -> None:
        looked_at = self.progress.looked_at + batch.looked_at
        is_done = self.progress.is_done or batch.is_last
        self.progress = BackfillProgress(looked_at, max(looked_at, self.progress.entries), is_done)
        self._searched += len(batch.searched)
        self._after_id = None if batch.is_last else batch.last_id
        if batch.is_last:
            self._done_at = time.monotonic()
            if self._searched:
                _log.info("Texts of entries were searched.", extra={"entries": self._searched})
            self._searched = 0
