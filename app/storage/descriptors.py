"""Safe descriptors. How is a live database's file opened without dropping the locks that are held on it?

A plain descriptor of a live database is dangerous: when a process closes any descriptor of a file, the kernel
drops all locks that the process holds on it, SQLite's too. So here a descriptor is closed only when nothing
else in this process has the file open; until then it is kept, as SQLite itself does.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_waiting: list[int] = []
_waiting_lock = threading.Lock()


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """A descriptor for reading ``path``, closed when that drops no one's locks. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        _close_when_safe(descriptor)


def _close_when_safe(descriptor: int) -> None:
    """Close this descriptor and the ones kept before, but for those whose file is open elsewhere here."""
    with _waiting_lock:
        _waiting.append(descriptor)
        in_use = _open_elsewhere(set(_waiting))
        for kept in list(_waiting):
            if _identity(kept) not in in_use:
                _waiting.remove(kept)
                os.close(kept)


def _open_elsewhere(ours: set[int]) -> set[tuple[int, int] | None]:
    return {_identity(number) for number in _descriptors() if number not in ours}


def _descriptors() -> list[int]:
    for folder in ("/proc/self/fd", "/dev/fd"):
        with suppress(OSError):
            return [int(entry.name) for entry in Path(folder).iterdir()]
    return []


def _identity(descriptor: int) -> tuple[int, int] | None:
    try:
        known = os.fstat(descriptor)
    except OSError:
        return None
    return known.st_dev, known.st_ino
