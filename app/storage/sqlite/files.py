"""What can be told of an SQLite file from outside, without SQLite, and without writing?

A plain descriptor of a live database is dangerous: when a process closes any descriptor of a file, the kernel
drops all locks that the process holds on it, SQLite's too. So here a descriptor is closed only when nothing
else in this process has the file open; until then it is kept, as SQLite itself does.
"""

from __future__ import annotations

import fcntl
import os
import stat
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MAGIC = b"SQLite format 3\0"
LOG_INDEX = "-shm"
SIBLINGS = ("-wal", "-journal", LOG_INDEX)

_HEADER_BYTES = 100
_MODE_AT = 19  # of the header, for readers, whose SQLite goes by: 1 rollback journal, 2 write-ahead log
_PENDING_BYTE = 0x40000000
_RESERVED_BYTE = _PENDING_BYTE + 1
_WAL_WRITE_BYTE = 120  # of the -shm file
_FLOCK = struct.Struct("@hhqqi4x")  # struct flock of 64-bit Linux

_waiting: list[int] = []
_waiting_lock = threading.Lock()


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """A descriptor for reading ``path``, closed when that drops nobody's locks. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        _close_when_safe(descriptor)


def header(path: Path) -> bytes | None:
    """The first 100 bytes, fewer of a shorter file, None where there is no file. Raises OSError.

    A folder, a pipe or a device has the header "\\0", which is that of no database.
    """
    try:
        with opened(path) as descriptor:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return b"\0"
            return os.pread(descriptor, _HEADER_BYTES, 0)
    except (FileNotFoundError, NotADirectoryError):
        return None


def is_wal(head: bytes) -> bool:
    """Whether the header says that the database uses a write-ahead log."""
    return head[_MODE_AT : _MODE_AT + 1] == b"\2"


def missing_bytes(path: Path) -> int:
    """How much shorter the file is than its header says; the header counts only where SQLite believes it."""
    head = header(path) or b""
    page_size = int.from_bytes(head[16:18], "big") or 0
    page_size = 65536 if page_size == 1 else page_size
    pages = int.from_bytes(head[28:32], "big")
    is_valid = head[24:28] == head[92:96] and pages > 0
    return page_size * pages - path.stat().st_size if is_valid else 0


def present_siblings(path: Path) -> list[Path]:
    """The files beside the (real) path that belong to it and are there."""
    found = [path.with_name(path.name + suffix) for suffix in SIBLINGS]
    return [sibling for sibling in found if os.path.lexists(sibling)]


def is_locked(path: Path) -> bool:
    """Whether another process holds the write lock at this moment. False where the system does not tell."""
    wal_index = path.with_name(path.name + "-shm")
    return any(
        (
            _is_held(path, _PENDING_BYTE),
            _is_held(path, _RESERVED_BYTE),
            _is_held(wal_index, _WAL_WRITE_BYTE),
        )
    )


def _is_held(path: Path, at: int) -> bool:
    """Whether another process holds a lock on that byte; asking takes none."""
    if not sys.platform.startswith("linux"):
        return False
    asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, at, 1, 0)
    try:
        with opened(path) as descriptor:
            answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, asked)
    except OSError:
        return False
    return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)


def mount_kind(path: Path, mounts: str | None = None) -> str:
    """The kind of file system that ``path`` lies on ("ext4", "nfs4", "fuse.sshfs"), "" where unknown."""
    if mounts is None:
        try:
            mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return ""
    best, kind = "", ""
    for line in mounts.splitlines():
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        point = unescaped(parts[1])
        if path.resolve().is_relative_to(point) and len(point) >= len(best):
            best, kind = point, parts[2]
    return kind


def unescaped(text: str) -> str:
    for code, sign in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, sign)
    return text


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
