"""Restore and rollback while serving. How is the database put back while this server lets go of it?

A process of its own does it, as the command of an operator would: the server steps aside for it, answers 503
meanwhile, and goes on by itself afterwards. It is not ended with the server. The database cannot hold how far
this is, since another state takes its place: two lines of the journal do, by the number of the operation.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import app
from app import clock, journal, log
from app.accounts.operations import DONE, FAILED, RUNNING, Operation, draw_id
from app.errors import Busy, Conflict, DaemonError, NotFound
from app.server.list_worker import read_frame, write_frame
from app.storage.registry import storage_for

if TYPE_CHECKING:
    from app.journal import JournalLine
    from app.settings import Settings

What = Literal["restore", "rollback"]
LOOKED_AT_LINES = 500
LONGEST = timedelta(hours=6)
_COMMAND = (sys.executable, "-c", "from app.server.going_back import main; main()")
_NO_END = "No one wrote down how it ended. On the machine: daemon status"
_log = log.get_logger(__name__)


@dataclass(frozen=True)
class Job:
    """What the other process is to do: ``backup`` is put back, or, without one, the last upgrade undone."""

    settings: Settings
    operation_id: int
    backup: str | None

    @property
    def what(self) -> What:
        return "rollback" if self.backup is None else "restore"


class GoingBack:
    """Begins restores and rollbacks of one server, one at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def restore(self, backup: str, asked_by: str) -> Operation:
        """Begin to put ``backup`` back; returns at once, or raises why it cannot be: nothing was begun then.

        Raises what `find_backup` raises, Conflict for what this Daemon could not serve or for another
        installation's, and Busy where one runs already.
        """
        from app.backup.catalog import find_backup, read_known_manifest
        from app.upgrade.detect.identity import known_of
        from app.upgrade.operations.servable import find_unservable

        source = find_backup(self._settings, backup)
        hint = "On the machine: daemon backup restore NAME --help"
        if (unservable := find_unservable(self._settings, source)) is not None:
            raise Conflict(f"{unservable.sentence}. Nothing was changed.", hint=hint)
        identity = known_of(self._settings, serving=True)[0]
        if identity.owner_of(source, read_known_manifest(source)) == "another":
            raise Conflict(f"{backup} is a backup of another installation. Nothing was changed.", hint=hint)
        return self._begin(Job(self._settings, draw_id(), source.name), asked_by)

    def roll_back(self, asked_by: str) -> Operation:
        """Begin to undo the last upgrade; raises NotFound where there is none, and Busy."""
        from app.upgrade.records.history import last_upgrade, rows_of_history

        with storage_for(self._settings.database_url).peek() as connection:
            if last_upgrade(rows_of_history(connection)) is None:
                raise NotFound(
                    "There is no upgrade to take back. Nothing was changed.", hint="GET /api/v1/admin/backups"
                )
        return self._begin(Job(self._settings, draw_id(), None), asked_by)

    def _begin(self, job: Job, asked_by: str) -> Operation:
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                raise Busy("A restore or a rollback is running already.", hint="Try again in a moment.")
            asked = f"{job.what} was asked for over HTTP by {asked_by}"
            said = {"what": job.what, "asked_by": asked_by, "source": job.backup}
            journal.write_line(
                job.settings, "command", message=asked, operation=job.operation_id, state=RUNNING, **said
            )
            self._process = subprocess.Popen(
                _COMMAND, stdin=subprocess.PIPE, env=_environment(), start_new_session=True
            )
        threading.Thread(target=self._watch, args=(self._process, job), name=job.what, daemon=True).start()
        return Operation(job.operation_id, 0, job.what, RUNNING, created_at=clock.stored(clock.now()))

    def _watch(self, process: subprocess.Popen[bytes], job: Job) -> None:
        """Hand over the job, and see to it that its end is written down."""
        assert process.stdin is not None
        try:
            write_frame(process.stdin, job)
            process.stdin.close()
        except OSError as error:
            _log.warning("A process that was to work on the database is gone.", extra={"why": str(error)})
        if process.wait():
            _note_end(
                job, FAILED, f"It ended with status {process.returncode}. On the machine: daemon status"
            )


def find_operation(settings: Settings, operation_id: int) -> Operation | None:
    """Return a restore or a rollback that was asked for over HTTP, or None."""
    lines, _ = journal.read_back(settings, LOOKED_AT_LINES)
    mine = [line for line in lines if line.details.get("operation") == operation_id]  # the newest first
    return _operation(operation_id, mine[-1], mine[0]) if mine else None


def _operation(operation_id: int, begun: JournalLine, ended: JournalLine) -> Operation:
    state, fault = str(ended.details.get("state")), ended.details.get("fault")
    name = str(begun.details.get("what"))
    began = clock.parse_stored(begun.at)
    if state == RUNNING:
        if began is None or clock.now() - began > LONGEST:
            return Operation(operation_id, 0, name, FAILED, created_at=begun.at, fault=_NO_END)
        return Operation(operation_id, 0, name, RUNNING, created_at=begun.at)
    return Operation(
        operation_id,
        0,
        name,
        state,
        created_at=begun.at,
        finished_at=ended.at,
        fault=None if fault is None else str(fault),
    )


def _note_end(job: Job, state: str, fault: str | None, **said: object) -> None:
    message = f"{job.what} that was asked for over HTTP: {state}"
    details: dict[str, Any] = {"operation": job.operation_id, "state": state, "fault": fault, **said}
    journal.try_to_write(job.settings, "command", message=message, **details)


def _environment() -> dict[str, str]:
    """This process's environment, in which the other one finds the same program."""
    places = [str(Path(app.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))}


# -- the other process


def main() -> None:
    """Do the job that comes on standard input."""
    job = read_frame(sys.stdin.buffer)
    assert isinstance(job, Job)
    job = replace(job, settings=replace(job.settings))  # made anew: this process learns its database, too
    log.configure(job.settings, console=True)
    fault = _done(job)
    _note_end(job, DONE if fault is None else FAILED, fault)


def _done(job: Job) -> str | None:
    """Do it; return why it failed, in words for an admin, or None."""
    from app.upgrade.operations.restore import restore_and_hold
    from app.upgrade.operations.rollback import run_rollback

    if job.backup is None:
        outcome = run_rollback(job.settings)
        return None if outcome.exit_code == 0 else f"{outcome.message} {outcome.hint}".strip()
    try:
        restore_and_hold(job.settings, job.backup)
    except DaemonError as error:
        _log.warning("A restore failed.", extra={"why": error.message, "hint": error.hint})
        return f"{error.message} {error.hint}".strip()
    return None
