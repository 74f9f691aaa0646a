"""Statistics of an installation. What is counted for admins, once a minute at most however often they ask?"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from app.entries.statistics import statistics_of

if TYPE_CHECKING:
    from app.server.database_supervisor import DatabaseSupervisor
    from app.settings import Settings

KEPT_SECONDS = 60.0


class Statistics:
    """The counts of one process, kept for a minute: counting takes longer the more entries there are."""

    def __init__(self, settings: Settings, supervisor: DatabaseSupervisor) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._lock = threading.Lock()
        self._kept: dict[str, Any] | None = None
        self._counted_at = 0.0

    def find(self) -> dict[str, Any]:
        """Return the statistics of now, or of a minute ago at most."""
        with self._lock:
            if self._kept is None or time.monotonic() - self._counted_at >= KEPT_SECONDS:
                with self._supervisor.reading() as connection:
                    self._kept = statistics_of(connection, self._settings)
                self._counted_at = time.monotonic()
            return self._kept
