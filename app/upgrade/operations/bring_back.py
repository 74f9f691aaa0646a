"""Kept writes, brought back. How does what a rollback kept come into the database with the next upgrade?

Inside the upgrade's transaction, after what was there has been verified. Which rows came back is written into
`kept_values` in the same transaction, so that none comes twice; a file of which nothing is left is removed
after the commit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app import clock, log
from app.storage.schema import Schema, Table, folded, quoted
from app.storage.types import MigrationConnection, StorageConnection, StorageError, Value
from app.upgrade.records import kept_writes
from app.upgrade.records.kept_writes import KeptRow, KeptWrites, is_moment

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings

PLACE = "rollback"  # of the lines in kept_values that say what came back
HISTORY, KEPT, COUNTERS = "database_versions", "kept_values", "id_counters"
LARGEST_ID = 2**53

_logger = log.get_logger(__name__)


@dataclass
class BroughtBack:
    """Sentences for the report, and the files that are to be removed after the commit."""

    notes: list[str] = field(default_factory=list)
    finished: list[Path] = field(default_factory=list)

    def remove_files(self) -> None:
        """Remove the files of which everything is in the database by now, after the commit."""
        for path in self.finished:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                _logger.warning("%s is no longer needed and could not be removed: %s", path, error)


@dataclass
class Waiting:
    """What rollbacks kept for this database, by file, and sentences about files that are not for it."""

    kept: list[tuple[Path, KeptWrites]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_waiting(settings: Settings, connection: StorageConnection) -> Waiting:
    """Return what is to come back to the database as it is before the steps. Reads only."""
    waiting = Waiting()
    for path, kept in kept_writes.find_all(settings):
        if kept is None:
            waiting.notes.append(f"{path} could not be read, and stays as it is.")
        elif _was_taken_back(connection, kept):
            if kept.first_account in (None, first_account(connection)):
                waiting.kept.append((path, kept))
            else:
                waiting.notes.append(f"{path} belongs to a database with another first account, and stays.")
    return waiting


def bring_back(waiting: Waiting, migration: MigrationConnection, since: str) -> BroughtBack:
    """Put back what rollbacks kept, as far as it fits; what does not stays in its file, and is told.

    ``since`` is when this upgrade began: a row with a later moment in it is one that a step has made.
    Writes inside the caller's transaction. Raises StorageError for anything but a row that does not fit.
    """
    result = BroughtBack(notes=list(waiting.notes))
    if not waiting.kept or not migration.has("table", KEPT):
        return result
    included = {name for _, kept in waiting.kept for name in kept.includes}
    set_aside = migration.drop_triggers()
    for path, kept in waiting.kept:
        if kept.id in included:
            result.finished.append(path)  # a later rollback kept the same rows again, or what became of them
        else:
            _bring(migration, path, kept, since, result)
    migration.create_again(set_aside)
    return result


def brought_back(connection: StorageConnection) -> tuple[str, ...]:
    """Return the ids of the files of which rows are in this database."""
    if not connection.has("table", KEPT):
        return ()
    found = connection.rows(
        f"SELECT DISTINCT row_key FROM {KEPT} WHERE table_name = :place", {"place": PLACE}
    )
    return tuple(str(name) for (name,) in found)


def counters_of(connection: StorageConnection) -> dict[str, int]:
    """Return the highest id that was ever given, by table; nothing where that is not counted."""
    if not connection.has("table", COUNTERS):
        return {}
    return {
        str(table): int(last)
        for table, last in connection.rows(f"SELECT table_name, last_id FROM {COUNTERS}")
    }


def first_account(connection: StorageConnection) -> list[str] | None:
    """Return what tells one installation from another: its first account."""
    if not {"id", "username", "created_at"} <= set(connection.columns("users")):
        return None
    found = connection.rows("SELECT id, username, created_at FROM users ORDER BY id LIMIT 1")
    return [str(value) for value in found[0]] if found else None


def _was_taken_back(connection: StorageConnection, kept: KeptWrites) -> bool:
    """Whether the upgrade that was taken back is not in this database's history: see `kept_writes`."""
    if not connection.has("table", HISTORY):
        return True
    lines = connection.as_written(HISTORY, ("version", "applied_at", "backup_file", "duration_ms"))
    undone = tuple(kept.undone.get(name) for name in ("version", "at", "backup", "duration_ms"))
    return undone not in [tuple(None if cell is None else str(cell) for cell in line) for line in lines]


def _bring(
    migration: MigrationConnection, path: Path, kept: KeptWrites, since: str, result: BroughtBack
) -> None:
    bringing = _Bringing(migration, kept, since)
    bringing.run()
    came, left = bringing.came, bringing.left
    if came:
        result.notes.append(
            f"{len(came)} rows that the rollback of {kept.written_at} had kept are back"
            f" ({_by_table(kept, came)})."
        )
    if left:
        listed = "; ".join(
            f"{kept.rows[number].table} {_key(kept.rows[number])}: {why}" for number, why in left.items()
        )
        result.notes.append(f"{len(left)} rows stay in {path}: {listed}.")
    else:
        result.finished.append(path)


def _by_table(kept: KeptWrites, numbers: set[int]) -> str:
    tables = [kept.rows[number].table for number in numbers]
    return ", ".join(f"{tables.count(table)} of {table}" for table in sorted(set(tables)))


def _key(row: KeptRow) -> str:
    return ", ".join(map(str, row.key))


class _Bringing:
    """The rows of one file on their way into one database."""

    def __init__(self, migration: MigrationConnection, kept: KeptWrites, since: str) -> None:
        self.migration, self.kept, self.since = migration, kept, since
        self.schema: Schema = migration.schema()
        self.tables = {folded(name): (name, found) for name, found in self.schema.tables.items()}
        self.came: set[int] = set()
        self.left: dict[int, str] = {}
        self.moved: dict[tuple[str, Value], Value] = {}
        self.done = set(_numbers_done(migration, kept))

    def run(self) -> None:
        """Bring what fits, again and again while that opens a way for more; write down what came."""
        waiting = [number for number in range(len(self.kept.rows)) if number not in self.done]
        order = {"removed": 0, "added": 1, "changed": 2}
        waiting.sort(key=lambda number: order[self.kept.rows[number].what])
        while waiting:
            self.left = {}
            for number in waiting:
                why = self._tried(number, {*waiting} - self.came)
                if why:
                    self.left[number] = why
                else:
                    self.came.add(number)
            if len(self.left) == len(waiting):
                break
            waiting = list(self.left)
        self._raise_counters()
        if self.came:
            _write_down(self.migration, self.kept, self.came)

    def _tried(self, number: int, waiting: set[int]) -> str:
        """Bring one row; return why not, "" where it came."""
        row = self.kept.rows[number]
        if folded(row.table) not in self.tables:
            return "there is no such table"
        name, table = self.tables[folded(row.table)]
        try:
            if row.what == "added":
                return self._added(name, table, row, waiting)
            return (
                self._changed(name, table, row) if row.what == "changed" else self._removed(name, table, row)
            )
        except StorageError as error:
            if error.reason != "rows":
                raise
            return str(error)

    def _added(self, name: str, table: Table, row: KeptRow, waiting: set[int]) -> str:
        assert row.now is not None
        values = {column: value for column, value in row.now.items() if column in table.columns}
        for key in table.foreign_keys:
            column = next((one for one in values if folded(one) == folded(key.columns[0])), None)
            if column is None or values[column] is None:
                continue
            parent = folded(key.parent)
            if any(self._is_row(other, parent, values[column]) for other in waiting):
                return f"the row of {key.parent} that it names is not back"
            values[column] = self.moved.get((parent, values[column]), values[column])
            if not self._is_there(key.parent, key.parent_columns[:1] or ("id",), (values[column],)):
                return f"the row of {key.parent} that it names is not there"
        names = self._key_of(table)
        current = self._row(name, names, tuple(values.get(column) for column in names))
        if names and current is not None:
            if all(current[column] == value for column, value in values.items()):
                return ""
            if names != ("id",):
                if not self._is_of_this_run(current):
                    return "there is another row with this key"
                # a default that the step gave, where nothing had come back yet
                self._update(name, names, tuple(values[column] for column in names), values)
                return ""
            values["id"] = self._free_id(name)
            self.moved[folded(name), row.key[0]] = values["id"]
        self._insert(name, values)
        return ""

    def _is_of_this_run(self, row: Mapping[str, Value]) -> bool:
        return any(is_moment(value) and str(value) >= self.since for value in row.values())

    def _is_row(self, number: int, table: str, key: Value) -> bool:
        other = self.kept.rows[number]
        return other.what == "added" and folded(other.table) == table and other.key == (key,)

    def _changed(self, name: str, table: Table, row: KeptRow) -> str:
        assert row.now is not None
        names = self._key_of(table)
        current = self._row(name, names, self._key_now(name, row))
        if current is None:
            return "the row is not there"
        was = row.was or {}
        wanted = {
            column: value
            for column, value in row.now.items()
            if column in current and (column not in was or value != was[column])
        }
        for column in list(wanted):
            if current[column] == wanted[column]:
                del wanted[column]
            elif current[column] is None or current[column] == was.get(column):
                continue
            elif was.get(column) is None:  # the step has found a value of its own in what is there now
                del wanted[column]
            else:
                return f"{column} was changed meanwhile"
        if wanted:
            self._update(name, names, self._key_now(name, row), wanted)
        return ""

    def _removed(self, name: str, table: Table, row: KeptRow) -> str:
        names = self._key_of(table)
        current = self._row(name, names, row.key)
        if current is None:
            return "" if names else "the table has no key to find it by"
        if any(current.get(column, value) != value for column, value in (row.was or {}).items()):
            return "the row was changed meanwhile"
        if child := next(self._children(name, row.key), None):
            return f"a row of {child} names it"
        where, parameters = _where(names, row.key)
        self.migration.execute(f"DELETE FROM {quoted(name)} WHERE {where}", parameters)
        return ""

    # -- in SQL

    def _key_of(self, table: Table) -> tuple[str, ...]:
        keys = [(column.pk, name) for name, column in table.columns.items() if column.pk]
        return tuple(name for _, name in sorted(keys))

    def _key_now(self, name: str, row: KeptRow) -> tuple[Value, ...]:
        return (self.moved.get((folded(name), row.key[0]), row.key[0]), *row.key[1:])

    def _row(self, name: str, names: tuple[str, ...], key: tuple[Value, ...]) -> dict[str, Value] | None:
        if not names:
            return None
        columns = self.migration.columns(name)
        where, parameters = _where(names, key)
        chosen = ", ".join(map(quoted, columns))
        found = self.migration.rows(f"SELECT {chosen} FROM {quoted(name)} WHERE {where}", parameters)
        return dict(zip(columns, found[0], strict=True)) if found else None

    def _is_there(self, name: str, names: tuple[str, ...], key: tuple[Value, ...]) -> bool:
        if folded(name) not in self.tables:
            return False
        where, parameters = _where(names, key)
        return bool(self.migration.rows(f"SELECT 1 FROM {quoted(name)} WHERE {where}", parameters))

    def _children(self, name: str, key: tuple[Value, ...]) -> Iterator[str]:
        for child, found in self.schema.tables.items():
            for foreign in found.foreign_keys:
                if folded(foreign.parent) == folded(name) and self._is_there(
                    child, foreign.columns[:1], key[:1]
                ):
                    yield child

    def _insert(self, name: str, values: Mapping[str, Value]) -> None:
        names = ", ".join(map(quoted, values))
        marks, parameters = _marks(values)
        self.migration.execute(
            f"INSERT INTO {quoted(name)} ({names}) VALUES ({', '.join(marks)})", parameters
        )

    def _update(
        self, name: str, names: tuple[str, ...], key: tuple[Value, ...], values: Mapping[str, Value]
    ) -> None:
        marks, parameters = _marks(values)
        sets = ", ".join(f"{quoted(column)} = {mark}" for column, mark in zip(values, marks, strict=True))
        where, of_key = _where(names, key)
        self.migration.execute(f"UPDATE {quoted(name)} SET {sets} WHERE {where}", {**parameters, **of_key})

    def _free_id(self, name: str) -> int:
        found = self.migration.rows(f"SELECT max(id) FROM {quoted(name)} WHERE id < {LARGEST_ID}")
        highest = max(int(found[0][0] or 0), self.kept.counters.get(name, 0), self._counter(name))
        return highest + 1

    def _counter(self, name: str) -> int:
        if COUNTERS not in self.tables:
            return 0
        query = f"SELECT last_id FROM {COUNTERS} WHERE table_name = :name"
        return max((int(row[0]) for row in self.migration.rows(query, {"name": name})), default=0)

    def _raise_counters(self) -> None:
        """No id is given a second time: not those that were given before the rollback either."""
        if COUNTERS not in self.tables:
            return
        for table, last in self.kept.counters.items():
            highest = last
            if folded(table) in self.tables and "id" in self.tables[folded(table)][1].columns:
                found = self.migration.rows(f"SELECT max(id) FROM {quoted(table)} WHERE id < {LARGEST_ID}")
                highest = max(last, int(found[0][0] or 0))
            self.migration.execute(
                f"UPDATE {COUNTERS} SET last_id = :last WHERE table_name = :name AND last_id < :last",
                {"last": highest, "name": table},
            )


def _where(names: tuple[str, ...], key: tuple[Value, ...]) -> tuple[str, dict[str, object]]:
    parts = [f"{quoted(name)} = :key{number}" for number, name in enumerate(names)]
    return " AND ".join(parts), {f"key{number}": value for number, value in enumerate(key)}


def _marks(values: Mapping[str, Value]) -> tuple[list[str], dict[str, object]]:
    """The placeholders of values, and what stands for them; text that is not UTF-8 goes as its bytes."""
    marks: list[str] = []
    parameters: dict[str, object] = {}
    for number, value in enumerate(values.values()):
        is_odd = isinstance(value, str) and any("\udc80" <= one <= "\udcff" for one in value)
        marks.append(f"CAST(:value{number} AS TEXT)" if is_odd else f":value{number}")
        parameters[f"value{number}"] = str(value).encode("utf-8", "surrogateescape") if is_odd else value
    return marks, parameters


def _numbers_done(migration: MigrationConnection, kept: KeptWrites) -> Iterator[int]:
    query = f"SELECT value FROM {KEPT} WHERE table_name = :place AND row_key = :id"
    for (value,) in migration.rows(query, {"place": PLACE, "id": kept.id}):
        yield from json.loads(value)


def _write_down(migration: MigrationConnection, kept: KeptWrites, came: set[int]) -> None:
    migration.execute(
        f"INSERT INTO {KEPT} (table_name, row_key, column_name, value, value_type, kept_at)"
        " VALUES (:place, :id, 'brought back', :numbers, 'text', :at)",
        {
            "place": PLACE,
            "id": kept.id,
            "numbers": json.dumps(sorted(came)),
            "at": clock.stored(clock.now()),
        },
    )
