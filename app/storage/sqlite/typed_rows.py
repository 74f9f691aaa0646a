"""Typed rows of SQLite. How are all its rows read and written, each value with its type?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from app.storage.schema import folded, quoted
from app.storage.sqlite.errors import as_storage_errors
from app.storage.sqlite.rows import kept, reading_text
from app.storage.sqlite.schema_table import INDEX_TABLES
from app.storage.typed_rows import TypedRow
from app.storage.types import StorageConnection, Value

_ROWS_AT_ONCE = 500


class SQLiteTypedRows:
    """The rows of an open SQLite database, in whatever transaction it is."""

    def __init__(self, connection: StorageConnection, sqlite: sqlite3.Connection) -> None:
        """``sqlite`` is the driver's connection below the other."""
        self._connection = connection
        self._sqlite = sqlite

    def each(self, table: str, columns: Sequence[str]) -> Iterator[TypedRow]:
        """These columns of every row, in the order of the primary key, or else as they were written."""
        key = ", ".join(map(quoted, self._connection.primary_key(table))) or "rowid"
        chosen = ", ".join(map(quoted, columns)) or "NULL"
        query = f"SELECT {chosen} FROM {quoted(table)} ORDER BY {key}"
        cursor = self._sqlite.cursor()
        with as_storage_errors():
            cursor.execute(query)
            while True:
                with reading_text(self._sqlite, kept):  # for each batch: who asks may read otherwise between
                    batch = cursor.fetchmany(_ROWS_AT_ONCE)
                if not batch:
                    return
                yield from batch

    def counters(self) -> dict[str, int]:
        """The highest id that each AUTOINCREMENT table has given out."""
        return self._connection.counters()

    @as_storage_errors()
    def owners_statements(self, ours: Iterable[str]) -> list[tuple[str, str, str]]:
        """What stands in the schema besides what has one of these names; what SQLite made itself is not."""
        known = {*map(folded, ours), *INDEX_TABLES}
        query = (
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%'"
            " ESCAPE '\\' ORDER BY rowid"
        )
        found = self._sqlite.execute(query).fetchall()
        return [(kind, name, sql) for kind, name, sql in found if folded(name) not in known]

    def foreign_objects(self, ours: Iterable[str]) -> list[str]:
        """Nothing: a statement that SQLite keeps makes each of its objects."""
        return []

    @as_storage_errors()
    def insert_all(self, table: str, columns: Sequence[str], rows: Iterable[TypedRow]) -> int:
        """Add rows to a table; return how many they were."""
        before = self._sqlite.total_changes
        left = iter(rows)
        names = ", ".join(map(quoted, columns))
        plain = f"INSERT INTO {quoted(table)} ({names}) VALUES ({', '.join('?' * len(columns))})"
        for row in left:
            if _is_plain(row):
                odd: list[TypedRow] = []
                self._sqlite.executemany(plain, chain((row,), _until_odd(left, odd)))
                for one in odd:
                    self._insert_odd(table, names, one)
            else:
                self._insert_odd(table, names, row)
        return self._sqlite.total_changes - before

    def _insert_odd(self, table: str, names: str, row: TypedRow) -> None:
        marks = ", ".join("?" if _is_utf8(value) else "CAST(? AS TEXT)" for value in row)
        values = [value if _is_utf8(value) else _bytes_of(value) for value in row]
        self._sqlite.execute(f"INSERT INTO {quoted(table)} ({names}) VALUES ({marks})", values)

    @as_storage_errors()
    def delete_all(self, table: str) -> None:
        """Remove every row of a table."""
        self._sqlite.execute(f"DELETE FROM {quoted(table)}")

    def counting_tables(self) -> tuple[str, ...]:
        """The AUTOINCREMENT tables."""
        return tuple(name for name, table in self._connection.schema().tables.items() if table.autoincrement)

    @as_storage_errors()
    def set_counter(self, table: str, last_id: int) -> None:
        """Let an AUTOINCREMENT table go on behind this id."""
        self._sqlite.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        self._sqlite.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last_id))

    @as_storage_errors()
    def make(self, statement: str) -> None:
        """Run a statement that makes something which its owner had; what is there already is left alone.

        The tables in which a virtual table keeps its content come with it.
        """
        try:
            self._sqlite.execute(statement)
        except sqlite3.OperationalError as error:
            if "already exists" not in str(error):
                raise


def _until_odd(rows: Iterator[TypedRow], odd: list[TypedRow]) -> Iterator[TypedRow]:
    for row in rows:
        if not _is_plain(row):
            odd.append(row)
            return
        yield row


def _is_plain(row: TypedRow) -> bool:
    return all(map(_is_utf8, row))


def _is_utf8(value: Value) -> bool:
    if not isinstance(value, str) or value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _bytes_of(value: Value) -> Value:
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
