"""Repair of orphans: lock, verified backup, one transaction, verification, journal, as in an upgrade."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from app import interrupt, journal, log
from app.backup.create import create_backup
from app.errors import DaemonError, NewerDatabase, Refused
from app.progress import OnEvent, say_nothing
from app.storage import failures
from app.storage.registry import process_lock_at, storage_for
from app.storage.types import CommitUncertain, StorageError
from app.upgrade.checks import verify
from app.upgrade.detect.identity import identity_in
from app.upgrade.detect.recognise import describe
from app.upgrade.legacy.orphans import OrphanRepair, apply_repairs, moved_rows, plan_repairs
from app.upgrade.model import Outcome
from app.upgrade.plan import look, make_order, plan_from
from app.upgrade.report import outcomes
from app.upgrade.report.progress import Progress
from app.upgrade.versions.releases import NEWEST

if TYPE_CHECKING:
    from app.settings import Settings
    from app.storage.engine import StorageEngine
    from app.storage.types import MigrationConnection, StorageConnection, TableDigest

SHARES = {"look": 5.0, "lock": 0.0, "backup": 55.0, "repair": 10.0, "verify": 28.0, "commit": 2.0}
MAY_GROW = frozenset({"users", "endpoints", "kept_values"})
WAIT_SECONDS = 60.0

_logger = log.get_logger(__name__)
Digests = dict[str, tuple[tuple[str, ...], tuple[int, ...] | None, "TableDigest"]]


def find_repairs(settings: Settings) -> tuple[OrphanRepair, ...]:
    """Return what `run_orphan_repair` would do with each orphan. Looks only.

    Raises Refused where the database is not at the newest version, and what looking at it raises.
    """
    storage = storage_for(settings.database_url)
    _refuse_unless_newest(storage)
    with storage.looking() as connection:
        return plan_repairs(connection)


def run_orphan_repair(
    settings: Settings, *, on_event: OnEvent = say_nothing, wait_seconds: float = WAIT_SECONDS
) -> Outcome:
    """Repair every orphan that can be repaired, or leave the database as it was, and say which.

    The backup that the outcome names takes it back. ``details["repairs"]`` has every orphan. Whatever goes
    wrong is told in the outcome.
    """
    began = time.monotonic()
    progress = Progress(on_event, SHARES)
    try:
        with interrupt.interruptible():
            outcome = _repaired(settings, progress, wait_seconds)
    except interrupt.Interrupted:
        outcome = outcomes.interrupted(None)
    except CommitUncertain as error:
        what = f"The commit ended with an error ({error})"
        outcome = outcomes.operator_needed(what, settings.database_path, None)
    except (DaemonError, OSError, StorageError) as error:
        if not isinstance(error, DaemonError):
            _logger.exception("the repair failed")
        outcome = outcomes.before_the_commit(error, settings.database_path, None, began=False)
    return replace(outcome, seconds=round(time.monotonic() - began, 3))


def _repaired(settings: Settings, progress: Progress, wait_seconds: float) -> Outcome:
    storage = storage_for(settings.database_url)
    progress.phase("look", "Looking for rows that name a row which is not there")
    if not find_repairs(settings):
        return Outcome("nothing_to_do", 0, "Nothing to do: every foreign key leads to its row.")
    plan = plan_from(settings, look(storage), make_order())
    if plan.blockers:  # what stands in the way of an upgrade stands in the way of this
        return outcomes.refused(plan)
    progress.phase("lock", "Waiting until no one else uses the database")
    with (
        process_lock_at(settings.database_path).exclusive(wait_seconds),
        storage.migration_connection() as migration,
    ):
        repairs = plan_repairs(migration)
        progress.phase("backup", "Making a verified backup, under the lock")
        backup = create_backup(
            settings,
            "repair",
            storage=storage,
            describe=describe,
            identity=identity_in(settings, migration)[0],
            on_event=progress.pass_on,
            may_exist=True,
        )
        progress.phase("repair", "Repairing")
        with migration.placeholders():
            before = _measured(migration, repairs)
        set_aside = migration.drop_triggers()
        apply_repairs(migration, repairs)
        migration.create_again(set_aside)
        progress.phase("verify", "Verifying: rows, values, keys, integrity, schema")
        with migration.placeholders():
            verify.refuse_unless_sound(_faults(migration, before, repairs))
        verify.refuse_unless_sound(verify.soundness_faults(backup.soundness, migration.soundness()))
        progress.phase("commit", "Committing, and waiting for the disk")
        interrupt.last_moment()
        migration.commit_durably()
    return _done(settings, repairs, backup.name)


def _refuse_unless_newest(storage: StorageEngine) -> None:
    facts = look(storage)
    if facts.unasked is not None:
        raise facts.unasked
    known = facts.recognition
    if known.kind == "unreadable":
        raise failures.no_permission(storage.path, "nothing was changed")
    if known.kind == "newer":
        raise NewerDatabase(
            f"{storage.path} was written by a newer Daemon ({known.label}); nothing was changed.",
            hint="daemon upgrade check",
        )
    if known.kind != "daemon" or known.recorded != NEWEST:
        what = known.recorded or known.label
        raise Refused(
            f"Orphans are repaired at version {NEWEST}, and this database is at {what}; nothing was changed.",
            hint="daemon upgrade check",
        )


def _measured(connection: StorageConnection, repairs: tuple[OrphanRepair, ...]) -> Digests:
    """Return columns, row numbers and digest of what must be the same afterwards, of every table."""
    leaving = moved_rows(repairs)
    found: Digests = {}
    for table in connection.tables():
        columns, numbers = connection.columns(table), None
        if table.lower() in MAY_GROW or table in leaving:
            numbers = tuple(n for n in connection.row_numbers(table) or () if n not in leaving.get(table, ()))
        found[table] = (columns, numbers, connection.digest(table, columns, numbers))
    return found


def _faults(migration: MigrationConnection, before: Digests, repairs: tuple[OrphanRepair, ...]) -> list[str]:
    faults = [
        f"table {table} has rows that are lost or changed"
        for table, (columns, numbers, digest) in before.items()
        if migration.digest(table, columns, numbers) != digest
    ]
    leaving = moved_rows(repairs)
    faults += [
        f"table {table} has {migration.count(table)} rows, and should have {len(before[table][1] or ())}"
        for table in leaving
        if table.lower() not in MAY_GROW and migration.count(table) != len(before[table][1] or ())
    ]
    left = sum(1 for one in repairs if one.action == "cannot be repaired")
    faults += [one.sentence() for one in migration.orphans()] if migration.orphans_count() > left else []
    return [*faults, *verify.schema_faults(migration, NEWEST)]


def _done(settings: Settings, repairs: tuple[OrphanRepair, ...], backup: str) -> Outcome:
    done = [one for one in repairs if one.action != "cannot be repaired"]
    message = f"Done: {len(done)} orphans are repaired. The state before is in the backup {backup}."
    journal.try_to_write(
        settings, "repaired", from_version=NEWEST, to_version=NEWEST, backup=backup, message=message
    )
    return Outcome(
        "done",
        0,
        message,
        hint=f"To take it back: daemon backup restore {backup}",
        backup=backup,
        notes=tuple(one.sentence for one in repairs),
        details={"repairs": [asdict(one) for one in repairs]},
    )
