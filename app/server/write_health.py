"""Write health: can the database be written now? Learned from the last write, and from looking at the disk.

Never by a write of its own. A look finds a file system that is full or read-only and a folder that is closed;
what it cannot see (a quota) is known from the write that failed, until one succeeds.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from app.disk import free_bytes
from app.errors import DaemonError, Damaged, Failed, Refused
from app.log import get_logger
from app.storage.access import FOLDER, find_denial

LEAST_FREE_BYTES = 1_000_000  # what a commit with its journal may take

_log = get_logger(__name__)


class WriteHealth:
    """Whether the last that is known of writing is good. Any thread may tell or ask."""

    def __init__(self, database: Path | None) -> None:
        """``database`` is its file; None where it is on a server, of whose disk only writes tell."""
        self._database = database
        self._lock = threading.Lock()
        self._obstacle = ""  # what a look found
        self._failure = ""  # what the last write failed with, until a write succeeds or its obstacle is gone
        self._told = ""

    @property
    def is_writable(self) -> bool:
        """Whether a write can be expected to succeed."""
        return not (self._obstacle or self._failure)

    @property
    def reason(self) -> str:
        """Why not, in a sentence for the owner: it names files; "" where it is writable."""
        return self._failure or self._obstacle

    def succeeded(self) -> None:
        """Note that a write was committed."""
        if self._failure or self._obstacle:
            self._set("", "")

    def failed(self, error: DaemonError) -> None:
        """Note that a write failed, where that is a fault of the place and not of what was written."""
        if isinstance(error, (Refused, Failed, Damaged)):
            self._set(self._obstacle, error.message)

    def look(self) -> None:
        """Look at the disk and the folder, from a background job. Opens no file of the database."""
        found = self._found()
        is_gone = bool(self._obstacle) and not found
        self._set(found, "" if is_gone else self._failure)

    def _found(self) -> str:
        if self._database is None:
            return ""
        folder = self._database.parent
        denial = find_denial(folder, FOLDER)
        if denial is not None:
            return denial.message
        if not os.access(self._database, os.W_OK):
            return f"{self._database} may not be written by this account."
        try:
            is_full = free_bytes(folder) < LEAST_FREE_BYTES
        except OSError as error:
            return f"{folder} cannot be looked at: {error.strerror}."
        return f"The file system of {folder} is full." if is_full else ""

    def _set(self, obstacle: str, failure: str) -> None:
        with self._lock:
            self._obstacle, self._failure = obstacle, failure
            if self.reason == self._told:
                return
            self._told = self.reason
        if self.reason:
            _log.warning("The database cannot be written; it is read on.", extra={"why": self.reason})
        else:
            _log.info("The database can be written again.")
