"""Examination of the installation (doctor). What is old or dangerous, as `daemon doctor` finds it?

In a process of its own: it opens files that are the database's, which the server must not (closing one would
drop the locks of SQLite), and a scan of a large disk or of many backups keeps no request waiting but its own.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import Busy, DaemonError
from app.server.list_worker import read_frame, write_frame

if TYPE_CHECKING:
    from app.doctor.findings import Finding
    from app.settings import Settings

KEPT_SECONDS = 30.0
LONGEST_SECONDS = 120.0
_COMMAND = (sys.executable, "-c", "from app.server.examination import main; main()")


@dataclass(frozen=True)
class Asked:
    """What the other process is to look at: the settings of this one, in its folder."""

    settings: Settings
    folder: Path


class Examination:
    """What was found last, kept for half a minute however often someone asks."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._found: tuple[Finding, ...] | None = None
        self._looked_at = 0.0

    def find(self) -> tuple[Finding, ...]:
        """Return the findings, the worst first. Raises Busy where it takes too long or ends oddly."""
        with self._lock:
            if self._found is None or time.monotonic() - self._looked_at >= KEPT_SECONDS:
                self._found = self._look()
                self._looked_at = time.monotonic()
            return self._found

    def _look(self) -> tuple[Finding, ...]:
        asked = BytesIO()
        write_frame(asked, Asked(self._settings, Path.cwd()))
        try:
            done = subprocess.run(
                _COMMAND, input=asked.getvalue(), capture_output=True, timeout=LONGEST_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise Busy("Looking took too long.", hint="On the machine: daemon doctor") from None
        found = read_frame(BytesIO(done.stdout)) if done.returncode == 0 else None
        if isinstance(found, DaemonError):
            raise found
        if not isinstance(found, tuple):
            raise Busy("Looking ended before its time.", hint="On the machine: daemon doctor")
        return found


def main() -> None:
    """Look, as standard input asks, and answer on standard output."""
    from app.doctor.examine import examine
    from app.doctor.findings import Place

    asked = read_frame(sys.stdin.buffer)
    assert isinstance(asked, Asked)
    found: object
    try:
        # made anew: this process learns its database, too
        found = examine(replace(asked.settings), Place(asked.folder))
    except DaemonError as error:
        found = error
    write_frame(sys.stdout.buffer, found)
