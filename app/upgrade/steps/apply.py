"""How is a plan carried out? Each step in order, inside the transaction that the caller opened.

The only file that imports Alembic, and of it only the order of the revisions and the `op` that they speak to:
its own transactions, version table and command are left aside, because none of them is all-or-nothing here.

The order in an upgrade: `make_room` while the owner's views and triggers are in place (SQLite then renames
inside them too), the caller sets those aside, `apply`, the caller puts them back.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from alembic.operations import Operations
from alembic.operations.ops import AddColumnOp, CreateIndexOp, CreateTableOp, MigrateOperation
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory

from app import __version__, clock
from app.errors import Failed
from app.progress import Event, OnEvent, say_nothing
from app.storage.schema import quoted
from app.storage.sqlite.rows import reading_text, replaced
from app.upgrade.detect.recognise import names_taken
from app.upgrade.legacy import kept_values
from app.upgrade.legacy.repair import mend
from app.upgrade.legacy.shapes import names_taken as moving_aside
from app.upgrade.legacy.table_forms import get_form, get_shape
from app.upgrade.model import Applied, Plan, Recognition, Step
from app.upgrade.steps.step_hash import semantic_hash
from app.upgrade.steps.steps import MAKE_ROOM, MEND
from app.upgrade.versions.expected_schema import our_tables, schema_at
from app.upgrade.versions.releases import APPLICATION_ID, NEWEST, SCHEMA_VERSIONS, SchemaVersion

if TYPE_CHECKING:
    from sqlalchemy import Connection

ORDER_OF_REPORT = "steps"
_ONE_AT_A_TIME = threading.Lock()  # Alembic's `op` is one for the whole process


def make_room(connection: Connection, target: str) -> tuple[str, ...]:
    """Rename what the owner made under a name that ``target`` needs; return a sentence for each.

    Writes inside the caller's transaction. Done twice, the second time finds nothing.
    """
    return tuple(
        moving_aside.rename(connection, taken.what, taken.table, taken.name, taken.new_name)
        for taken in names_taken(_driver(connection), target)
    )


def apply(
    connection: Connection,
    recognition: Recognition,
    plan: Plan,
    on_event: OnEvent = say_nothing,
    *,
    backup_file: str = "",
    started_at: str | None = None,
    made_room: tuple[str, ...] = (),
) -> tuple[Applied, ...]:
    """Carry out the steps of ``plan`` and write their history; return them with their times and notes.

    Writes inside the caller's transaction and neither begins nor ends one: after any exception the caller
    rolls back, and nothing has happened. ``made_room`` are the sentences of an earlier `make_room`. Raises
    Failed where the rows do not fit the schema, and whatever SQLite raises.
    """
    run = _Run(
        connection, recognition, plan.target, backup_file, started_at or clock.stored(clock.now()), made_room
    )
    applied = []
    for number, step in enumerate(plan.steps):
        details: dict[str, object] = {"step": number + 1, "of": len(plan.steps), "id": step.id}
        on_event(Event("progress", ORDER_OF_REPORT, step.title, details=details))
        applied.append(run.carry_out(step))
    if plan.steps and not any(step.kind == "migrate" for step in plan.steps):
        run.record_repair(sum(done.seconds for done in applied))
    return tuple(applied)


def revisions() -> tuple[Script, ...]:
    """Return the revisions in the order in which they are applied, the oldest first."""
    return tuple(reversed(list(_scripts().walk_revisions())))


def steps_hash(revision: str) -> str:
    """Return the hash of what a revision does, whatever its comments and form. Raises Failed if unknown."""
    return semantic_hash(_revision(revision).path)


@cache
def _scripts() -> ScriptDirectory:
    folder = resources.files("app.upgrade.versions") / "migrations"
    return ScriptDirectory(str(folder))


def _revision(revision: str) -> Script:
    for script in revisions():
        if script.revision == revision:
            return script
    raise Failed(f"There is no step {revision}.", hint="install the package again: it is not whole")


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError("the steps run on SQLite only")
    return driver


@contextmanager
def _repeatable_operations(context: MigrationContext) -> Iterator[None]:
    """Alembic's `op`, with which a step can be run again: what is there already is not made a second time.

    Names that the owner had used were moved aside before; what bears the name now was made by the same step.
    """
    with Operations.context(context) as op:
        invoke = op.invoke

        def invoke_unless_there(operation: MigrateOperation) -> Any:
            return None if _is_there(_driver(op.get_bind()), operation) else invoke(operation)

        op.invoke = invoke_unless_there  # type: ignore[method-assign]
        yield


def _is_there(driver: sqlite3.Connection, operation: MigrateOperation) -> bool:
    """Whether the table, index or column that an operation makes exists."""
    if isinstance(operation, CreateTableOp):
        return _exists(driver, "table", operation.table_name)
    if isinstance(operation, CreateIndexOp):
        return _exists(driver, "index", str(operation.index_name))
    return isinstance(operation, AddColumnOp) and _has_column(
        driver, operation.table_name, operation.column.name
    )


def _exists(driver: sqlite3.Connection, kind: str, name: str) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = ? AND name = ? COLLATE NOCASE"
    return driver.execute(query, (kind, name)).fetchone() is not None


def _has_column(driver: sqlite3.Connection, table: str, column: str) -> bool:
    query = "SELECT 1 FROM pragma_table_xinfo(?) WHERE name = ? COLLATE NOCASE"
    return driver.execute(query, (table, column)).fetchone() is not None


class _Run:
    """One run of a plan: the connection, what the database was, and what the history lines say of it."""

    def __init__(
        self,
        connection: Connection,
        recognition: Recognition,
        target: str,
        backup_file: str,
        started_at: str,
        made_room: tuple[str, ...],
    ) -> None:
        self.connection = connection
        self.driver = _driver(connection)
        self.recognition = recognition
        self.target = target
        self.backup_file = backup_file
        self.started_at = started_at
        self.made_room = made_room
        self.from_version = recognition.recorded or recognition.in_history or recognition.lowest
        self.unwritten: list[dict[str, object]] = []

    def carry_out(self, step: Step) -> Applied:
        """Do one step; return it with its time and what people should know of it."""
        began = time.perf_counter()
        try:
            notes = self._do(step, began)
        except sqlite3.IntegrityError as error:
            raise _rows_do_not_fit(step, error) from error
        except Exception as error:
            if isinstance(getattr(error, "orig", None), sqlite3.IntegrityError):
                raise _rows_do_not_fit(step, error) from error
            raise
        return Applied(step, time.perf_counter() - began, tuple(notes))

    def _do(self, step: Step, began: float) -> list[str]:
        if step.kind == "repair":
            return mend(self.driver, step.id.removeprefix(MEND), self.recognition)
        if step.kind == "migrate":
            self._migrate(step, began)
            return []
        if step.id == MAKE_ROOM:
            return [*self.made_room, *make_room(self.connection, self.target)]
        with reading_text(self.driver, replaced):
            return self._adopt(step.id)

    # -- adoption --------------------------------------------------------------------------------------------

    def _adopt(self, name: str) -> list[str]:
        """Adopt every table that has one of the forms of this shape; odd values are kept first."""
        shape = get_shape(name)
        notes: list[str] = []
        for table in our_tables():
            if self.recognition.variants.get(table) not in shape.SCHEMAS:
                continue
            added = self._added_columns(table)
            indexes = self._added_indexes(table)
            kept_values.keep(self.connection, table, values=shape.KEEP_VALUES)
            said, moved = shape.adopt(self.connection, table)
            if shape.KEEP_VALUES:
                said += self._carry_columns(table, added, moved)
                said += self._carry_indexes(indexes)
            notes += said
        return notes

    def _added_columns(self, table: str) -> list[str]:
        form = get_form(table, self.recognition.variants[table], self.recognition.sheet)
        known = {name.lower() for found in form.schema.tables.values() for name in found.columns}
        return [
            name for name in kept_values.stored_columns(self.connection, table) if name.lower() not in known
        ]

    def _added_indexes(self, table: str) -> list[str]:
        """Return the statements of the owner's indexes on a table that is about to be made anew."""
        query = "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"
        return list(self.connection.exec_driver_sql(query, (table,)).scalars())

    def _carry_columns(self, table: str, names: list[str], moved: dict[int, int]) -> list[str]:
        """Give the owner's columns back to the new table, each value to the row that came of its own."""
        key = "user_id" if table == "user_privacy_settings" else "id"
        notes = []
        for name in names:
            column = self._free_column(table, name)
            self.driver.execute(f"ALTER TABLE {table} ADD COLUMN {quoted(column)}")
            self.driver.executemany(
                f"UPDATE {table} SET {quoted(column)} = (SELECT value FROM kept_values"
                f" WHERE table_name = '{table}' AND row_key = ? AND column_name = ? ORDER BY id DESC)"
                f" WHERE {key} = ?",
                [(str(old), name, new) for old, new in moved.items()],
            )
            notes.append(f"your column {table}.{name} was carried over as {column}")
        return notes

    def _free_column(self, table: str, name: str) -> str:
        taken = {known.lower() for known in schema_at(NEWEST).tables[table].columns}
        return "owner_" + name if name.lower() in taken else name

    def _carry_indexes(self, statements: list[str]) -> list[str]:
        notes = []
        for statement in statements:
            try:
                self.driver.execute(statement)
            except sqlite3.OperationalError as error:
                notes.append(f"an index of yours fits the new table no more ({error}); it is kept as text")
        return notes

    # -- revisions -------------------------------------------------------------------------------------------

    def _migrate(self, step: Step, began: float) -> None:
        """Run one revision, and write in the same transaction that it was run."""
        script = _revision(step.id)
        context = MigrationContext.configure(
            self.connection, opts={"transactional_ddl": True, "transaction_per_migration": False}
        )
        with _ONE_AT_A_TIME, _repeatable_operations(context):
            script.module.upgrade()
        row = next(row for row in SCHEMA_VERSIONS if row.revision == step.id)
        self._mark(row)
        name = script.path.rpartition("/")[2].removesuffix(".py")
        self._write_history(row, name, row.title, steps_hash(row.revision), time.perf_counter() - began)

    def record_repair(self, seconds: float) -> None:
        """Write the line of a run that only mended the schema: a rollback leads back before it."""
        row = next(row for row in SCHEMA_VERSIONS if row.version == self.recognition.sheet)
        self._write_history(row, "repair", "mend what was missing or changed in the schema", None, seconds)

    def _mark(self, row: SchemaVersion) -> None:
        """Put our mark and the schema's number into the file's header; the number never goes down."""
        before = self.driver.execute("PRAGMA user_version").fetchone()[0]
        is_ours = self.driver.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
        number = max(row.user_version, before if is_ours else 0)
        self.driver.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self.driver.execute(f"PRAGMA user_version = {number}")

    def _write_history(
        self, row: SchemaVersion, script: str, title: str, script_hash: str | None, seconds: float
    ) -> None:
        """Write the line of this step, and those of earlier steps that had no table to be written to."""
        self.unwritten.append(
            {
                "version": row.version,
                "applied_at": clock.stored(clock.now()),
                "migration_script": script,
                "description": title,
                "rollback_notes": "daemon upgrade rollback" if self.backup_file else None,
                "from_version": self.from_version,
                "started_at": self.started_at,
                "duration_ms": round(seconds * 1000),
                "outcome": "done",
                "backup_file": self.backup_file or None,
                "tool_version": __version__,
                "steps_hash": script_hash,
                "is_claim": 0,
            }
        )
        self.from_version = row.version
        if not self.driver.execute("SELECT 1 FROM sqlite_master WHERE name = 'database_versions'").fetchone():
            return
        for line in self.unwritten:
            self.driver.execute(
                f"INSERT INTO database_versions ({', '.join(line)}) VALUES ({', '.join('?' * len(line))})",
                tuple(line.values()),
            )
        self.unwritten = []


def _rows_do_not_fit(step: Step, error: Exception) -> Failed:
    return Failed(
        f"The rows of this database do not fit the schema ({step.title}: {error}); nothing was changed.",
        hint="daemon upgrade check",
    )
