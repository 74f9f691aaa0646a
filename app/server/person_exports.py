"""Exports of everything about a person (operation, file, expiry). Who makes them, where are they, how long?

One runs as an operation of its person: one at a time, and few of all people; the others wait. Where the
database is closed meanwhile, for an operator, it has failed, and is begun again by who wants it. Its file is
in a folder of its own, readable by the server alone, named by the operation, and goes with its row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from app import clock, erasures, files, log
from app.accounts import audit, export_files, operations
from app.accounts.audit import Actor
from app.accounts.operations import Operation, Result
from app.accounts.users import User
from app.erasures import OfToday
from app.errors import Failed

if TYPE_CHECKING:
    from app.server.operations import Progress
    from app.server.state import ServerState
    from app.settings import Settings

NAME = "export"
KEPT_FOR = timedelta(hours=24)
TURN_SECONDS = 0.5
_ERASED = "Something was erased while the export was made, and might have been in it."
_NOT_WRITTEN = "The server could not write the file: there may be no room for it."

_log = log.get_logger(__name__)


def begin(server: ServerState, user: User, actor: Actor) -> Operation:
    """Begin the export of a person and return at once; raises Conflict where one runs already, Busy.

    Writes operations and audit_logs.
    """

    def work(progress: Progress) -> Result:
        while not server.export_turn.acquire(timeout=TURN_SECONDS):
            progress.note()  # it waits, and ends with the server
        try:
            return _made(server, user, progress)
        finally:
            server.export_turn.release()

    begun = server.exports.start(user.id, NAME, work)
    with server.supervisor.writing() as connection:
        audit.record(connection, audit.EXPORT, "users", user.id, now=clock.now(), **vars(actor))
    return begun


def find_file(settings: Settings, operation: Operation) -> Path | None:
    """Return the file that an operation has left, if it is there."""
    path = settings.exports_path / f"{operation.id}.zip"
    is_there = operation.name == NAME and operation.state == operations.DONE and path.is_file()
    return path if is_there else None


def clear(server: ServerState) -> int:
    """Delete files that are to go (`accounts.export_files`); return how many."""
    with server.supervisor.reading() as connection:
        return export_files.clear(server.settings.exports_path, connection)


def _made(server: ServerState, user: User, progress: Progress) -> Result:
    from app.entries.person_archive import archive_of_person  # with all formats: where the first is made

    folder = server.settings.exports_path
    path = folder / f"{progress.operation_id}.zip"
    try:
        files.private_folder(folder)
        before = _erased_last(server, user)
        pieces = archive_of_person(server.supervisor.reading, user, progress.note)
        size_bytes, sha256 = _written(path, pieces)
        if _erased_last(server, user) != before:
            path.unlink()
            raise Failed(_ERASED, hint="Ask for the export again.")
    except OSError as error:  # its person is told no path of the machine
        _log.error("An export could not be written.", extra={"why": str(error)})
        raise Failed(_NOT_WRITTEN, hint="Once an admin has seen to it, ask for the export again.") from error
    return Result("everything.zip", size_bytes, sha256, clock.now() + KEPT_FOR)


def _erased_last(server: ServerState, user: User) -> str | None:
    with server.supervisor.reading() as connection:
        return erasures.newest_of(OfToday(connection), user.id)


def _written(path: Path, pieces: Iterator[bytes]) -> tuple[int, str]:
    """Write an archive to a file, whole or not at all; return its bytes and SHA-256. Raises OSError."""
    digest, size_bytes = hashlib.sha256(), 0

    def counted() -> Iterator[bytes]:
        nonlocal size_bytes
        for piece in pieces:
            digest.update(piece)
            size_bytes += len(piece)
            yield piece

    files.write_pieces(path, counted())
    return size_bytes, digest.hexdigest()
