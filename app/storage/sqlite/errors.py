"""SQLite errors. What does one mean, in a word that every engine knows, and in a sentence for a person?"""

from __future__ import annotations

import contextlib
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.disk import free_bytes, real_path
from app.errors import Busy, DaemonError, Damaged, Failed, Refused, UnknownDatabase
from app.storage.access import FOLDER, WRITE, find_denial
from app.storage.holders import holders_of_database
from app.storage.misplaced import find_misplacement
from app.storage.sqlite.files import present_siblings
from app.storage.types import Reason, StorageError

_NEARLY_FULL_BYTES = 1 << 20
# What SQLite says where a file cannot grow: a full disk as the log's index sees it, a quota, a size limit.
_CANNOT_GROW = frozenset(
    {
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_SHMOPEN,
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_SHMMAP,
    }
)
# Everything else is about the SQL that was asked.
_REASONS: dict[int, Reason] = {
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_PROTOCOL: "busy",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_IOERR: "disk",
    sqlite3.SQLITE_CANTOPEN: "not_opened",
    sqlite3.SQLITE_READONLY: "not_opened",
    sqlite3.SQLITE_PERM: "not_opened",
    sqlite3.SQLITE_NOLFS: "not_opened",
    sqlite3.SQLITE_NOTADB: "not_a_database",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_INTERRUPT: "interrupted",
    sqlite3.SQLITE_CONSTRAINT: "rows",
}


# What SQLite says, without a code of its own, of header bytes that no SQLite ever wrote; we attach nothing.
_OF_A_HEADER = frozenset(
    {"unsupported file format", "attached databases must use the same text encoding as main database"}
)


@contextmanager
def as_storage_errors() -> Iterator[None]:
    """Let what SQLite raises within come out as a StorageError; for a function or a block."""
    try:
        yield
    except sqlite3.Error as error:
        raise storage_error(error) from error


def storage_error(error: BaseException) -> StorageError:
    """The error of the storage protocol for one that SQLite, or SQLAlchemy above it, raised."""
    driver = _driver_error(error)
    is_of_rows = isinstance(driver, sqlite3.IntegrityError)
    return StorageError("rows" if is_of_rows else _REASONS.get(_primary(error), "statement"), driver)


def is_busy(error: BaseException) -> bool:
    """Whether someone else held the lock for longer than we waited."""
    return storage_error(error).reason == "busy"


def is_damage(error: BaseException) -> bool:
    """Whether SQLite says that the file is damaged, or is no database although it begins like one."""
    return _primary(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def would_have_to_write(error: BaseException) -> bool:
    """Whether a reader that may not write met a journal or a log that has to be settled first."""
    return _primary(error) in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)


def is_own(error: BaseException) -> bool:
    """Whether SQLite raised it."""
    return isinstance(_driver_error(error), sqlite3.Error)


def is_of_the_place(error: BaseException) -> bool:
    """Whether the error is about the file, the disk or a lock, and not about what was asked in SQL."""
    return storage_error(error).is_of_the_place


def was_not_written(error: BaseException) -> bool:
    """Whether an error at COMMIT came before anything counted: a page could not be written.

    Errors of later calls (syncing, removing the journal, indexing the log) leave it open what the next reader
    finds.
    """
    return _primary(error) == sqlite3.SQLITE_FULL or _code(error) == sqlite3.SQLITE_IOERR_WRITE


def explained(error: BaseException, path: Path) -> DaemonError:
    """The sentence for an error that SQLite (or SQLAlchemy above it) raised about the database ``path``.

    What is not about the file, the disk or a lock becomes Failed with SQLite's own words.
    """
    code, primary = _code(error), _primary(error)
    words = str(_driver_error(error))
    if is_busy(error):
        return Busy(
            f"Another program holds the database {path}.",
            hint=f"Try again; to see who: fuser -v {_quoted(path)}",
            holders=[str(one) for one in holders_of_database(path)],
        )
    misplacement = find_misplacement(path) if is_of_the_place(error) else None
    if misplacement is not None:
        return misplacement
    if primary == sqlite3.SQLITE_FULL or code in _CANNOT_GROW:
        return _no_space(path)
    if primary == sqlite3.SQLITE_IOERR:
        if _free_bytes(path) < _NEARLY_FULL_BYTES:
            return _no_space(path)
        return Refused(
            f"The disk could not read or write {path} ({words}).", hint="Look at the disk: dmesg | tail"
        )
    if primary == sqlite3.SQLITE_NOTADB:
        return UnknownDatabase(
            f"{path} is not an SQLite database.", hint="Set DATABASE_URL to the right file."
        )
    if primary == sqlite3.SQLITE_CORRUPT:
        return Damaged(f"The database {path} is damaged ({words}).", hint="daemon backup list")
    if primary in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return _not_opened(path, words)
    return Failed(f"SQLite says about {path}: {words}.", hint="daemon upgrade check")


def _not_opened(path: Path, words: str) -> DaemonError:
    if _is_missing(path):
        return UnknownDatabase(
            f"There is no database at {path}.",
            hint="daemon init   # or set DATABASE_URL to where the database is",
        )
    return find_refusal(path) or Refused(
        f"The database {path} could not be opened for writing ({words}).",
        hint=f"ls -la {_quoted(path.parent)}",
    )


def _is_missing(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def find_refusal(path: Path) -> Refused | None:
    """Why this account may not write the existing file ``path``, what is beside it, and there; or None."""
    real = real_path(path)
    denials = (
        find_denial(real.parent, FOLDER),
        find_denial(real, WRITE),
        *(find_denial(sibling, WRITE, like=real) for sibling in present_siblings(real)),
    )
    return next((Refused(each.message, hint=each.command) for each in denials if each), None)


def _no_space(path: Path) -> Refused:
    free = _free_bytes(path)
    return Refused(
        f"There is no space left for {path}: {free:,} bytes are free in {path.parent}, and the disk (or a "
        f"quota, or a limit on the size of files) took no more.",
        hint=f"df -h {_quoted(path.parent)}",
        free_bytes=free,
    )


def _free_bytes(path: Path) -> int:
    with contextlib.suppress(OSError):
        return free_bytes(path.parent)
    return 0


def _driver_error(error: BaseException) -> BaseException:
    # StorageError and SQLAlchemy wrap what the driver raised; the latter is not imported: it takes long.
    wrapped = getattr(error, "orig", None)
    return wrapped if isinstance(wrapped, BaseException) else error


def _code(error: BaseException) -> int:
    """SQLite's extended code; its own class tells where old code raised without one."""
    return int(getattr(_driver_error(error), "sqlite_errorcode", sqlite3.SQLITE_ERROR))


def _primary(error: BaseException) -> int:
    code = _code(error) & 0xFF
    is_of_header = code == sqlite3.SQLITE_ERROR and str(_driver_error(error)) in _OF_A_HEADER
    return sqlite3.SQLITE_CORRUPT if is_of_header else code


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
