"""Log file shared by processes (append, rotation under flock). Where does a line of the log go?

The server and a command run beside it write one file, so a file that another process has rotated is opened
anew, and rotation is done by one at a time.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from app import files
from app.control_characters import one_line
from app.settings import Settings

LARGEST_FILE_BYTES = 5_000_000
ROTATED_FILES_COUNT = 5


class SharedFileHandler(logging.Handler):
    """Appends to a file that several processes append to, and rotates it when it has grown large.

    No handler of the standard library does both: the rotating one goes on writing into the file that another
    process has renamed. A line is one write, so that lines of several processes do not mix.
    """

    def __init__(self, path: Path, settings: Settings) -> None:
        super().__init__()
        self._path = path
        self._database = settings.database_path
        self._has_complained = False
        self._opened: int | None = self._open()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line. A disk that is full is said once on stderr, and stops nothing."""
        try:
            line = self.format(record).encode("utf-8", "backslashreplace") + b"\n"
            os.write(self._ready_to_append(), line)
        except OSError as error:
            if not self._has_complained:
                self._has_complained = True
                complain(self._path, error)

    def close(self) -> None:
        """Close the file."""
        with self.lock or contextlib.nullcontext():
            opened, self._opened = self._opened, None
            if opened is not None:
                os.close(opened)
        super().close()

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return os.open(self._path, flags)
        except FileNotFoundError:
            opened = os.open(self._path, flags | os.O_CREAT, files.PRIVATE_FILE)
        try:
            files.private_file(self._path, self._database)
        except BaseException:
            os.close(opened)
            raise
        return opened

    def _ready_to_append(self) -> int:
        opened = self._current()
        if os.fstat(opened).st_size >= LARGEST_FILE_BYTES:
            with _only_one(self._path.parent):
                if _is_at(opened, self._path):
                    _rotate(self._path)
            opened = self._current()
        return opened

    def _current(self) -> int:
        """Return the open file of this name, opened anew where another process has renamed it."""
        if self._opened is None or not _is_at(self._opened, self._path):
            newer = self._open()
            if self._opened is not None:
                os.close(self._opened)
            self._opened = newer
        return self._opened


def complain(path: Path, error: OSError) -> None:
    """Say on stderr, where there is one, that the log cannot be written."""
    reason = error.strerror or type(error).__name__
    said = f"warning: the log {path} cannot be written: {reason}; going on without it"
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):  # it stops nothing all the same
            sys.stderr.write(f"{one_line(said)}\n")


def _is_at(opened: int, path: Path) -> bool:
    ours = os.fstat(opened)
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _rotate(path: Path) -> None:
    for number in range(ROTATED_FILES_COUNT - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    path.replace(path.with_name(f"{path.name}.1"))
