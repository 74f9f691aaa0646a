"""How does one go back? To the state before the last upgrade, from the backup which that upgrade made.

The present state goes into a backup of its own first, and what was written since the upgrade is counted.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from app import interrupt, journal, log
from app.backup.catalog import find_backup
from app.backup.restore.restore import Restored, restore_backup
from app.errors import DaemonError, NotFound
from app.progress import OnEvent, say_nothing
from app.storage.registry import storage_at, storage_for
from app.storage.types import StorageError
from app.upgrade.checks.row_changes import Written, written_since
from app.upgrade.detect.recognise import describe
from app.upgrade.model import Outcome
from app.upgrade.operations.restore import held_when
from app.upgrade.records.history import HistoryLine, last_upgrade, rows_of_history
from app.upgrade.report import outcomes
from app.upgrade.report.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings

SHARES = {"look": 5.0, "restore": 85.0, "count": 10.0}
WAIT_SECONDS = 60.0

_logger = log.get_logger(__name__)


def run_rollback(
    settings: Settings, *, on_event: OnEvent = say_nothing, wait_seconds: float = WAIT_SECONDS
) -> Outcome:
    """Take the database back to before its last upgrade, or leave it as it is, and say which.

    The outcome names the backup of the present state, and its ``details["written_since"]`` counts, by table,
    the rows that were added, changed and removed since. The server does not upgrade by itself afterwards,
    until `upgrade run`. Whatever goes wrong is told in the outcome.
    """
    began = time.monotonic()
    progress = Progress(on_event, SHARES)
    try:
        with interrupt.interruptible():
            outcome = _rolled_back(settings, progress, wait_seconds)
    except interrupt.Interrupted:
        outcome = outcomes.interrupted(None)
    except DaemonError as error:
        outcome = outcomes.of_restore(error)
    except (OSError, StorageError) as error:
        _logger.exception("the rollback failed")
        outcome = outcomes.failed(error, settings.database_path, None)
    return replace(outcome, seconds=round(time.monotonic() - began, 3))


def _rolled_back(settings: Settings, progress: Progress, wait_seconds: float) -> Outcome:
    progress.phase("look", "Looking for the last upgrade and its backup")
    line = _upgrade_to_undo(settings)
    assert line.backup is not None

    source = find_backup(settings, line.backup)
    progress.phase("restore", f"Keeping the present state, and putting {source.name} back")
    with held_when(True, settings, f"the upgrade to {line.version} was rolled back"):
        done = restore_backup(
            settings, source.name, describe=describe, on_event=progress.pass_on, wait_seconds=wait_seconds
        )
    progress.phase("count", "Counting what was written since the upgrade")
    written = _written_since(settings, source, done)
    outcome = _done(line, done, written)
    journal.try_to_write(
        settings,
        "rolled_back",
        from_version=line.version,
        to_version=done.now.version,
        backup=done.safety,
        message=outcome.message,
        restored_from=source.name,
        written_since=outcome.details["written_since"],
    )
    _logger.info("%s", outcome.message, extra={"database": str(settings.database_path)})
    return outcome


def _upgrade_to_undo(settings: Settings) -> HistoryLine:
    storage = storage_for(settings.database_url)
    if storage.file_kind() != "database":
        raise NotFound(
            f"There is no database at {settings.database_path} to take back.", hint="daemon backup list"
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
            return written_since(before, now, _highest_ids(settings, source.name))
    except (OSError, StorageError, DaemonError) as error:
        _logger.warning("what was written since the upgrade could not be counted: %s", error)
        return {}


def _highest_ids(settings: Settings, backup: str) -> dict[str, int]:
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
