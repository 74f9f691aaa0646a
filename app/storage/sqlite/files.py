"""SQLite file. What can be told of it from outside, without SQLite, and without writing?"""

from __future__ import annotations

import fcntl
import os
import stat
import struct
import sys
from contextlib import suppress
from pathlib import Path

from app import files
from app.disk import real_path
from app.storage.descriptors import opened

MAGIC = b"SQLite format 3\0"
LOG_INDEX = "-shm"
_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
SIBLINGS = ("-wal", "-journal", LOG_INDEX)

_HEADER_BYTES = 100
_MODE_AT = 19  # of the header, for readers, whose SQLite goes by: 1 rollback journal, 2 write-ahead log
_PENDING_BYTE = 0x40000000
_RESERVED_BYTE = _PENDING_BYTE + 1
_WAL_WRITE_BYTE = 120  # of the -shm file
_FLOCK = struct.Struct("@hhqqi4x")  # struct flock of 64-bit Linux


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


def whole_size(path: Path) -> int:
    """How large the file is with what is beside it. Raises OSError."""
    total = path.stat().st_size
    for sibling in present_siblings(path):
        with suppress(FileNotFoundError):  # it went meanwhile
            total += sibling.stat().st_size
    return total


def present_siblings(path: Path) -> list[Path]:
    """The files beside the (real) path that belong to it and are there."""
    found = [path.with_name(path.name + suffix) for suffix in SIBLINGS]
    return [sibling for sibling in found if os.path.lexists(sibling)]


def may_hold_writes(beside: Path) -> bool:
    """Whether a log or journal holds anything: journal_mode PERSIST leaves one whose header is zeros."""
    try:
        with opened(beside) as descriptor:
            return bool(os.pread(descriptor, len(_JOURNAL_MAGIC), 0).strip(b"\0"))
    except FileNotFoundError:
        return False
    except OSError:  # it cannot be told
        return True


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


def note(path: Path) -> str:
    """What is noted with the database ``path``, in a file beside it; "" where there is none.

    Nor is there one for who may not go into the folder: they cannot use the database either, and are told so
    where they try. A file that is there and may not be read is told as no note that anyone wrote.
    """
    place = _note_path(path)
    try:
        return place.read_text("utf-8", "replace").removesuffix("\n")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except PermissionError:
        return "may not be read" if os.access(place.parent, os.X_OK) else ""


def set_note(path: Path, text: str) -> None:
    """Write that file, durable when this returns; "" removes it. Raises OSError."""
    if text:
        files.write_atomically(_note_path(path), text.encode() + b"\n", like=path)
        return
    _note_path(path).unlink(missing_ok=True)
    files.sync_folder(_note_path(path).parent)


def _note_path(path: Path) -> Path:
    real = real_path(path)  # a link to the database has no note of its own
    return real.with_name(real.name + ".moved")
