"""Read-only access. How is a database looked at without changing anything: no byte, no file, no time?

Where opening would write (a hot journal is rolled back, a write-ahead log is indexed and folded in, a
database in WAL mode gets its companions), a private copy in a temporary folder is read instead. The live file
is never opened as "immutable": SQLite would then read past anyone who is writing to it.
"""

from __future__ import annotations

import errno
import os
import shlex
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from app import clock, interrupt
from app.disk import free_bytes
from app.errors import Busy, Refused
from app.storage.descriptors import opened
from app.storage.holders import holders_of_database
from app.storage.sqlite import files
from app.storage.sqlite.connect import WAIT_SECONDS, begin_to_read, connect, snapshot
from app.storage.sqlite.errors import is_busy, would_have_to_write
from app.storage.sqlite.rows import replaced
from app.storage.sqlite.unusable import read_what_can_be_read
from app.temporary import remove, temporary_folder

_PATIENCE_SECONDS = 3.0
_QUIET_SECONDS = 0.05  # older than the coarsest clock that stamps files
_PAUSE_SECONDS = 0.02
_CHUNK_BYTES = 1 << 20

_Stamp = tuple[tuple[int, int, int, int] | None, ...]


@contextmanager
def looking(path: Path, *, wait_seconds: float = WAIT_SECONDS) -> Iterator[sqlite3.Connection]:
    """A connection that reads one committed state of ``path`` and changes nothing on the disk.

    The copy is where `temporary_folder` finds room.

    Where SQLite cannot parse a part of the schema, the rest is there (`unusable.unparsed_objects`). Raises
    OSError where the file cannot be read, sqlite3.DatabaseError where it is no sound database, Busy when
    someone writes without a pause, Refused when there is no room for a private copy.
    """
    real = path.resolve(strict=True)
    with _in_place_or_copied(real, wait_seconds) as connection:
        connection.text_factory = replaced
        read_what_can_be_read(connection)
        yield connection


@contextmanager
def peek(path: Path, *, wait_seconds: float = WAIT_SECONDS) -> Iterator[sqlite3.Connection]:
    """A read-only connection to the live file, for the process that serves it: cheap, through SQLite alone.

    SQLite may make or touch the companions of a database in WAL mode. Where it would have to write to the
    database itself first (a crash left a hot journal), this looks as `looking` does. Raises as that.
    """
    with closing(connect(path, "ro", wait_seconds=wait_seconds)) as connection:
        connection.text_factory = replaced
        if _can_be_read_so(connection):
            read_what_can_be_read(connection)
            yield connection
            return
    with looking(path, wait_seconds=wait_seconds) as connection:
        yield connection


def _can_be_read_so(connection: sqlite3.Connection) -> bool:
    """Begin to read; False where SQLite would have to write first. Raises other sqlite3.Error."""
    try:
        begin_to_read(connection)
    except sqlite3.OperationalError as error:
        if would_have_to_write(error):
            return False
        raise
    return True


@contextmanager
def _in_place_or_copied(real: Path, wait_seconds: float) -> Iterator[sqlite3.Connection]:
    if not _needs_a_copy(real):
        # mode=ro: should a hot journal appear just now, SQLite refuses rather than roll it back.
        with closing(connect(real, "ro", wait_seconds=wait_seconds)) as connection:
            if _has_snapshot(connection, real):
                yield connection
                return
    with _copied(real, wait_seconds) as copied:
        if copied is not None:
            yield copied
            return
    with closing(connect(real, "ro", wait_seconds=wait_seconds)) as connection:
        if not _has_snapshot(connection, real):
            raise _never_quiet(real)
        yield connection


@contextmanager
def _copied(real: Path, wait_seconds: float) -> Iterator[sqlite3.Connection | None]:
    """A connection to a private copy, whose names are gone once it is open.

    None where someone writes without a pause to a database whose log and its index are there: reading
    through them, beside the writer, makes no file.
    """
    with temporary_folder(".daemon-look-", real.parent, files.whole_size(real)) as folder:
        try:
            copy = _private_copy(real, folder)
        except Busy:
            if not _can_be_read_beside_a_writer(real):
                raise
            yield None
            return
        with closing(connect(copy, "rw", wait_seconds=wait_seconds)) as connection:
            connection.execute("PRAGMA query_only = ON")
            with snapshot(connection):
                remove(folder)
                yield connection


def _can_be_read_beside_a_writer(real: Path) -> bool:
    is_there = {each.name.removeprefix(real.name) for each in files.present_siblings(real)}
    return files.is_wal(files.header(real) or b"") and {"-wal", files.LOG_INDEX} <= is_there


def _needs_a_copy(real: Path) -> bool:
    head = files.header(real) or b""
    return files.is_wal(head) or bool(files.present_siblings(real))


def _has_snapshot(connection: sqlite3.Connection, real: Path) -> bool:
    """Begin to read; False when a copy is needed after all. Raises Busy, sqlite3.DatabaseError."""
    try:
        begin_to_read(connection)
    except sqlite3.OperationalError as error:
        if is_busy(error):
            raise _never_quiet(real) from error
        if _needs_a_copy(real):
            return False
        raise
    return True


# -- the private copy ---------------------------------------------------------------------------------------


def _private_copy(real: Path, folder: Path) -> Path:
    """Copy the database with what belongs to it, in one state, into ``folder``; return the copy.

    Stamps of all parts before and after must be equal, and old enough that a later write would show.
    """
    ends = time.monotonic() + _PATIENCE_SECONDS
    while True:
        before = _stamps(real)
        if _is_quiet(before):
            _copy_parts(real, folder)
            if _stamps(real) == before:
                return folder / real.name
        if time.monotonic() > ends:
            raise _never_quiet(real)
        interrupt.stop_if_asked()
        time.sleep(_PAUSE_SECONDS)


def _parts(real: Path) -> list[Path]:
    # Not -shm: it is an index of -wal that SQLite makes anew.
    return [real, real.with_name(real.name + "-wal"), real.with_name(real.name + "-journal")]


def _stamps(real: Path) -> _Stamp:
    return tuple(_stamp(part) for part in _parts(real))


def _stamp(part: Path) -> tuple[int, int, int, int] | None:
    try:
        known = part.stat()
    except FileNotFoundError:
        return None
    return known.st_ino, known.st_size, known.st_mtime_ns, known.st_ctime_ns


def _is_quiet(stamps: _Stamp) -> bool:
    newest = max((stamp[3] for stamp in stamps if stamp), default=0) / 1e9
    return not 0 <= clock.now().timestamp() - newest < _QUIET_SECONDS


def _copy_parts(real: Path, folder: Path) -> None:
    for part in _parts(real):
        target = folder / part.name
        target.unlink(missing_ok=True)
        try:
            _copy(part, target)
        except FileNotFoundError:
            continue  # it is not there, or no longer: the stamps tell whether that matters


def _copy(source: Path, target: Path) -> None:
    with opened(source) as descriptor, target.open("xb", buffering=0) as into:
        try:
            at = 0
            while part := os.pread(descriptor, _CHUNK_BYTES, at):
                at += len(part)
                left = memoryview(part)
                while left:  # a disk that fills up takes a part of it first
                    left = left[into.write(left) :]
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            raise _no_room(source, target.parent) from error


def _never_quiet(real: Path) -> Busy:
    return Busy(
        f"Someone writes to {real} without a pause.",
        hint="Stop what uses the database, or try again.",
        holders=[str(one) for one in holders_of_database(real)],
    )


def _no_room(source: Path, folder: Path) -> Refused:
    size = source.stat().st_size
    return Refused(
        f"There is no room in {folder.parent} for a private copy of {source} ({size:,} bytes; "
        f"{free_bytes(folder):,} are free).",
        hint=f"SQLITE_TMPDIR={shlex.quote(str(source.parent))} daemon upgrade check",
        needed_bytes=size,
    )
