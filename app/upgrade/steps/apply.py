"""How is a plan carried out? Each step in order, inside the transaction that the caller opened.

The only file that imports Alembic, and of it only the order of the revisions and the `op` that they speak to:
its own transactions, version table and command are left aside, because none of them is all-or-nothing here.

The order in an upgrade: `make_room` while the owner's views and triggers are in place (SQLite then renames
inside them too), the caller sets those aside, `apply`, the caller puts them back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import Any

from sqlalchemy.exc import IntegrityError

from app import __version__, clock
from app.errors import Failed
from app.progress import Event, OnEvent, say_nothing
from app.storage.schema import folded
from app.storage.types import Mark, MigrationConnection, StorageError
from app.upgrade.detect.recognise import names_taken, recognise
from app.upgrade.detect.step_needs import refuse_unmet
from app.upgrade.legacy import kept_rows
from app.upgrade.legacy.adoption import adopt
from app.upgrade.legacy.repair import mend
from app.upgrade.legacy.shapes import names_taken as moving_aside
from app.upgrade.legacy.switches import READ_SWITCH, read_as_numbers
from app.upgrade.model import Applied, Plan, Recognition, Step
from app.upgrade.records.kept_writes import LineId
from app.upgrade.steps.baseline import is_in_baseline, make_baseline
from app.upgrade.steps.lazy_imports import loaded_at_first_use
from app.upgrade.steps.renaming import rename_on_server
from app.upgrade.steps.repair_on_server import mend_on_server
from app.upgrade.steps.steps import MAKE_ROOM, MEND, REBUILD, steps_between
from app.upgrade.versions.contracts import step_path
from app.upgrade.versions.releases import APPLICATION_ID, FIRST_ON_SERVERS, SCHEMA_VERSIONS, SchemaVersion
from app.upgrade.versions.step_hash import semantic_hash

with loaded_at_first_use(
    (
        *(f"alembic.ddl.{engine}" for engine in ("mssql", "mysql", "oracle", "postgresql")),
        "alembic.autogenerate",
        "alembic.runtime.plugins",
        "mako.exceptions",
    )
):
    import alembic.ddl.postgresql
    from alembic.operations import Operations
    from alembic.operations.ops import (
        AddColumnOp,
        CreateIndexOp,
        CreateTableOp,
        DropIndexOp,
        MigrateOperation,
    )
    from alembic.runtime.migration import MigrationContext
    from alembic.script import Script, ScriptDirectory

ORDER_OF_REPORT = "steps"
_ONE_AT_A_TIME = threading.Lock()  # Alembic's `op` is one for the whole process


def make_room(migration: MigrationConnection, target: str) -> tuple[str, ...]:
    """Rename what the owner made under a name that ``target`` needs; return a sentence for each.

    Writes inside the caller's transaction. Done twice, the second time finds nothing.
    """
    rename = moving_aside.rename if migration.engine_name == "sqlite" else rename_on_server
    return tuple(
        rename(migration.connection, taken.what, taken.table, taken.name, taken.new_name)
        for taken in names_taken(migration, target)
    )


def apply(
    migration: MigrationConnection,
    recognition: Recognition,
    plan: Plan,
    on_event: OnEvent = say_nothing,
    *,
    backup_file: str = "",
    started_at: str | None = None,
    made_room: tuple[str, ...] = (),
    taken_back: Collection[LineId] = (),
) -> tuple[Applied, ...]:
    """Carry out the steps of ``plan`` and write their history; return them with their times and notes.

    Writes inside the caller's transaction and neither begins nor ends one: after any exception the caller
    rolls back, and nothing has happened. ``made_room`` are the sentences of an earlier `make_room`;
    ``taken_back`` are history lines of which none may be written again. Raises Failed where the rows do not
    fit the schema, StorageError, and whatever SQLAlchemy raises.
    """
    run = _Run(
        migration,
        recognition,
        plan.target,
        backup_file,
        started_at or clock.stored(clock.now()),
        made_room,
        taken_back,
    )
    applied = []
    for number, step in enumerate(plan.steps):
        details: dict[str, object] = {"step": number + 1, "of": len(plan.steps), "id": step.id}
        on_event(Event("progress", ORDER_OF_REPORT, step.title, details=details))
        applied.append(run.carry_out(step))
    if plan.steps and not any(step.kind == "migrate" for step in plan.steps):
        run.record_repair(sum(done.seconds for done in applied))
    return tuple(applied)


def _run_from_nothing(migration: MigrationConnection) -> None:
    """Run every step until the first version of databases on servers, in a database without tables."""
    nothing = recognise(migration)
    apply(migration, nothing, Plan(nothing, FIRST_ON_SERVERS, steps_between(nothing, FIRST_ON_SERVERS)))


def revisions() -> tuple[Script, ...]:
    """Return the revisions in the order in which they are applied, the oldest first."""
    return tuple(reversed(list(_scripts().walk_revisions())))


def steps_hash(revision: str) -> str:
    """Return the hash of what a revision does, whatever its comments and form. Raises Failed if unknown."""
    return semantic_hash(step_path(revision))


@cache
def _scripts() -> ScriptDirectory:
    folder = resources.files("app.upgrade.versions") / "migrations"
    return ScriptDirectory(str(folder))


def _revision(revision: str) -> Script:
    for script in revisions():
        if script.revision == revision:
            return script
    raise Failed(f"There is no step {revision}.", hint="install the package again: it is not whole")


@contextmanager
def _repeatable_operations(migration: MigrationConnection, context: MigrationContext) -> Iterator[None]:
    """Alembic's `op`, with which a step can be run again: what is there already is not made a second time.

    Names that the owner had used were moved aside before; what bears the name now was made by the same step.
    """
    with Operations.context(context) as op:
        invoke = op.invoke

        def invoke_unless_there(operation: MigrateOperation) -> Any:
            return None if _is_done(migration, operation) else invoke(operation)

        op.invoke = invoke_unless_there  # type: ignore[method-assign]
        yield


def _is_done(migration: MigrationConnection, operation: MigrateOperation) -> bool:
    """Whether the table, index or column that an operation makes is there, or the index it drops is not."""
    if isinstance(operation, CreateTableOp):
        return migration.has("table", operation.table_name)
    if isinstance(operation, CreateIndexOp):
        return migration.has("index", str(operation.index_name))
    if isinstance(operation, DropIndexOp):
        return not migration.has("index", str(operation.index_name))
    if not isinstance(operation, AddColumnOp):
        return False
    return folded(operation.column.name) in map(folded, migration.columns(operation.table_name))


class _Run:
    """One run of a plan: the connection, what the database was, and what the history lines say of it."""

    def __init__(
        self,
        migration: MigrationConnection,
        recognition: Recognition,
        target: str,
        backup_file: str,
        started_at: str,
        made_room: tuple[str, ...],
        taken_back: Collection[LineId],
    ) -> None:
        self.migration = migration
        self.recognition = recognition
        self.target = target
        self.backup_file = backup_file
        self.started_at = started_at
        self.made_room = made_room
        self.taken_back = taken_back
        self.from_version = recognition.recorded or recognition.in_history or recognition.lowest
        self.unwritten: list[dict[str, object]] = []
        self.kept_before = kept_rows.mark_of(migration)

    def carry_out(self, step: Step) -> Applied:
        """Do one step; return it with its time and what people should know of it."""
        began = time.perf_counter()
        try:
            notes = self._do(step, began)
        except IntegrityError as error:
            raise _rows_do_not_fit(step, error) from error
        except StorageError as error:
            if error.reason == "rows":
                raise _rows_do_not_fit(step, error) from error
            raise
        return Applied(step, time.perf_counter() - began, tuple(notes))

    def _do(self, step: Step, began: float) -> list[str]:
        if step.id.startswith(REBUILD):
            return []  # before the rows were measured: an index that is wrong would be measured too
        if step.kind == "repair":
            table, on_server = step.id.removeprefix(MEND), self.migration.of_server
            if on_server is not None:
                return mend_on_server(on_server, table, self.recognition)
            return mend(self.migration, table, self.recognition)
        if step.kind == "migrate":
            self._migrate(step, began)
            return []
        if step.id == MAKE_ROOM:
            return [*self.made_room, *make_room(self.migration, self.target)]
        if step.id.startswith(READ_SWITCH):
            return read_as_numbers(self.migration, step.id.removeprefix(READ_SWITCH), self.kept_before)
        return adopt(self.migration, self.recognition, step.id)

    # -- revisions -------------------------------------------------------------------------------------------

    def _migrate(self, step: Step, began: float) -> None:
        """Run one revision, and write in the same transaction that it was run."""
        script = _revision(step.id)
        row = next(row for row in SCHEMA_VERSIONS if row.revision == step.id)
        on_server = self.migration.of_server
        if on_server is not None and is_in_baseline(row.version):
            make_baseline(on_server, _run_from_nothing)
        else:
            refuse_unmet(self.migration, step.id)
            self._run(script)
        self._mark(row)
        name = script.path.rpartition("/")[2].removesuffix(".py")
        self._write_history(row, name, row.title, steps_hash(row.revision), time.perf_counter() - began)

    def _run(self, script: Script) -> None:
        if self.migration.engine_name == "postgresql":
            alembic.ddl.postgresql.PostgresqlImpl  # noqa: B018 - which loads what was only to be loaded at first use
        context = MigrationContext.configure(
            self.migration.connection, opts={"transactional_ddl": True, "transaction_per_migration": False}
        )
        with _ONE_AT_A_TIME, _repeatable_operations(self.migration, context):
            script.module.upgrade()

    def record_repair(self, seconds: float) -> None:
        """Write the line of a run that only mended the schema: a rollback leads back before it."""
        row = next(row for row in SCHEMA_VERSIONS if row.version == self.recognition.sheet)
        self._write_history(row, "repair", "mend what was missing or changed in the schema", None, seconds)

    def _mark(self, row: SchemaVersion) -> None:
        """Put our mark and the schema's number into the file's header; the number never goes down."""
        mark = self.migration.mark()
        before = mark.schema_number if mark.application_id == APPLICATION_ID else 0
        self.migration.set_mark(Mark(APPLICATION_ID, max(row.user_version, before)))

    def _write_history(
        self, row: SchemaVersion, script: str, title: str, script_hash: str | None, seconds: float
    ) -> None:
        """Write the line of this step, and those of earlier steps that had no table to be written to.

        A line tells one upgrade from another. Two that begin in one second and take the same time are told
        apart by a millisecond: else the writes that wait for this one would be taken for another's.
        """
        at, milliseconds = clock.stored(clock.now()), round(seconds * 1000)
        while (row.version, at, self.backup_file or None, str(milliseconds)) in self.taken_back:
            milliseconds += 1
        self.unwritten.append(
            {
                "version": row.version,
                "applied_at": at,
                "migration_script": script,
                "description": title,
                "rollback_notes": "daemon upgrade rollback" if self.backup_file else None,
                "from_version": self.from_version,
                "started_at": self.started_at,
                "duration_ms": milliseconds,
                "outcome": "done",
                "backup_file": self.backup_file or None,
                "tool_version": __version__,
                "steps_hash": script_hash,
                "is_claim": 0,
            }
        )
        self.from_version = row.version
        if not self.migration.has("table", "database_versions"):
            return
        for line in self.unwritten:
            names, values = ", ".join(line), ", ".join(f":{name}" for name in line)
            self.migration.execute(f"INSERT INTO database_versions ({names}) VALUES ({values})", line)
        self.unwritten = []


def _rows_do_not_fit(step: Step, error: Exception) -> Failed:
    return Failed(
        f"The rows of this database do not fit the schema ({step.title}: {error}); nothing was changed.",
        hint="daemon upgrade check",
    )
