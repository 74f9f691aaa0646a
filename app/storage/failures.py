"""Failures explained. What does an error of the system or the database mean, and what mends it?

One sentence that says in which state things are, and one command. Looks at the place, and writes nothing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from app import database_urls
from app.disk import account_name, free_bytes, nearest_existing
from app.errors import Busy, DaemonError, Failed, Refused
from app.storage.access import ENTER, FOLDER, READ, WRITE, find_denial
from app.storage.engine import StorageEngine
from app.storage.misplaced import find_lost_link
from app.storage.mounts import read_only_mount
from app.storage.registry import storage_at, storage_for
from app.storage.types import StorageError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DENIED = frozenset({errno.EACCES, errno.EPERM})
_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EEXIST})


@contextlib.contextmanager
def named(place: Path, outcome: str) -> Iterator[None]:
    """Turn OSError and StorageError within into a DaemonError about ``place``; others pass.

    ``outcome`` says what state things are in then: "no backup was made".
    """
    try:
        yield
    except OSError as error:
        raise from_system(error, place, outcome) from error
    except StorageError as error:
        raise from_database(error, place, outcome) from error


def explained(error: BaseException, database: Path, outcome: str) -> DaemonError | None:
    """Return the error that says what ``error`` of a file, the disk or a lock means; None for any other.

    ``outcome`` is said of errors of the system only: the sentences about a database name its state.
    """
    if isinstance(error, DaemonError):
        return error
    if isinstance(error, OSError):
        return from_system(error, database, outcome)
    storage = _engine_of(error, database)
    return storage.explained(error) if storage.is_of_the_place(error) else None


def is_damage(error: BaseException) -> bool:
    """Whether an error says that the file is damaged or is no database."""
    return isinstance(error, StorageError) and error.is_damage


def is_lost(error: Exception, storage: StorageEngine) -> bool:
    """Whether an error says that a database is lost or damaged, and not that it cannot be asked for now.

    On a server it must be reached to be restored, so where it is not, nothing is known of it.
    """
    on_server = storage.engine_name != "sqlite"
    if isinstance(error, StorageError):
        is_for_now = error.reason in ("busy", "full", "interrupted")
        return not is_for_now and not (on_server and error.reason in ("not_opened", "disk"))
    return not (on_server or isinstance(error, Busy))


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
        return _absent(where, place, outcome)
    return Failed(f"{error.strerror or error} at {where}: {outcome}.", hint=f"ls -la {_quoted(place)}")


def _absent(where: Path, place: Path, outcome: str) -> Refused:
    if (lost := find_lost_link(where)) is not None:
        return Refused(f"{lost[0]} {outcome[0].upper()}{outcome[1:]}.", hint=lost[1])
    file = nearest_existing(where)
    if file.exists() and not file.is_dir():
        return Refused(f"{file} is not a folder: {outcome}.", hint=f"ls -la {_quoted(file)}")
    return Refused(f"{where} is missing or is not a folder: {outcome}.", hint=f"mkdir -p {_quoted(place)}")


def refused_by_the_system(error: OSError) -> Refused:
    """Return the sentence for an error that no room has named a place for."""
    if error.errno in _DENIED and isinstance(error.filename, str | bytes):
        return no_permission(Path(os.fsdecode(error.filename)), "nothing was changed")
    place = f" at {error.filename}" if error.filename else ""
    hint = ""
    if error.errno == errno.EROFS:
        hint = f"findmnt -T {shlex.quote(str(error.filename or '.'))}   # which is mounted read-only"
    elif error.errno in _DENIED:
        hint = "Run the command as the user who owns the data folder, or give that folder to this user."
    elif error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "Make room on that disk, and run the command again."
    return Refused(f"The system refused{place}: {error.strerror or error}.", hint=hint)


def from_database(error: BaseException, place: Path, outcome: str) -> DaemonError:
    """Return the sentence for what the database engine answered about the database file ``place``."""
    said = _engine_of(error, place).explained(error)
    if outcome in said.message.lower():
        return said
    return type(said)(f"{said.message.rstrip('.')}: {outcome}.", hint=said.hint, **said.details)


def _engine_of(error: BaseException, place: Path) -> StorageEngine:
    """The engine that raised it: that of the place, or the server's of this process, whatever the place."""
    url = database_urls.latest() if not isinstance(error, OSError) else None
    if url is not None:
        storage = storage_for(url)
        if storage.is_own(error):
            return storage
    return storage_at(place)


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
    denial = find_denial(cause, ENTER if _is_folder(cause) else READ)
    denial = denial or find_denial(cause, FOLDER if _is_folder(cause) else WRITE)
    if denial is not None:
        return Refused(f"{denial.message.rstrip('.')}: {outcome}.", hint=denial.command)
    return Refused(
        f"The account {account_name()} may not use {place}: {outcome}.",
        hint=f"ls -la {_quoted(cause.parent)}",
    )


def _is_folder(place: Path) -> bool:
    try:
        return place.is_dir()
    except PermissionError:  # what is above it is closed
        return False


def _read_only(place: Path, outcome: str) -> Refused:
    cause = nearest_existing(place)
    point, command = read_only_mount(cause) or (cause, f"ls -la {_quoted(cause)}")
    return Refused(
        f"{place} is on a file system that can only be read (mounted at {point}): {outcome}.", hint=command
    )


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
