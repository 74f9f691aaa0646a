"""Running upgrade: its progress, shared with other processes in a small file beside the database.

It informs only: a failure to write it stops nothing, and it is believed only while the database is held.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app import clock
from app.errors import Refused
from app.storage.registry import process_lock_at

if TYPE_CHECKING:
    from app.progress import Event, OnEvent
    from app.settings import Settings

SUFFIX = ".progress"
MOST_BYTES = 4096
FIRST_PHASE = "backup"  # what comes before runs without the lock, perhaps beside another upgrade


@dataclass(frozen=True)
class Running:
    """How far an upgrade of another process is; ``started_at`` in RFC 3339."""

    started_at: str
    phase: str
    percent: float | None
    eta_seconds: float | None


class SharedProgress:
    """Writes what an upgrade tells into the file, and passes it on."""

    def __init__(self, settings: Settings, on_event: OnEvent, *, is_shared: bool = False) -> None:
        """``is_shared``: from the first event on, and not only once the lock is held."""
        self._path = progress_path(settings)
        self._on_event = on_event
        self._started_at = clock.rfc3339(clock.now().replace(microsecond=0))
        self._is_shared = is_shared

    def __call__(self, event: Event) -> None:
        """Share an event, once the lock is held, and pass it on."""
        self._is_shared = self._is_shared or event.phase == FIRST_PHASE
        if self._is_shared:
            self._write(Running(self._started_at, event.phase, event.percent, event.eta_seconds))
        self._on_event(event)

    def end(self) -> None:
        """Take the file away."""
        if self._is_shared:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _write(self, running: Running) -> None:
        with contextlib.suppress(OSError):
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            try:
                os.write(descriptor, json.dumps(asdict(running)).encode())
            finally:
                os.close(descriptor)


def progress_path(settings: Settings) -> Path:
    """Return where the progress of an upgrade of this database is."""
    return settings.database_path.with_name(settings.database_path.name + SUFFIX)


def find_running(settings: Settings) -> Running | None:
    """Return how far the upgrade is that another process runs now; None where none does, or none tells."""
    try:
        content = progress_path(settings).read_bytes()[:MOST_BYTES]
        if not process_lock_at(settings.database_path).wanted():
            return None  # left by one that was killed
        return _understood(json.loads(content))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, Refused):
        return None


def _understood(said: dict[str, object]) -> Running:
    percent, eta = (said.get(name) for name in ("percent", "eta_seconds"))
    return Running(
        started_at=str(said["started_at"])[:40],
        phase=str(said["phase"])[:20],
        percent=float(percent) if isinstance(percent, (int, float)) else None,
        eta_seconds=float(eta) if isinstance(eta, (int, float)) else None,
    )
