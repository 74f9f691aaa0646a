"""Rows by key. How is one row of a table found, put in or changed in an upgrade's transaction, by its key?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from app.storage.schema import Schema, Table, folded, quoted
from app.upgrade.records.waiting_writes import COUNTERS

if TYPE_CHECKING:
    from app.storage.types import Key, MigrationConnection, Value

LARGEST_ID = 2**53


class KeyedRows:
    """The rows of all tables, as the caller's transaction has them. Every method raises StorageError."""

    def __init__(self, migration: MigrationConnection) -> None:
        self.migration = migration
        self.schema: Schema = migration.schema()
        self.tables = {folded(name): (name, found) for name, found in self.schema.tables.items()}

    def find(self, name: str, names: tuple[str, ...], key: Key) -> dict[str, Value] | None:
        """Return the row by column; None where there is none, and where the table has no key."""
        if not names:
            return None
        columns = self.migration.columns(name)
        where, parameters = _where(names, key)
        chosen = ", ".join(map(quoted, columns))
        found = self.migration.rows(f"SELECT {chosen} FROM {quoted(name)} WHERE {where}", parameters)
        return dict(zip(columns, found[0], strict=True)) if found else None

    def has(self, name: str, names: tuple[str, ...], key: Key) -> bool:
        """Return whether there is a row with these values; False where there is no such table."""
        if folded(name) not in self.tables:
            return False
        where, parameters = _where(names, key)
        return bool(self.migration.rows(f"SELECT 1 FROM {quoted(name)} WHERE {where}", parameters))

    def children_of(self, name: str, key: Key) -> Iterator[str]:
        """Yield the tables of which a row names this one."""
        for child, found in self.schema.tables.items():
            for foreign in found.foreign_keys:
                if folded(foreign.parent) == folded(name) and self.has(child, foreign.columns[:1], key[:1]):
                    yield child

    def insert(self, name: str, values: Mapping[str, Value]) -> None:
        """Put a row in; text that is not UTF-8 goes as its bytes."""
        names = ", ".join(map(quoted, values))
        marks, parameters = _marks(values)
        self.migration.execute(
            f"INSERT INTO {quoted(name)} ({names}) VALUES ({', '.join(marks)})", parameters
        )

    def update(self, name: str, names: tuple[str, ...], key: Key, values: Mapping[str, Value]) -> None:
        """Change columns of a row."""
        marks, parameters = _marks(values)
        sets = ", ".join(f"{quoted(column)} = {mark}" for column, mark in zip(values, marks, strict=True))
        where, of_key = _where(names, key)
        self.migration.execute(f"UPDATE {quoted(name)} SET {sets} WHERE {where}", {**parameters, **of_key})

    def delete(self, name: str, names: tuple[str, ...], key: Key) -> None:
        """Remove a row."""
        where, parameters = _where(names, key)
        self.migration.execute(f"DELETE FROM {quoted(name)} WHERE {where}", parameters)

    def free_id(self, name: str, at_least: int) -> int:
        """Return an id that no row has or had, above ``at_least``."""
        return max(self._highest_id(name), at_least, self._counter(name)) + 1

    def raise_counters(self, counters: Mapping[str, int]) -> None:
        """No id is given a second time: neither one of ``counters`` nor one that is there by now."""
        if COUNTERS not in self.tables:
            return
        for table, last in counters.items():
            highest = last
            if folded(table) in self.tables and "id" in self.tables[folded(table)][1].columns:
                highest = max(last, self._highest_id(table))
            self.migration.execute(
                f"UPDATE {COUNTERS} SET last_id = :last WHERE table_name = :name AND last_id < :last",
                {"last": highest, "name": table},
            )

    def _highest_id(self, name: str) -> int:
        found = self.migration.rows(f"SELECT max(id) FROM {quoted(name)} WHERE id < {LARGEST_ID}")
        return int(found[0][0] or 0)

    def _counter(self, name: str) -> int:
        if COUNTERS not in self.tables:
            return 0
        query = f"SELECT last_id FROM {COUNTERS} WHERE table_name = :name"
        return max((int(row[0]) for row in self.migration.rows(query, {"name": name})), default=0)


def key_of(table: Table) -> tuple[str, ...]:
    """Return the columns of the primary key, in its order; none where there is none."""
    keys = [(column.pk, name) for name, column in table.columns.items() if column.pk]
    return tuple(name for _, name in sorted(keys))


def _where(names: tuple[str, ...], key: Key) -> tuple[str, dict[str, object]]:
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
