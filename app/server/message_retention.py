"""Retention of messages. How long does one that was left wait in an inbox? MESSAGE_DAYS; 0: for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app import clock
from app.accounts import messages

if TYPE_CHECKING:
    from app.server.database_supervisor import DatabaseSupervisor
    from app.settings import Settings


class MessageRetention:
    """Clears away what is old, and what counts no more, in steps of bounded cost."""

    def __init__(self, settings: Settings, supervisor: DatabaseSupervisor) -> None:
        self._days = settings.message_days
        self._supervisor = supervisor

    def clear(self) -> None:
        """Delete messages that came longer ago than that: one step."""
        if not self._supervisor.is_mine("retention"):
            return
        now = clock.now()
        before = now - timedelta(days=self._days) if self._days else None
        with self._supervisor.reading() as connection:
            is_any_counted = messages.is_any_counted(connection, now)
            is_any_old = before is not None and messages.is_any_older(connection, before)
        if not is_any_counted and not is_any_old:
            return
        with self._supervisor.writing() as connection:
            messages.clear_counted(connection, now)
            if before is not None:
                messages.clear(connection, before)
