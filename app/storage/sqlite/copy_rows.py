"""Rows of a private copy. How is a SQLite database that no one else uses read and changed, row by row?

Values are as they are stored: text that is not UTF-8 has surrogate escapes and is written back as its bytes.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from app.storage.schema import folded, quoted
from app.storage.sqlite.connect import opened_alone
from app.storage.sqlite.driver import open_database
from app.storage.sqlite.errors import as_storage_errors
from app.storage.sqlite.rows import kept, reading_text
from app.storage.sqlite.schema_table import tables_with_rows
from app.storage.sqlite.unusable import placeholders, unusable_objects
from app.storage.types import Key, Orphaned, Value, Values

_ROW_NUMBER = "rowid"


class CopyRows:
    """A private copy, open; made by `reading_rows` and `changing_rows`."""

    def __init__(self, sqlite: sqlite3.Connection) -> None:
        self._sqlite = sqlite
        self._names = {folded(name): name for name in tables_with_rows(sqlite)}

    def tables(self) -> tuple[str, ...]:
        """The ordinary tables, by name."""
        return tuple(self._names.values())

    def name_of(self, table: str) -> str | None:
        """The table's name as it is written here, whatever its case; None where there is none."""
        return self._names.get(folded(table))

    @as_storage_errors()
    def columns(self, table: str) -> tuple[str, ...]:
        """The columns that hold values, in order; not the generated ones."""
        query = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid"
        return tuple(name for (name,) in self._sqlite.execute(query, (table,)))

    @as_storage_errors()
    def key(self, table: str) -> tuple[str, ...]:
        """The columns of the primary key; the row number where there is none."""
        query = "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk"
        return tuple(name for (name,) in self._sqlite.execute(query, (table,))) or (_ROW_NUMBER,)

    @as_storage_errors()
    def hashes(self, table: str, columns: Iterable[str]) -> dict[Key, bytes]:
        """A hash of these columns for each row, by key; of no columns, of all alike."""
        key = self.key(table)
        chosen = ", ".join(map(quoted, (*key, *columns)))
        found = self._sqlite.execute(f"SELECT {chosen} FROM {quoted(table)}")
        return {tuple(row[: len(key)]): _hash(row[len(key) :]) for row in found}

    @as_storage_errors()
    def row(self, table: str, key: Key) -> Values | None:
        """A row, by column; None where there is none."""
        columns = self.columns(table)
        found = self._sqlite.execute(
            f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(table)} WHERE {self._is(table)}",
            [_bound(value) for value in key],
        ).fetchone()
        return None if found is None else dict(zip(columns, found, strict=True))

    @as_storage_errors()
    def keys_where(self, table: str, condition: str) -> set[Key]:
        """The keys of the rows `t` for which a condition of SQL holds."""
        key = ", ".join(f"t.{quoted(name)}" for name in self.key(table))
        found = self._sqlite.execute(f"SELECT {key} FROM {quoted(table)} AS t WHERE {condition}")
        return {tuple(row) for row in found}

    @as_storage_errors()
    def insert(self, table: str, row: Mapping[str, Value]) -> None:
        """Add a row."""
        names = ", ".join(map(quoted, row))
        values = ", ".join(map(_mark, row.values()))
        self._sqlite.execute(
            f"INSERT INTO {quoted(table)} ({names}) VALUES ({values})",
            [_bound(value) for value in row.values()],
        )

    @as_storage_errors()
    def update(self, table: str, key: Key, row: Mapping[str, Value]) -> None:
        """Set these columns of a row."""
        names = ", ".join(f"{quoted(name)} = {_mark(value)}" for name, value in row.items())
        self._sqlite.execute(
            f"UPDATE {quoted(table)} SET {names} WHERE {self._is(table)}",
            [*(_bound(value) for value in row.values()), *(_bound(value) for value in key)],
        )

    @as_storage_errors()
    def delete(self, table: str, key: Key) -> None:
        """Remove a row."""
        self._sqlite.execute(
            f"DELETE FROM {quoted(table)} WHERE {self._is(table)}", [_bound(value) for value in key]
        )

    @as_storage_errors()
    def statements_of(self, table: str) -> list[str]:
        """The statements that make a table and its indexes."""
        kinds = "type IN ('table', 'index') ORDER BY type DESC"
        query = f"SELECT sql FROM sqlite_master WHERE tbl_name = ? AND {kinds}"
        return [sql for (sql,) in self._sqlite.execute(query, (table,)) if sql]

    @as_storage_errors()
    def make(self, statements: Iterable[str]) -> None:
        """Run statements that make a table."""
        for statement in statements:
            self._sqlite.execute(statement)
        self._names = {folded(name): name for name in tables_with_rows(self._sqlite)}

    @as_storage_errors()
    def orphaned(self) -> set[Orphaned]:
        """Every foreign key that leads nowhere: table, row number, the other table, and the key it names."""
        found: set[Orphaned] = set()
        for table in self.tables():
            try:
                rows = self._sqlite.execute("SELECT * FROM pragma_foreign_key_check(?)", (table,)).fetchall()
            except sqlite3.OperationalError:
                continue  # a key to columns that are not unique: nothing to be compared
            for _, number, parent, which in rows:
                found.add((table, number, parent, self._named_by(table, number, which)))
        return found

    def row_number(self, table: str, key: Key) -> int | None:
        """The number of a row; None in a table without them."""
        try:
            query = f"SELECT rowid FROM {quoted(table)} WHERE {self._is(table)}"
            found = self._sqlite.execute(query, [_bound(value) for value in key]).fetchone()
        except sqlite3.OperationalError:
            return None
        return None if found is None else int(found[0])

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Take back what is done within, at its end: a trial."""
        self._sqlite.execute("SAVEPOINT attempt")
        try:
            yield
        finally:
            self._sqlite.execute("ROLLBACK TO attempt")
            self._sqlite.execute("RELEASE attempt")
            self._names = {folded(name): name for name in tables_with_rows(self._sqlite)}

    def _named_by(self, table: str, number: int | None, which: int) -> Value:
        query = 'SELECT "from" FROM pragma_foreign_key_list(?) WHERE id = ? AND seq = 0'
        (column,) = self._sqlite.execute(query, (table, which)).fetchone()
        if number is None:
            return None
        select = f"SELECT {quoted(column)} FROM {quoted(table)} WHERE rowid = ?"
        value: Value = self._sqlite.execute(select, (number,)).fetchone()[0]
        return value

    def _is(self, table: str) -> str:
        return " AND ".join(f"{quoted(name)} IS ?" for name in self.key(table))


@contextmanager
def reading_rows(path: Path) -> Iterator[CopyRows]:
    """Open a private copy for reading; it must need no companion.

    What the owner's tables lack here (a collation, a function) has a placeholder: every row can be read.
    """
    with as_storage_errors(), opened_alone(path) as connection:
        lacking = unusable_objects(connection)
        with reading_text(connection, kept), placeholders(connection, lacking):
            yield CopyRows(connection)


@contextmanager
def changing_rows(path: Path) -> Iterator[CopyRows]:
    """Open a private copy in one transaction, which is committed at the end; triggers do not fire."""
    with as_storage_errors():
        connection = open_database(f"{path.absolute().as_uri()}?mode=rw")
        try:
            connection.execute("PRAGMA foreign_keys=OFF")
            connection.execute("PRAGMA synchronous=OFF")  # the caller copies it whole
            connection.text_factory = kept
            connection.execute("BEGIN IMMEDIATE")
            resting = _triggers(connection)
            for name, _ in resting:
                connection.execute(f"DROP TRIGGER {quoted(name)}")
            yield CopyRows(connection)
            for _, statement in resting:
                connection.execute(statement)
            connection.execute("COMMIT")
        finally:
            connection.close()


def _triggers(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid"
    return list(connection.execute(query))


def _hash(values: tuple[object, ...]) -> bytes:
    return hashlib.blake2b(repr(values).encode("utf-8", "surrogatepass"), digest_size=20).digest()


def _is_no_utf8(value: Value) -> bool:
    return isinstance(value, str) and any("\udc80" <= one <= "\udcff" for one in value)


def _mark(value: Value) -> str:
    return "CAST(? AS TEXT)" if _is_no_utf8(value) else "?"


def _bound(value: Value) -> Value:
    if isinstance(value, str) and _is_no_utf8(value):
        return value.encode("utf-8", "surrogateescape")
    return value
