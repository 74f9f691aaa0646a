"""What would an upgrade do to this database, and what stands in its way? Looks, and returns a value.

Nothing is written: not a byte, not a file, not a time stamp. `operations.upgrade` runs what is shown here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from app.backup.create import rows_per_table
from app.errors import EXIT_OK, EXIT_UPGRADE_PENDING, DaemonError, Damaged, Refused
from app.storage.registry import is_wanted_at, storage_for
from app.storage.types import Soundness, StorageConnection, StorageError
from app.upgrade.checks import preflight
from app.upgrade.checks.switches import about_switches
from app.upgrade.checks.waiting_rows import about_waiting
from app.upgrade.detect.recognise import recognise
from app.upgrade.detect.recorded_versions import other_steps
from app.upgrade.detect.step_needs import unmet_needs
from app.upgrade.legacy.reserved_kinds import reserved_kinds
from app.upgrade.legacy.switches import OddSwitches, are_old_servers, find_odd_switches, with_switches
from app.upgrade.legacy.table_forms import get_form
from app.upgrade.legacy.text_scan import Texts, scan_texts
from app.upgrade.legacy.unheard_words import Unheard
from app.upgrade.legacy.visibility_changes import SHOWN_BY_OLD_SERVERS
from app.upgrade.model import DatabaseKind, Needs, Plan, Recognition, Step
from app.upgrade.records.waiting_writes import Waiting, find_waiting
from app.upgrade.steps.steps import rebuilding, repairs_for, steps_between
from app.upgrade.versions.releases import NEWEST, schema_version_for, version_key

if TYPE_CHECKING:
    from app.settings import Settings
    from app.storage.engine import StorageEngine

# Measured on 200,000 entries: the rollback journal holds every page of the tables that are touched, and the
# file grows by what is added to them; both are in proportion to the file.
GROWTH_OF_DATABASE = 1.6
SMALLEST_NEED_BYTES = 1_000_000
BYTES_A_SECOND = 25_000_000
SECONDS_AT_LEAST = 0.3
FIRST_WITH_VISIBILITY = "0.2.0"

# How much of a database is looked at: its schema; its rows too (counted, and their keys); every page too.
Depth = Literal["kind", "rows", "pages"]


@dataclass(frozen=True)
class Order:
    """What was asked for: at least this schema version, and what is to be done about drift and repetition."""

    target: str
    force: bool = False
    repair: bool = False

    @property
    def mends_drift(self) -> bool:
        """Whether a schema that drifted is mended rather than refused."""
        return self.force or self.repair


def make_order(target: str | None = None, *, force: bool = False, repair: bool = False) -> Order:
    """Return the order for ``target`` (a release; None is the newest). Raises UsageError for one unknown."""
    return Order(schema_version_for(target or NEWEST), force, repair)


def make_plan(
    settings: Settings, target: str | None = None, force: bool = False, repair: bool = False
) -> Plan:
    """Return what `run_upgrade` with the same words would do, and everything that stands in its way.

    Raises UsageError for an unknown ``target``. A database that cannot be read is a blocker, no exception.
    """
    order = make_order(target, force=force, repair=repair)
    storage = storage_for(settings.database_url)
    return plan_from(settings, look(storage, "pages"), order)


def plan_from(settings: Settings, facts: preflight.Facts, order: Order) -> Plan:
    """Return the plan for the database that ``facts`` describe. Looks at folders and disks only."""
    known = facts.recognition
    at = known.recorded or known.in_history
    if order.mends_drift and at is not None and version_key(at) > version_key(order.target):
        order = replace(order, target=at)  # mend, or run again, what is recorded, and go nowhere
    steps = _steps(known, order)
    reads_switches = order.mends_drift or (bool(steps) and are_old_servers(known))
    if known.kind == "daemon" and reads_switches:
        steps = with_switches(steps, facts.switches)
    if steps or order.mends_drift:
        steps = (*rebuilding(facts.soundness.indexes), *steps)
    needs = _needs(facts) if steps else Needs()
    unmet = {step.id: facts.unmet[step.id] for step in steps if step.id in facts.unmet}
    facts = replace(facts, unmet=unmet)
    findings = preflight.check(settings, facts, needs, mends_drift=order.mends_drift)
    warnings = (
        *findings.warnings,
        *about_switches(facts.switches, are_read=bool(steps) and reads_switches),
        *about_waiting(facts.waiting, is_pending=bool(steps)),
    )
    hidden = facts.hidden if any(step.version == FIRST_WITH_VISIBILITY for step in steps) else ()
    return Plan(known, order.target, steps, needs, findings.blockers, warnings, facts.rows, hidden)


def exit_code_of(plan: Plan) -> int:
    """Return the exit status of `upgrade check`: what blocks it, else whether an upgrade is pending."""
    if plan.blockers:
        return plan.blockers[0].exit_code
    return EXIT_UPGRADE_PENDING if plan.pending else EXIT_OK


def _texts(connection: StorageConnection, known: Recognition, *, has_text: bool) -> Texts:
    """Return what the entries' texts say; an upgrade hides nothing once a version of ours is recorded."""
    if connection.engine_name != "sqlite":
        return Texts(Unheard(), ())  # what old servers wrote was read when it was moved there
    hides = known.recorded is None and known.in_history is None
    is_usual = all(_has_usual_form(known, table) for table in SHOWN_BY_OLD_SERVERS)
    found = scan_texts(connection, hides=hides and is_usual, has_text=has_text)
    return found if is_usual or not hides else replace(found, hidden=None)


def _has_usual_form(known: Recognition, table: str) -> bool:
    try:
        return get_form(table, known.variants[table], known.sheet).shape is None
    except KeyError:  # absent, or of no form that is known
        return False


def _steps(known: Recognition, order: Order) -> tuple[Step, ...]:
    if known.kind != "daemon":
        return ()
    mending = repairs_for(known) if order.mends_drift else ()
    if order.force:
        # Run again what is recorded: every step says for itself what of it is there already.
        known = replace(known, recorded=None, in_history=None)
    return (*mending, *steps_between(known, order.target))


def _needs(facts: preflight.Facts) -> Needs:
    database_bytes = facts.database_bytes
    return Needs(
        data_bytes=int(database_bytes * GROWTH_OF_DATABASE) + SMALLEST_NEED_BYTES,
        backup_bytes=int(database_bytes * 1.02) + SMALLEST_NEED_BYTES,
        seconds=round(SECONDS_AT_LEAST + database_bytes / BYTES_A_SECOND, 1),
    )


# -- looking at the database ---------------------------------------------------------------------------------


def look(storage: StorageEngine, depth: Depth = "kind") -> preflight.Facts:
    """Return what the database is and, as far as ``depth`` goes, what it holds and whether it is sound.

    Never raises for what is there: a file that cannot be read, or is no database, is described as such.
    """
    if storage.engine_name != "sqlite":
        return _look_at_server(storage, depth)
    try:
        kind = storage.file_kind()
        if kind == "missing":
            return _only("missing", "there is no file")
        if kind == "empty":
            return _only("empty", "a file of zero bytes")
        if kind == "other":
            return _only("foreign", "not an SQLite file")
        with storage.looking() as connection:
            facts = facts_of(storage, connection, depth)
        return replace(facts, is_wanted=is_wanted_at(storage.path))
    except Refused as error:
        return _only("misplaced", error.message)
    except PermissionError as error:
        return _only("unreadable", error.strerror or "permission denied")
    except StorageError as error:
        return _only(_verdict(error), str(error))
    except OSError as error:
        return _only("unreadable", error.strerror or str(error))


def _look_at_server(storage: StorageEngine, depth: Depth) -> preflight.Facts:
    try:
        if storage.file_kind() == "missing":
            return _only("missing", "there are no tables")
        with storage.looking() as connection:
            facts = facts_of(storage, connection, depth)
        return replace(facts, is_wanted=storage.process_lock().wanted())
    except (StorageError, DaemonError) as error:
        said = storage.explained(error)
        kind: DatabaseKind = "damaged" if isinstance(said, Damaged) else "unreadable"
        return preflight.Facts(Recognition(kind, said.message), unasked=said)


def _verdict(error: StorageError) -> DatabaseKind:
    """Return what the engine's error says of the file: only what it says of pages is damage."""
    if error.is_damage:
        return "damaged"
    return "unreadable" if error.is_of_the_place else "not_proven"


def facts_of(storage: StorageEngine, connection: StorageConnection, depth: Depth) -> preflight.Facts:
    """Return what the open database is and holds. Raises StorageError where it is damaged."""
    known = recognise(connection)
    if known.kind != "daemon":
        return preflight.Facts(known)
    switches = find_odd_switches(connection) if depth != "kind" else OddSwitches()
    has_text = bool(switches.found)
    texts = _texts(connection, known, has_text=has_text) if depth == "pages" else Texts(Unheard(), ())
    return preflight.Facts(
        known,
        soundness=connection.soundness() if depth == "pages" else Soundness(),
        unusable=tuple(connection.unusable_objects()),
        orphans=tuple(connection.orphans()) if depth != "kind" else (),
        rows=rows_per_table(connection) if depth != "kind" else {},
        database_bytes=storage.size_bytes(),
        journal_mode=storage.journal_mode(),
        mount=storage.mount_kind(),
        is_locked=storage.is_locked(),
        unheard=texts.unheard,
        hidden=texts.hidden,
        reserved=reserved_kinds(connection) if depth != "kind" else (),
        unmet=unmet_needs(connection) if depth != "kind" else {},
        switches=switches,
        other_steps=other_steps(connection) if depth != "kind" else (),
        waiting=find_waiting(storage.path, connection) if depth != "kind" else Waiting(),
    )


def _only(kind: DatabaseKind, label: str) -> preflight.Facts:
    return preflight.Facts(Recognition(kind, label))
