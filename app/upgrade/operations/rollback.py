"""Rollback. How does one go back to the state before the last upgrade, and keep what was written since?

From the backup which that upgrade made. The present state goes into a backup of its own first: it is the
truth. Then what was written since is put into the copy of the other (`carry_back`), what cannot go there into
a file beside the database (`kept_writes`), and one transaction puts the copy in place.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app import clock, interrupt, journal, log
from app.backup.catalog import find_backup
from app.backup.restore.job import UNCHANGED
from app.backup.restore.restore import Restored, restore_backup
from app.errors import DaemonError, Failed, NotFound, OperatorNeeded
from app.progress import OnEvent, say_nothing
from app.storage import failures
from app.storage.registry import storage_at, storage_for
from app.storage.types import StorageConnection, StorageError
from app.upgrade.checks.row_changes import Written, written_since
from app.upgrade.detect.identity import identity_of
from app.upgrade.detect.recognise import describe
from app.upgrade.model import Outcome
from app.upgrade.operations.carry_back import CarriedBack, carry_back
from app.upgrade.operations.kept_erasures import own_ledger, without_erased
from app.upgrade.operations.restore import held_when
from app.upgrade.records import kept_writes
from app.upgrade.records.history import HistoryLine, last_upgrade, rows_of_history
from app.upgrade.records.kept_writes import Counted, KeptRow, KeptWrites, by_table
from app.upgrade.records.moved import refuse_moved
from app.upgrade.records.waiting_writes import brought_back, counters_of, find_waiting, first_account
from app.upgrade.report import outcomes
from app.upgrade.report.progress import Progress

if TYPE_CHECKING:
    from app.settings import Settings

SHARES = {"look": 5.0, "restore": 85.0, "count": 10.0}
WAIT_SECONDS = 60.0

_logger = log.get_logger(__name__)


def run_rollback(
    settings: Settings,
    *,
    discard: bool = False,
    on_event: OnEvent = say_nothing,
    wait_seconds: float = WAIT_SECONDS,
) -> Outcome:
    """Take the database back to before its last upgrade, or leave it as it is, and say which.

    What was written since goes back with it, or is kept for the next upgrade; with ``discard`` it is in the
    backup of the present state only. The outcome names that backup, and its ``details`` count, by table, the
    rows that were added, changed and removed since (``written_since``), and of those the ones that were
    carried back and kept. The server does not upgrade by itself afterwards, until `upgrade run`. Whatever
    goes wrong is told in the outcome.
    """
    began = time.monotonic()
    progress = Progress(on_event, SHARES)
    try:
        with interrupt.interruptible():
            outcome = _rolled_back(settings, progress, wait_seconds, discard=discard)
    except interrupt.Interrupted:
        outcome = outcomes.interrupted(None)
    except DaemonError as error:
        outcome = outcomes.of_restore(error)
    except (OSError, StorageError) as error:
        known = failures.explained(error, settings.database_path, UNCHANGED)
        if known is not None and not isinstance(known, Failed):
            outcome = outcomes.of_restore(known)
        else:
            _logger.exception("the rollback failed")
            outcome = outcomes.failed(error, settings.database_path, None)
    return replace(outcome, seconds=round(time.monotonic() - began, 3))


def _rolled_back(settings: Settings, progress: Progress, wait_seconds: float, *, discard: bool) -> Outcome:
    progress.phase("look", "Looking for the last upgrade and its backup")
    refuse_moved(settings)
    line = upgrade_to_undo(settings)
    assert line.backup is not None

    source = find_backup(settings, line.backup)
    progress.phase("restore", f"Keeping the present state, and putting {source.name} back")
    writes = None if discard else _Writes(settings, line, source)
    with (
        storage_for(settings.database_url).opening_once(),
        held_when(True, settings, f"the upgrade to {line.version} was rolled back"),
        _taken_away_unless_done(writes),
    ):
        done = restore_backup(
            settings,
            source.name,
            describe=describe,
            on_event=progress.pass_on,
            wait_seconds=wait_seconds,
            amend=writes,
            identity=identity_of(settings),
            refuse=partial(refuse_moved, settings),
        )
    if discard:
        kept_writes.remove_those_of(settings, _undone_of(line))
    progress.phase("count", "Counting what was written since the upgrade")
    if writes is None or writes.result is None:
        outcome = _done(line, done, _written_since(settings, source, done))
    else:
        outcome = _done_with(line, done, writes)
    journal.try_to_write(
        settings,
        "rolled_back",
        from_version=line.version,
        to_version=done.now.version,
        backup=done.safety,
        message=outcome.message,
        **outcome.details,
    )
    _logger.info("%s", outcome.message, extra={"database": settings.database_name})
    return outcome


@dataclass
class _Writes:
    """What was written since, on its way back: called with the copy of the backup and the state until now."""

    settings: Settings
    line: HistoryLine
    source: Path
    result: CarriedBack | None = None
    path: Path | None = None

    def __call__(self, copy: Path, safety: Path) -> None:
        try:
            self._carry(copy, safety)
        except (OSError, StorageError, DaemonError) as error:
            _logger.exception("what was written since the upgrade cannot be carried back")
            raise cannot_be_carried(error) from error

    def _carry(self, copy: Path, safety: Path) -> None:
        assert self.line.version is not None
        self.result = carry_back(copy, safety, copy.with_name(f"then{copy.suffix}"), self.line.version)
        # What an earlier try at this rollback left says less than the present state does.
        kept_writes.remove_those_of(self.settings, _undone_of(self.line))
        with storage_at(copy).alone() as before, storage_at(safety).alone() as now:
            includes = brought_back(now)
            if not self.result.kept and self.result.installation is None and not includes:
                return
            kept = KeptWrites(
                id=kept_writes.new_id(),
                written_at=clock.rfc3339(clock.now().replace(microsecond=0)),
                undone=_undone_of(self.line),
                first_account=first_account(before),
                restored_from=self.source.name,
                safety=safety.name,
                includes=includes,
                counters=counters_of(now),
                rows=(*self.result.kept, *self._still_waiting(now, includes)),
                installation=self.result.installation,
            )
            kept = without_erased(kept, own_ledger(now))
        self.path = kept_writes.write(self.settings, kept)

    def _still_waiting(self, now: StorageConnection, includes: tuple[str, ...]) -> Iterator[KeptRow]:
        """What did not fit of files that the new one supersedes: it waits on, in the new one."""
        for file in find_waiting(self.settings.database_path, now).files:
            if file.kept.id in includes:
                yield from (file.kept.rows[number] for number in file.waiting())


def cannot_be_carried(error: Exception) -> Failed:
    """Return what is said where what was written since cannot go back, because of ``error``."""
    return Failed(
        f"What was written since the upgrade cannot be carried back ({error}); nothing was changed.",
        hint="To go back without it (it is in a backup then): daemon upgrade rollback --discard",
    )


def _undone_of(line: HistoryLine) -> dict[str, str | None]:
    duration = None if line.duration_ms is None else str(line.duration_ms)
    return {"version": line.version, "at": line.at, "backup": line.backup, "duration_ms": duration}


@contextmanager
def _taken_away_unless_done(writes: _Writes | None) -> Iterator[None]:
    """Take the file with what is kept away again, where the database was not changed after all."""
    try:
        yield
    except OperatorNeeded:
        raise  # no one knows which state is there: the file counts for the one that it belongs to
    except BaseException:
        if writes is not None and writes.path is not None:
            writes.path.unlink(missing_ok=True)
        raise


def upgrade_to_undo(settings: Settings) -> HistoryLine:
    """Return the last upgrade, which has a backup; raises NotFound where there is none."""
    storage = storage_for(settings.database_url)
    if storage.file_kind() != "database":
        raise NotFound(
            f"There is no database at {settings.database_name} to take back.", hint="daemon backup list"
        )
    with storage.looking() as connection:
        line = last_upgrade(rows_of_history(connection))
    if line is None:
        raise NotFound(
            "There is no upgrade to take back: the database has no history of one. Nothing was changed.",
            hint="daemon backup list shows what can be put back with: daemon backup restore NAME",
        )
    return line


def _written_since(settings: Settings, source: Path, done: Restored) -> dict[str, Written]:
    """Compare the backup that was put back with the one of the state before."""
    if done.safety is None:
        return {}
    safety = storage_at(settings.backup_dir / done.safety)
    try:
        with storage_at(source).looking() as before, safety.looking() as now:
            return written_since(before, now, highest_ids_of(settings, source.name))
    except (OSError, StorageError, DaemonError) as error:
        _logger.warning("what was written since the upgrade could not be counted: %s", error)
        return {}


def highest_ids_of(settings: Settings, backup: str) -> dict[str, int]:
    """Return the highest ids at the end of the upgrade that made ``backup``, from its line in the journal."""
    for line in reversed(journal.read_journal(settings)):
        highest = line.details.get("highest_ids")
        if line.event == "committed" and line.backup == backup and isinstance(highest, dict):
            return {str(table): value for table, value in highest.items() if isinstance(value, int)}
    return {}


def _done(line: HistoryLine, done: Restored, written: dict[str, Written]) -> Outcome:
    listed = ", ".join(f"{one.count} rows of {table}" for table, one in written.items()) or "nothing"
    kept = f" The state until now, with what was written since ({listed}), is the backup {done.safety}."
    message = (
        f"Rolled back: the database is at {done.now.version} again, as before the upgrade of {line.at}."
        f"{kept if done.safety else ''} The server does not upgrade by itself until you say so."
    )
    counts = {
        table: {"added": one.added, "changed": one.changed, "removed": one.removed}
        for table, one in written.items()
    }
    return Outcome(
        "done",
        0,
        message,
        "To upgrade again: daemon upgrade run",
        backup=done.safety,
        details={"written_since": counts, "restored_from": done.name, "version": done.now.version},
    )


def _done_with(line: HistoryLine, done: Restored, writes: _Writes) -> Outcome:
    """The outcome where what was written since was carried back or kept."""
    result = writes.result
    assert result is not None
    carried, kept = result.carried.total(), result.whole.total()
    sentences = [
        f"Rolled back: the database is at {done.now.version} again, as before the upgrade of {line.at}.",
    ]
    if carried:
        sentences.append(
            f"Of what was written since, {in_rows(carried)} went back with it ({_listed(result.carried)})."
        )
    kept_file = writes.path if result.kept else None  # else it holds only the id of the installation
    if kept:
        sentences.append(
            f"Kept in {kept_file}, because the older version cannot hold or protect it:"
            f" {in_rows(kept)} ({_listed(result.whole)}); nothing of it is lost, and it comes back by itself"
            " with the next upgrade."
        )
    if result.parts:
        sentences.append(
            f"Also kept in {kept_file}, until the next upgrade: values of {in_rows(result.parts)} that went"
            " back, which the older version cannot hold or read."
        )
    if not carried + kept:
        sentences.append("Nothing was written since.")
    if result.unreadable:
        sentences.append(of_passwords(result))
    if done.safety:
        sentences.append(f"The state until now is the backup {done.safety}.")
    sentences.append("The server does not upgrade by itself until you say so.")
    return Outcome(
        "done",
        0,
        " ".join(sentences),
        "To upgrade again: daemon upgrade run",
        backup=done.safety,
        details={
            "written_since": by_table(result.carried + result.whole),
            "carried": by_table(result.carried),
            "kept": by_table(result.whole),
            "kept_file": str(kept_file) if kept_file else None,
            "cannot_log_in": [str(name) for name in result.unreadable],
            "restored_from": done.name,
            "version": done.now.version,
        },
    )


def of_passwords(result: CarriedBack) -> str:
    """Say whose passwords the older version cannot read."""
    names = ", ".join(map(str, result.unreadable))
    return (
        f"The older version cannot read the passwords that were set since by {names}: an account that was"
        " there before has its old one, a new one needs to be given one there."
    )


def in_rows(count: int) -> str:
    """Say how many rows."""
    return "1 row" if count == 1 else f"{count} rows"


def _listed(counted: Counted) -> str:
    return ", ".join(f"{sum(one.values())} of {table}" for table, one in by_table(counted).items())
