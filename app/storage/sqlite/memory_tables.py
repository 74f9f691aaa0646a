"""Tables in memory. How does SQL work on a few rows that are in no database?

The tables have columns and nothing else: no types, no keys, no constraints, so that parts of rows fit, too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from app.storage.schema import quoted
from app.storage.types import Value, Values


class SQLiteMemoryTables:
    """Tables in memory, as `storage.types.MemoryTables` says."""

    def __init__(self, tables: Mapping[str, Collection[str]]) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._columns = {name: tuple(columns) for name, columns in tables.items()}
        for name, columns in self._columns.items():
            self._connection.execute(f"CREATE TABLE {quoted(name)} ({', '.join(map(quoted, columns))})")

    def columns(self, table: str) -> Sequence[str]:
        """The columns of a table; none where it is not there."""
        return self._columns.get(table, ())

    def rows(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Sequence[Sequence[Any]]:
        """The rows of a SELECT."""
        return self._connection.execute(statement, parameters or {}).fetchall()

    def execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> object:
        """Change something."""
        return self._connection.execute(statement, parameters or {})

    def add(self, table: str, values: Values) -> int:
        """Put a row in; return its number."""
        names, marks = ", ".join(map(quoted, values)), ", ".join("?" * len(values))
        made = self._connection.execute(
            f"INSERT INTO {quoted(table)} ({names}) VALUES ({marks})", list(map(_sayable, values.values()))
        )
        assert made.lastrowid is not None
        return made.lastrowid

    def now(self, table: str, number: int, values: Values) -> Values | None:
        """Return what became of a row that was put in with these values; None where it is gone."""
        chosen = ", ".join(map(quoted, values)) or "NULL"
        query = f"SELECT {chosen} FROM {quoted(table)} WHERE rowid = ?"
        found = self._connection.execute(query, (number,)).fetchone()
        if found is None:
            return None
        cells = zip(values.items(), found, strict=bool(values))
        return {name: value if _sayable(value) == cell else cell for (name, value), cell in cells}

    def close(self) -> None:
        """Forget all of it."""
        self._connection.close()


def _sayable(value: Value) -> Value:
    """Text that is no UTF-8 goes as its bytes."""
    if not isinstance(value, str):
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")
    return value
