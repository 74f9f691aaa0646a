"""Ledger of assistants: reads that are remembered, and written in batches about a second later.

So reading never writes, and never fails for it. The memory is bounded: how much had no room is in the log.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from app import clock, log
from app.accounts import ai_reads
from app.accounts.ai_reads import AiRead
from app.server.database_supervisor import DatabaseSupervisor

REMEMBERED_MOST = 2_000
ROWS_OF_A_WRITE = 200  # in one transaction, while which no one else writes: some 10 ms

_log = log.get_logger(__name__)


class AiLedger:
    """What assistants have read and is not yet written."""

    def __init__(self, supervisor: DatabaseSupervisor) -> None:
        self._supervisor = supervisor
        self._lock = threading.Lock()
        self._pending: list[AiRead] = []
        self._dropped_count = 0
        self._touched: set[int] = set()

    def remember(self, reads: Sequence[AiRead]) -> None:
        """Have reads written soon."""
        with self._lock:
            room = REMEMBERED_MOST - len(self._pending)
            self._pending += reads[:room]
            self._dropped_count += len(reads[room:])

    def has_some(self) -> bool:
        """Whether anything is to be written."""
        return bool(self._pending)

    def write(self) -> None:
        """Write what is remembered; what cannot be written is remembered on."""
        with self._lock:
            taken, self._pending = self._pending, []
            dropped, self._dropped_count = self._dropped_count, 0
        if dropped:
            _log.warning("The ledger of assistants is not whole.", extra={"dropped": dropped})
        while taken:
            try:
                with self._supervisor.writing() as connection:
                    self._touched |= ai_reads.note(connection, taken[:ROWS_OF_A_WRITE])
            except BaseException:
                with self._lock:
                    self._pending = (taken + self._pending)[:REMEMBERED_MOST]
                raise
            taken = taken[ROWS_OF_A_WRITE:]

    def clear(self) -> None:
        """Remove what is old or too much: one step, of bounded cost."""
        if not self._supervisor.is_mine("ai ledger"):
            return
        touched, self._touched = self._touched, set()
        now = clock.now()
        with self._supervisor.reading() as connection:
            is_wanted = touched or ai_reads.has_old(connection, now)
        if is_wanted:
            with self._supervisor.writing() as connection:
                ai_reads.clear(connection, now, tuple(touched))
