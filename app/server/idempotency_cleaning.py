"""Retention of idempotency keys: what was answered is kept for a day, and cleared away in bounded steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import clock
from app.entries import idempotency

if TYPE_CHECKING:
    from app.server.database_supervisor import DatabaseSupervisor


class IdempotencyCleaning:
    """Clears away what is old; of several processes that serve a database one does it."""

    def __init__(self, supervisor: DatabaseSupervisor) -> None:
        self._supervisor = supervisor

    def clear(self) -> None:
        """Delete keys whose day is over: one step."""
        if not self._supervisor.is_mine("retention"):
            return
        now = clock.now()
        with self._supervisor.reading() as connection:
            is_any = idempotency.is_any_over(connection, now)
        if is_any:
            with self._supervisor.writing() as connection:
                idempotency.clear(connection, now)
