"""Rows of a private copy. How is a database on a server that no one else uses read and changed, row by row?

Foreign keys rest while rows are changed, as they do in SQLite: they are dropped first and made again at the
end, which fails where one leads nowhere by then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from app.storage.postgresql import schema, sequences
from app.storage.postgresql.connection import PostgreSQLConnection
from app.storage.postgresql.driver import connect
from app.storage.postgresql.errors import as_storage_errors
from app.storage.schema import ForeignKey, Schema, folded, quoted
from app.storage.types import Key, Orphaned, Value, Values

_ROW_NUMBER = "ctid"
_FOREIGN_KEYS = """
SELECT c.relname, k.conname, pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.contype = 'f' AND c.relnamespace = current_schema()::regnamespace ORDER BY c.relname, k.conname
"""


class CopyRows:
    """A private copy, open; made by `reading_rows` and `changing_rows`."""

    def __init__(self, connection: PostgreSQLConnection) -> None:
        self._connection = connection
        self._driver = connection.driver
        self._keys = _foreign_keys(connection.schema())
        self._names = {folded(name): name for name in connection.tables()}

    def tables(self) -> tuple[str, ...]:
        """The tables, by name."""
        return tuple(self._names.values())

    def name_of(self, table: str) -> str | None:
        """The table's name as it is written here, whatever its case; None where there is none."""
        return self._names.get(folded(table))

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns that hold values, in order."""
        found = self._connection.schema().tables[self._names[folded(table)]].columns
        return tuple(name for name, column in found.items() if not column.hidden)

    def key(self, table: str) -> tuple[str, ...]:
        """The columns of the primary key; where the row is where there is none."""
        return self._connection.primary_key(table) or (_ROW_NUMBER,)

    def hashes(self, table: str, columns: Iterable[str]) -> dict[Key, bytes]:
        """A hash of these columns for each row, by key; of no columns, of all alike."""
        key = self.key(table)
        chosen = ", ".join(_term(name) for name in (*key, *columns))
        found = self._asked(f"SELECT {chosen} FROM {quoted(table)}")
        return {tuple(row[: len(key)]): _hash(row[len(key) :]) for row in found}

    def row(self, table: str, key: Key) -> Values | None:
        """A row, by column; None where there is none."""
        columns = self.columns(table)
        chosen = ", ".join(map(quoted, columns))
        found = self._asked(f"SELECT {chosen} FROM {quoted(table)} WHERE {self._is(table)}", key)
        return dict(zip(columns, found[0], strict=True)) if found else None

    def keys_where(self, table: str, condition: str) -> set[Key]:
        """The keys of the rows `t` for which a condition of SQL holds."""
        key = ", ".join(f"t.{_term(name)}" for name in self.key(table))
        return set(
            self._asked(f"SELECT {key} FROM {quoted(table)} AS t WHERE {condition}".replace("%", "%%"))
        )

    def insert(self, table: str, row: Mapping[str, Value]) -> None:
        """Add a row."""
        names, marks = ", ".join(map(quoted, row)), ", ".join(["%s"] * len(row))
        self._done(f"INSERT INTO {quoted(table)} ({names}) VALUES ({marks})", row.values())

    def update(self, table: str, key: Key, row: Mapping[str, Value]) -> None:
        """Set these columns of a row."""
        names = ", ".join(f"{quoted(name)} = %s" for name in row)
        self._done(f"UPDATE {quoted(table)} SET {names} WHERE {self._is(table)}", (*row.values(), *key))

    def delete(self, table: str, key: Key) -> None:
        """Remove a row."""
        self._done(f"DELETE FROM {quoted(table)} WHERE {self._is(table)}", key)

    def statements_of(self, table: str) -> list[str]:
        """The statements that make a table and its indexes; keys to other tables are left out."""
        name, have = self._names[folded(table)], self._connection.schema()
        indexes = {one: index for one, index in have.indexes.items() if index.table == name}
        return list(schema.statements_of(Schema({name: have.tables[name]}, indexes)))

    def make(self, statements: Iterable[str]) -> None:
        """Run statements that make a table."""
        for statement in statements:
            self._done(statement, None)
        self._names = {folded(name): name for name in self._connection.tables()}

    def orphaned(self) -> set[Orphaned]:
        """Every foreign key that leads nowhere: table, row number, the other table, and the key it names."""
        return {orphan for table, key in self._keys for orphan in self._orphaned(table, key)}

    def _orphaned(self, table: str, key: ForeignKey) -> Iterator[Orphaned]:
        if self.name_of(table) is None or self.name_of(key.parent) is None:
            return
        pairs = list(zip(key.columns, key.parent_columns, strict=True))
        same = " AND ".join(f"p.{quoted(theirs)} = t.{quoted(mine)}" for mine, theirs in pairs)
        filled = " AND ".join(f"t.{quoted(mine)} IS NOT NULL" for mine, _ in pairs)
        number = self._number(table)
        found = self._asked(
            f"SELECT {number}, t.{quoted(key.columns[0])} FROM {quoted(table)} t WHERE {filled}"
            f" AND NOT EXISTS (SELECT 1 FROM {quoted(key.parent)} p WHERE {same})"
        )
        for row, named in found:
            yield table, row, key.parent, named

    def row_number(self, table: str, key: Key) -> int | None:
        """The number of a row, where its key is one; None elsewhere."""
        return key[0] if len(key) == 1 and isinstance(key[0], int) else None

    def _number(self, table: str) -> str:
        key = self.key(table)
        return f"t.{quoted(key[0])}" if len(key) == 1 and key[0] != _ROW_NUMBER else "NULL::bigint"

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Take back what is done within, at its end: a trial."""
        self._done("SAVEPOINT attempt", None)
        try:
            yield
        finally:
            self._done("ROLLBACK TO SAVEPOINT attempt", None)
            self._done("RELEASE SAVEPOINT attempt", None)
            self._names = {folded(name): name for name in self._connection.tables()}

    @as_storage_errors()
    def _asked(self, query: str, parameters: Iterable[Value] = ()) -> list[Any]:
        return self._driver.execute(query.encode(), list(parameters)).fetchall()

    @as_storage_errors()
    def _done(self, statement: str, parameters: Iterable[Value] | None) -> None:
        """Run a statement; one that fails leaves the transaction as it was before it."""
        if parameters is None:
            self._driver.execute(statement.encode())
            return
        with self._driver.transaction():
            self._driver.execute(statement.encode(), list(parameters))

    def _is(self, table: str) -> str:
        return " AND ".join(f"{_term(name)} IS NOT DISTINCT FROM %s" for name in self.key(table))


@contextmanager
def reading_rows(url: str) -> Iterator[CopyRows]:
    """Open a private copy for reading."""
    with as_storage_errors(), closing(connect(url)) as driver:
        driver.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield CopyRows(PostgreSQLConnection(driver))


@contextmanager
def changing_rows(url: str) -> Iterator[CopyRows]:
    """Open a private copy in one transaction, which is committed at the end; keys rest, triggers do not."""
    with as_storage_errors(), closing(connect(url)) as driver:
        driver.execute("BEGIN")
        rows = CopyRows(PostgreSQLConnection(driver))
        resting = driver.execute(_FOREIGN_KEYS.encode()).fetchall()
        for table, name, _ in resting:
            driver.execute(f"ALTER TABLE {quoted(table)} DROP CONSTRAINT {quoted(name)}".encode())
        yield rows
        sequences.count_on(driver)  # rows were put in with their ids
        for table, name, definition in resting:
            driver.execute(f"ALTER TABLE {quoted(table)} ADD CONSTRAINT {quoted(name)} {definition}".encode())
        driver.execute("COMMIT")


def _foreign_keys(found: Schema) -> list[tuple[str, ForeignKey]]:
    return [
        (name, key)
        for name, table in found.tables.items()
        for key in sorted(table.foreign_keys, key=lambda one: one.columns)
    ]


def _term(name: str) -> str:
    return "ctid::text" if name == _ROW_NUMBER else quoted(name)


def _hash(values: tuple[object, ...]) -> bytes:
    return hashlib.blake2b(repr(values).encode("utf-8", "surrogatepass"), digest_size=20).digest()
