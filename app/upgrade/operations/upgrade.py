"""How is a database upgraded? The conductor: a few calls in order, one transaction, the truth about its end.

    recognise, plan, preflight -> fence -> lock -> recognise again -> verified backup -> measure
    -> steps -> verify -> COMMIT, synced -> look again from outside

Whatever fails before the COMMIT leaves the database as it was, by SQLite's own journal; what fails after it
is answered by putting the backup back, once. "done" is said only when it is on the disk.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from app import clock, files, interrupt, journal, log
from app.backup.catalog import ledger_of, list_backups
from app.backup.create import create_backup
from app.errors import DaemonError, Failed
from app.progress import OnEvent, say_nothing
from app.storage.registry import process_lock_at, storage_for
from app.storage.types import CommitUncertain, StorageError
from app.upgrade.checks import excess, host, preflight, verify
from app.upgrade.checks.allowed_changes import allowed_by
from app.upgrade.checks.row_changes import highest_ids
from app.upgrade.detect.recognise import describe, is_past
from app.upgrade.legacy import visibility_changes
from app.upgrade.model import Applied, Outcome, Plan
from app.upgrade.operations.after_commit import Finished, after_the_commit
from app.upgrade.operations.bring_back import BroughtBack, bring_back
from app.upgrade.operations.identify import clock_by_backups, identified, write_identity
from app.upgrade.operations.kept_erasures import forget_erased
from app.upgrade.operations.record_end import Begun, from_version, settle
from app.upgrade.plan import Depth, Order, facts_of, look, make_order, plan_from
from app.upgrade.records.running import SharedProgress
from app.upgrade.records.waiting_writes import Waiting, find_waiting
from app.upgrade.report import outcomes
from app.upgrade.report.notes import notes_of
from app.upgrade.report.progress import SHARES, Progress
from app.upgrade.steps.apply import apply, make_room
from app.upgrade.steps.steps import rebuilding

if TYPE_CHECKING:
    from app.backup.catalog import Backup
    from app.backup.ownership import Identity
    from app.settings import Settings
    from app.storage.engine import StorageEngine
    from app.storage.types import MigrationConnection

WAIT_SECONDS = 60.0

_logger = log.get_logger(__name__)


@dataclass
class Work:
    """What one run has got so far: the answer at its end is made of it, whatever the end is."""

    settings: Settings
    order: Order
    storage: StorageEngine
    progress: Progress
    started_at: str = field(default_factory=lambda: clock.stored(clock.now()))
    plan: Plan | None = None
    backup: Backup | None = None
    finished: Finished | None = None
    in_journal: bool = False  # whether the journal has a line that this run began
    is_committed: bool = False  # from then on nothing may say that the database is as before

    @property
    def backup_name(self) -> str | None:
        """The name of the backup that this run made, if it got so far."""
        return self.backup.name if self.backup else None

    def depth(self, usual: Depth) -> Depth:
        """How far to look: who asked for repairs also wants indexes mended, which only all pages show."""
        return "pages" if self.order.mends_drift else usual

    def begun(self) -> Begun | None:
        """What the line of the journal tells that this run began; None where it has none."""
        if self.plan is None or not self.in_journal:
            return None
        return Begun(self.plan, self.started_at, self.finished.highest_ids if self.finished else {})


def run_upgrade(
    settings: Settings,
    *,
    target: str | None = None,
    force: bool = False,
    repair: bool = False,
    on_event: OnEvent = say_nothing,
    wait_seconds: float = WAIT_SECONDS,
) -> Outcome:
    """Bring the database to ``target`` (a release; None is the newest) or leave it as it was, and say which.

    Waits up to ``wait_seconds`` for a server to yield or another upgrade to end. Everything that can go wrong
    is told in the outcome; only an unknown ``target`` raises (UsageError), before anything is looked at.
    """
    order = make_order(target, force=force, repair=repair)
    began = time.monotonic()
    shared = SharedProgress(settings, on_event)
    with interrupt.interruptible():
        work = Work(settings, order, storage_for(settings.database_url), Progress(shared, SHARES))
        outcome = replace(_ended(work, wait_seconds), seconds=round(time.monotonic() - began, 3))
        shared.end()
        return settle(settings, outcome, work.begun())


def _ended(work: Work, wait_seconds: float) -> Outcome:
    """Walk, and turn every way in which the walk can end before the commit into an outcome."""
    try:
        outcome = _walk(work, wait_seconds)
    except interrupt.Interrupted:
        outcome = outcomes.interrupted(work.backup_name)
    except Exception as error:  # whatever a step raised, the owner is told what is there now
        if interrupt.is_asked():  # the step was broken off by it
            return replace(outcomes.interrupted(work.backup_name), plan=work.plan)
        if not isinstance(error, DaemonError):
            _logger.exception("the upgrade failed")
        outcome = _of_error(work, error)
    return replace(outcome, plan=work.plan)


def _of_error(work: Work, error: Exception) -> Outcome:
    database = work.settings.database_path
    if work.is_committed:
        what = (
            f"The upgrade was committed, and what followed failed ({outcomes.in_words(error, database)[0]})"
        )
        return outcomes.operator_needed(what, database, work.backup_name)
    return outcomes.before_the_commit(error, database, work.backup_name, began=work.in_journal)


# -- the walk ------------------------------------------------------------------------------------------------


def _walk(work: Work, wait_seconds: float) -> Outcome:
    work.progress.phase("look", "Looking at the database")
    # Not every page is read here: the backup, made under the lock, is what proves the file sound.
    work.plan = plan_from(work.settings, look(work.storage, work.depth("kind")), work.order)
    if work.plan.blockers:
        return outcomes.refused(work.plan)
    if not work.plan.pending:  # no backup is going to prove it
        work.plan = plan_from(work.settings, look(work.storage, "pages"), work.order)
        if work.plan.blockers:
            return outcomes.refused(work.plan)
    if not work.plan.pending:
        return outcomes.nothing_to_do(work.plan, "Nothing to do")
    if not work.settings.data_dir.exists():  # of a database on a server, from another machine
        files.private_folder(work.settings.data_dir)
    work.progress.phase("lock", "Waiting until no one else uses the database")
    with process_lock_at(work.settings.database_path).exclusive(wait_seconds):
        return _inside_the_fence(work)


def _inside_the_fence(work: Work) -> Outcome:
    with work.storage.migration_connection() as migration:
        finished = _inside_the_transaction(work, migration)
        if isinstance(finished, Outcome):
            return finished
        work.finished = finished
        interrupt.last_moment()
        uncertain = _commit(migration)
        work.is_committed = uncertain is None
    if uncertain is not None:
        return _after_an_uncertain_commit(work, finished, uncertain)
    return after_the_commit(work.storage, work.progress, finished)


def _commit(migration: MigrationConnection) -> CommitUncertain | None:
    """Commit; return the error after which only the file can say whether it happened."""
    try:
        migration.commit_durably()
    except CommitUncertain as error:
        return error
    return None


def _inside_the_transaction(work: Work, migration: MigrationConnection) -> Outcome | Finished:
    """Do everything up to the COMMIT; return an outcome where there turns out to be nothing to commit."""
    facts = facts_of(work.storage, migration, work.depth("rows"))
    work.plan = plan = plan_from(work.settings, facts, work.order)
    if plan.blockers:
        return outcomes.refused(plan)
    if not plan.pending:
        return outcomes.nothing_to_do(plan, "Already done by another upgrade, which ran just before")
    waiting = find_waiting(work.settings.database_path, migration)
    identity = identified(work.settings, migration, waiting)
    waiting = _without_erased(work, migration, waiting, identity)
    clock_seen = clock_by_backups(work.settings, identity, clock.now())  # before there is one of just now
    migration.hold_tables()
    work.backup = backup = _backed_up(work, plan, identity)
    work.plan = plan = _with_indexes_made_anew(backup, migration, plan)
    _begin_in_journal(work, plan)
    before = _measured(work, migration, facts, plan)
    applied = _stepped(work, migration, plan, waiting)
    back = _verified(work, migration, before, plan, backup, waiting)
    write_identity(work.settings, migration, waiting, backup, clock_seen)
    may_be_old = plan.current.recorded is None and migration.engine_name == "sqlite"  # as none on a server is
    hidden_now = visibility_changes.hidden_now(migration) if may_be_old else ()
    notes = (*back.notes, *notes_of(plan, applied, facts, migration))
    finished = Finished(plan, backup, applied, hidden_now, notes, highest_ids(migration, plan.target), back)
    work.progress.phase("commit", "Committing, and waiting for the disk")
    return finished


def _without_erased(
    work: Work, migration: MigrationConnection, waiting: Waiting, identity: Identity
) -> Waiting:
    """Return what is to come back but for what was erased since, which leaves its file, too."""
    if not waiting.files:
        return waiting
    told = ledger_of(list_backups(work.settings, hashing=False, identity=identity))
    path = work.settings.database_path
    forget_erased(path, migration, told, identity.installation_id or "")
    return find_waiting(path, migration)


def _backed_up(work: Work, plan: Plan, identity: Identity) -> Backup:
    work.progress.phase("backup", "Making a verified backup, under the lock")
    made = create_backup(
        work.settings,
        "upgrade",
        storage=work.storage,
        describe=describe,
        identity=identity,
        on_event=work.progress.pass_on,
        may_exist=True,
    )
    # The backup has taken its room by now: is there still enough for the steps?
    host.refuse_if_short(work.settings, replace(plan.needs, backup_bytes=0))
    return made


def _with_indexes_made_anew(backup: Backup, migration: MigrationConnection, plan: Plan) -> Plan:
    """Make anew what the check of the backup found to be no index of its table; return the plan that says so.

    Before anything is measured: SQLite may answer from an index what is asked of its table.
    """
    names = backup.soundness.indexes
    try:
        migration.rebuild_indexes(names)
    except StorageError as error:
        if error.reason != "rows":
            raise
        raise Failed(
            f"An index cannot be made anew from its table ({error}): two rows are alike that may not be.",
            hint="daemon upgrade check",
        ) from error
    known = {step.id for step in plan.steps}
    return replace(plan, steps=(*(one for one in rebuilding(names) if one.id not in known), *plan.steps))


def _begin_in_journal(work: Work, plan: Plan) -> None:
    journal.write_line(
        work.settings,
        "started",
        from_version=from_version(plan),
        to_version=plan.target,
        backup=work.backup_name,
        detected=plan.current.label,
        steps=[step.id for step in plan.steps],
    )
    work.in_journal = True


def _measured(
    work: Work, migration: MigrationConnection, facts: preflight.Facts, plan: Plan
) -> verify.Before:
    work.progress.phase("measure", "Counting and hashing every row")
    with migration.placeholders():
        return verify.measure(migration, facts.orphans, allowed_by(plan), work.progress.table_part)


def _stepped(work: Work, migration: MigrationConnection, plan: Plan, waiting: Waiting) -> tuple[Applied, ...]:
    work.progress.phase("steps", f"Upgrading from {plan.current.label} to {plan.target}")
    # While the owner's views and triggers are in place, SQLite renames inside them too; then they rest.
    made_room = make_room(migration, plan.target)
    set_aside = migration.drop_triggers()
    applied = apply(
        migration,
        plan.current,
        plan,
        work.progress.step,
        backup_file=work.backup_name or "",
        started_at=work.started_at,
        made_room=made_room,
        taken_back=waiting.taken_back,
    )
    migration.create_again(set_aside)
    return applied


def _verified(
    work: Work,
    migration: MigrationConnection,
    before: verify.Before,
    plan: Plan,
    backup: Backup,
    waiting: Waiting,
) -> BroughtBack:
    """Raise VerificationFailed where something is not as it must be; bring back what waits, once rows are."""
    work.progress.phase("verify", "Verifying: rows, values, keys, integrity, schema")
    with migration.placeholders():
        verify.refuse_unless_sound(verify.compare(migration, before, work.progress.table_part))
        verify.refuse_unless_sound(excess.faults(migration, before.excess, before.allowed, plan.target))
    back = bring_back(waiting, migration, work.started_at)
    verify.refuse_unless_sound(verify.soundness_faults(backup.soundness, migration.soundness()))
    verify.refuse_unless_sound(verify.schema_faults(migration, plan.target))
    return back


# -- from the commit on --------------------------------------------------------------------------------------


def _after_an_uncertain_commit(work: Work, finished: Finished, error: CommitUncertain) -> Outcome:
    """The COMMIT itself reported an error: only the file can say whether it happened."""
    _logger.error("error at commit: %s", error)
    database = work.settings.database_path
    try:
        facts = look(work.storage, "pages")
        is_new = facts.recognition.kind == "daemon" and is_past(facts.recognition, finished.plan.target)
        if facts.recognition.kind != "daemon" or facts.soundness.damage:
            what = f"The commit ended with an error ({error}), and the database cannot be read"
            return outcomes.operator_needed(what, database, work.backup_name)
        if not is_new:
            return outcomes.failed(error, database, work.backup_name)
        work.is_committed = True
        files.sync_folder(work.settings.data_dir)
    except (OSError, DaemonError) as unsure:
        what = f"The commit ended with an error, and the disk does not confirm what is there now ({unsure})"
        return outcomes.operator_needed(what, database, work.backup_name)
    return after_the_commit(work.storage, work.progress, finished)
