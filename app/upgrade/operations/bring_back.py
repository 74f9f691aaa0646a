"""Kept writes, brought back. How does what a rollback kept come into the database with the next upgrade?

Inside the upgrade's transaction, after what was there has been verified (`waiting_writes` says what is to
come). A file of which nothing is left is removed after the commit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app import log
from app.storage.schema import Table, folded
from app.storage.types import Key, MigrationConnection, StorageError, Value
from app.upgrade.operations.keyed_rows import KeyedRows, key_of
from app.upgrade.records.kept_writes import KeptRow, is_moment
from app.upgrade.records.waiting_writes import KEPT, Waiting, WaitingFile, in_words, write_down

if TYPE_CHECKING:
    from pathlib import Path

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


def bring_back(waiting: Waiting, migration: MigrationConnection, since: str) -> BroughtBack:
    """Put back what rollbacks kept, as far as it fits; what does not stays in its file, and is told.

    ``since`` is when this upgrade began: a row with a later moment in it is one that a step has made.
    Writes inside the caller's transaction. Raises StorageError for anything but a row that does not fit.
    """
    result = BroughtBack(notes=list(waiting.notes))
    if not waiting.files or not migration.has("table", KEPT):
        return result
    result.finished += waiting.superseded
    set_aside = migration.drop_triggers()
    for file in waiting.files:
        _bring(migration, file, since, result)
    migration.create_again(set_aside)
    return result


def _bring(migration: MigrationConnection, file: WaitingFile, since: str, result: BroughtBack) -> None:
    bringing = _Bringing(migration, file, since)
    bringing.run()
    rows, came, left = file.kept.rows, bringing.came, bringing.left
    if came:
        by_table = in_words(Counter(rows[number].table for number in came))
        are = "1 row" if len(came) == 1 else f"{len(came)} rows"
        result.notes.append(
            f"Back from what the rollback of {file.kept.written_at} kept: {are} ({by_table})."
        )
    if left:
        result.notes.append(
            f"1 row stays in {file.path}, because it does not fit."
            if len(left) == 1
            else f"{len(left)} rows stay in {file.path}, because they do not fit."
        )
        result.notes += [
            f"{rows[number].table} {_key(rows[number])} stays: {why}." for number, why in left.items()
        ]
    else:
        result.finished.append(file.path)


def _key(row: KeptRow) -> str:
    return ", ".join(map(str, row.key))


class _Bringing:
    """The rows of one file on their way into one database."""

    def __init__(self, migration: MigrationConnection, file: WaitingFile, since: str) -> None:
        self.migration, self.kept, self.since = migration, file.kept, since
        self.waiting = file.waiting()
        self.rows = KeyedRows(migration)
        self.came: set[int] = set()
        self.left: dict[int, str] = {}
        self.moved: dict[tuple[str, Value], Value] = {}

    def run(self) -> None:
        """Bring what fits, again and again while that opens a way for more; write down what came."""
        waiting = self.waiting
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
        self.rows.raise_counters(self.kept.counters)
        if self.came:
            self.migration.count_on()
            write_down(self.migration, self.kept, self.came)

    def _tried(self, number: int, waiting: set[int]) -> str:
        """Bring one row; return why not, "" where it came."""
        row = self.kept.rows[number]
        if folded(row.table) not in self.rows.tables:
            return "there is no such table"
        name, table = self.rows.tables[folded(row.table)]
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
            if not self.rows.has(key.parent, key.parent_columns[:1] or ("id",), (values[column],)):
                return f"the row of {key.parent} that it names is not there"
        names = key_of(table)
        current = self.rows.find(name, names, tuple(values.get(column) for column in names))
        if names and current is not None:
            if all(current[column] == value for column, value in values.items()):
                return ""
            if names != ("id",):
                if not self._is_of_this_run(current):
                    return "there is another row with this key"
                # a default that the step gave, where nothing had come back yet
                self.rows.update(name, names, tuple(values[column] for column in names), values)
                return ""
            values["id"] = self.rows.free_id(name, self.kept.counters.get(name, 0))
            self.moved[folded(name), row.key[0]] = values["id"]
        self.rows.insert(name, values)
        return ""

    def _is_of_this_run(self, row: Mapping[str, Value]) -> bool:
        return any(is_moment(value) and str(value) >= self.since for value in row.values())

    def _is_row(self, number: int, table: str, key: Value) -> bool:
        other = self.kept.rows[number]
        return other.what == "added" and folded(other.table) == table and other.key == (key,)

    def _changed(self, name: str, table: Table, row: KeptRow) -> str:
        assert row.now is not None
        names = key_of(table)
        current = self.rows.find(name, names, self._key_now(name, row))
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
            self.rows.update(name, names, self._key_now(name, row), wanted)
        return ""

    def _removed(self, name: str, table: Table, row: KeptRow) -> str:
        names = key_of(table)
        current = self.rows.find(name, names, row.key)
        if current is None:
            return "" if names else "the table has no key to find it by"
        if any(current.get(column, value) != value for column, value in (row.was or {}).items()):
            return "the row was changed meanwhile"
        if child := next(self.rows.children_of(name, row.key), None):
            return f"a row of {child} names it"
        self.rows.delete(name, names, row.key)
        return ""

    def _key_now(self, name: str, row: KeptRow) -> Key:
        return (self.moved.get((folded(name), row.key[0]), row.key[0]), *row.key[1:])
