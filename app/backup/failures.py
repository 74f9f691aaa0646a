"""Why can it not be done? Errors of the system and of SQLite as a sentence, and the command that mends it."""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from app.disk import account_name, free_bytes, nearest_existing
from app.errors import DaemonError, Damaged, Failed, NotFound, Refused, UnknownDatabase
from app.storage.access import FOLDER, WRITE, find_denial, read_only_mount
from app.storage.sqlite.errors import explained

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DENIED = frozenset({errno.EACCES, errno.EPERM})
_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EEXIST})


@contextlib.contextmanager
def named(place: Path, outcome: str) -> Iterator[None]:
    """Turn OSError and sqlite3.Error within into a DaemonError about ``place``; others pass.

    ``outcome`` says what state things are in then: "no backup was made".
    """
    try:
        yield
    except OSError as error:
        raise from_system(error, place, outcome) from error
    except sqlite3.Error as error:
        raise from_sqlite(error, place, outcome) from error


def from_system(error: OSError, place: Path, outcome: str) -> DaemonError:
    """Return the sentence for an error of the operating system."""
    where = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else place
    if error.errno in _FULL:
        return no_space(place, outcome)
    if error.errno in _DENIED:
        return no_permission(where, outcome)
    if error.errno == errno.EROFS:
        return _read_only(where, outcome)
    if error.errno in _ABSENT:
        return Refused(
            f"{where} is missing or is not a folder: {outcome}.", hint=f"mkdir -p {_quoted(place)}"
        )
    return Failed(f"{error.strerror or error} at {where}: {outcome}.", hint=f"ls -la {_quoted(place)}")


def from_sqlite(error: sqlite3.Error, place: Path, outcome: str) -> DaemonError:
    """Return the sentence for an error of SQLite at the database file ``place``."""
    said = explained(error, place)
    return type(said)(f"{said.message.rstrip('.')}: {outcome}.", hint=said.hint, **said.details)


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the error says that the file is damaged or is no database."""
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def no_space(folder: Path, outcome: str, needed_bytes: int | None = None) -> Refused:
    """Return the sentence for a disk that is full, or too small for ``needed_bytes``."""
    if needed_bytes is None:
        what = f"There is no room in {folder}: the disk took no more"
    else:
        free = free_bytes(folder)
        what = f"There is too little room in {folder}: {needed_bytes:,} bytes are needed, {free:,} are free"
    return Refused(f"{what}; {outcome}.", hint=f"df -h {_quoted(folder)}")


def refuse_if_short(folder: Path, needed_bytes: int, outcome: str) -> None:
    """Raise Refused where the disk of ``folder`` has less room than that."""
    if free_bytes(folder) < needed_bytes:
        raise no_space(folder, outcome, needed_bytes)


def no_permission(place: Path, outcome: str) -> Refused:
    """Return the sentence for a file or folder that this account may not use."""
    cause = nearest_existing(place)
    denial = find_denial(cause, FOLDER if cause.is_dir() else WRITE)
    if denial is not None:
        return Refused(f"{denial.message.rstrip('.')}: {outcome}.", hint=denial.command)
    return Refused(
        f"The account {account_name()} may not use {place}: {outcome}.",
        hint=f"ls -la {_quoted(cause.parent)}",
    )


def damaged_manifest(path: Path, error: Exception) -> Damaged:
    """Return the sentence for a manifest that is not as it was written."""
    return Damaged(
        f"{path}: {error}; nothing was changed.",
        hint=f"mv {_quoted(path)} {_quoted(path)}.odd   # then the file counts as one without manifest",
    )


def no_backup_folder(folder: Path) -> NotFound:
    """Return the sentence for a backup folder that does not exist."""
    return NotFound(
        f"There is no backup folder {folder}; nothing was changed.",
        hint="daemon backup create   # or set BACKUP_DIR to the folder that holds the backups",
    )


def no_database(path: Path, outcome: str) -> UnknownDatabase:
    """Return the sentence for a database that is not there or has nothing in it."""
    return UnknownDatabase(
        f"There is no database at {path}: {outcome}.",
        hint="daemon init   # or set DATABASE_URL to where the database is",
    )


def _read_only(place: Path, outcome: str) -> Refused:
    cause = nearest_existing(place)
    point, command = read_only_mount(cause) or (cause, f"ls -la {_quoted(cause)}")
    return Refused(
        f"{place} is on a file system that can only be read (mounted at {point}): {outcome}.", hint=command
    )


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
