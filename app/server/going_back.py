"""Restore, rollback and upgrade beside the server. How is the database replaced while it is served?

A process of its own does it, as the command of an operator would: the server steps aside for it, answers 503
meanwhile, and goes on by itself afterwards. It is not ended with the server. The database cannot hold how far
this is, since another state takes its place: two lines of the journal do, by the number of the operation.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import app
from app import clock, journal, log, uncaught
from app.accounts.operations import DONE, FAILED, RUNNING, Operation, draw_id
from app.errors import Busy, Conflict, DaemonError, NotFound
from app.progress import say_nothing
from app.server.list_worker import read_frame, write_frame
from app.storage.registry import is_wanted_at, storage_for
from app.upgrade.model import Outcome

if TYPE_CHECKING:
    from app.journal import JournalLine
    from app.settings import Settings

What = Literal["restore", "rollback", "upgrade"]
LOOKED_AT_LINES = 500
LONGEST = timedelta(hours=6)
LONGEST_REPORT_CHARACTERS = 20_000
_COMMAND = (sys.executable, "-c", "from app.server.going_back import main; main()")
_NAMES: dict[What, str] = {"restore": "A restore", "rollback": "A rollback", "upgrade": "An upgrade"}
_NO_END = "No one wrote down how it ended. On the machine: daemon status"
_log = log.get_logger(__name__)


@dataclass(frozen=True)
class Job:
    """What the other process is to do; ``backup`` is what is put back, of a restore."""

    settings: Settings
    operation_id: int
    what: What
    backup: str | None = None


@dataclass(frozen=True)
class Told:
    """What the journal tells of such a job, and how the command would end, where this process has heard it.

    That is in no file: it names people.
    """

    operation: Operation
    report: str


class GoingBack:
    """Begins restores, rollbacks and upgrades of one server, one at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._what: What = "restore"
        self._report = (0, "")

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
        return self._begin(Job(self._settings, draw_id(), "restore", source.name), asked_by)

    def roll_back(self, asked_by: str) -> Operation:
        """Begin to undo the last upgrade; raises NotFound where there is none, and Busy."""
        from app.upgrade.records.history import last_upgrade, rows_of_history

        with storage_for(self._settings.database_url).peek() as connection:
            if last_upgrade(rows_of_history(connection)) is None:
                raise NotFound(
                    "There is no upgrade to take back. Nothing was changed.", hint="GET /api/v1/admin/backups"
                )
        return self._begin(Job(self._settings, draw_id(), "rollback"), asked_by)

    def upgrade(self, asked_by: str) -> Operation:
        """Begin to upgrade, as `daemon upgrade run` does; raises Busy."""
        return self._begin(Job(self._settings, draw_id(), "upgrade"), asked_by)

    @property
    def is_at_work(self) -> bool:
        """Whether a process that was begun here, or another one, works on the database now."""
        is_ours = self._process is not None and self._process.poll() is None
        return is_ours or is_wanted_at(self._settings.database_path)

    def find_newest(self) -> Told | None:
        """Return the last of these jobs that the journal tells of; one that no one works on now failed."""
        lines, _ = journal.read_back(self._settings, LOOKED_AT_LINES)
        of_jobs = [line for line in lines if isinstance(line.details.get("operation"), int)]
        if not of_jobs:
            return None
        number = of_jobs[0].details["operation"]
        mine = [line for line in of_jobs if line.details["operation"] == number]
        assert isinstance(number, int)
        found = _operation(number, mine[-1], mine[0])
        if found.state == RUNNING and not self.is_at_work:
            found = replace(found, state=FAILED, fault=_NO_END)
        is_ours = self._report[0] == number
        return Told(found, self._report[1] if is_ours else "")

    def _begin(self, job: Job, asked_by: str) -> Operation:
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                raise Busy(f"{_NAMES[self._what]} is running already.", hint="Try again in a moment.")
            asked = f"{job.what} was asked for over HTTP by {asked_by}"
            said = {"what": job.what, "asked_by": asked_by, "source": job.backup}
            journal.write_line(
                job.settings, "command", message=asked, operation=job.operation_id, state=RUNNING, **said
            )
            self._what = job.what
            self._process = subprocess.Popen(
                _COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=_environment(),
                start_new_session=True,
            )
        threading.Thread(target=self._watch, args=(self._process, job), name=job.what, daemon=True).start()
        return Operation(job.operation_id, 0, job.what, RUNNING, created_at=clock.stored(clock.now()))

    def _watch(self, process: subprocess.Popen[bytes], job: Job) -> None:
        """Hand over the job, hear how it ended, and see to it that its end is written down."""
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            write_frame(process.stdin, job)
            process.stdin.close()
            with process.stdout as answers:
                self._report = job.operation_id, str(read_frame(answers) or "")
        except OSError as error:
            _log.warning("A process that was to work on the database is gone.", extra={"why": str(error)})
        if process.wait():
            _note_end(
                job, FAILED, f"It ended with status {process.returncode}. On the machine: daemon status"
            )


def find_operation(settings: Settings, operation_id: int) -> Operation | None:
    """Return a restore, a rollback or an upgrade that was asked for over HTTP, or None."""
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


def _note_end(job: Job, state: str, fault: str | None) -> None:
    message = f"{job.what} that was asked for over HTTP: {state}"
    details: dict[str, Any] = {"operation": job.operation_id, "state": state, "fault": fault}
    journal.try_to_write(job.settings, "command", message=message, **details)


def _environment() -> dict[str, str]:
    """This process's environment, in which the other one finds the same program."""
    places = [str(Path(app.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))}


# -- the other process


def main() -> None:
    """Do the job that comes on standard input."""
    uncaught.keep_traces_from_people()
    job = read_frame(sys.stdin.buffer)
    assert isinstance(job, Job)
    from app.upgrade.report.render import outcome_text

    job = replace(job, settings=replace(job.settings))  # made anew: this process learns its database, too
    log.configure(job.settings, console=True)
    outcome = _done(job)
    state = DONE if outcome.exit_code == 0 else FAILED
    fault = None if state == DONE else f"{outcome.message} {outcome.hint}".strip()
    with contextlib.suppress(OSError):  # the server that asked may be gone
        report = outcome_text(outcome, everything=True)[:LONGEST_REPORT_CHARACTERS]
        write_frame(sys.stdout.buffer, report)
    _note_end(job, state, fault)


def _done(job: Job) -> Outcome:
    """Do it; return how it ended."""
    from app.upgrade.operations.restore import restore_and_hold
    from app.upgrade.operations.rollback import run_rollback
    from app.upgrade.operations.upgrade import run_upgrade
    from app.upgrade.records.running import SharedProgress
    from app.upgrade.report.outcomes import of_restore

    if job.what == "upgrade":
        return run_upgrade(job.settings)
    progress = SharedProgress(job.settings, say_nothing, is_shared=True)
    try:
        if job.what == "rollback":
            return run_rollback(job.settings, on_event=progress)
        assert job.backup is not None
        done = restore_and_hold(job.settings, job.backup, on_event=progress)
    except DaemonError as error:
        _log.warning("A restore failed.", extra={"why": error.message, "hint": error.hint})
        return of_restore(error)
    finally:
        progress.end()
    until_now = f" The state until now is the backup {done.safety}." if done.safety else ""
    return Outcome("done", 0, f"{done.name} was restored; everyone signs in again.{until_now}")
