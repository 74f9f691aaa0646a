"""Typed rows of PostgreSQL. How are all its rows read and written, each value with its type?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from app.storage.postgresql.adapted import first_line_only
from app.storage.postgresql.errors import as_storage_errors
from app.storage.postgresql.sequences import LAST_WITH_ROOM, highest_with_room
from app.storage.postgresql.types import OWN_TABLE
from app.storage.schema import quoted
from app.storage.typed_rows import TypedRow
from app.storage.types import StorageConnection

_ROWS_AT_ONCE = 1000
_OTHERS = """
SELECT CASE WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END, c.relname FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
UNION ALL
SELECT 'trigger', t.tgname
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal
"""


class PostgreSQLTypedRows:
    """The rows of an open database on a server, in whatever transaction it is."""

    def __init__(self, connection: StorageConnection, driver: psycopg.Connection[Any]) -> None:
        """``driver`` is the driver's connection below the other."""
        self._connection = connection
        self._driver = driver

    def each(self, table: str, columns: Sequence[str]) -> Iterator[TypedRow]:
        """These columns of every row, by primary key; the server keeps those that were not read yet."""
        key = ", ".join(map(quoted, self._connection.primary_key(table))) or "1"
        chosen = ", ".join(map(quoted, columns)) or "NULL"
        query = f"SELECT {chosen} FROM {quoted(table)} ORDER BY {key}"
        with as_storage_errors(), rows_on_server(self._driver, f"each_{table}") as cursor:
            cursor.execute(query.encode())
            while batch := cursor.fetchmany(_ROWS_AT_ONCE):
                yield from batch

    def counters(self) -> dict[str, int]:
        """The highest id that each table has given out whose ids the server draws."""
        return self._connection.counters()

    def owners_statements(self, ours: Iterable[str]) -> list[tuple[str, str, str]]:
        """Nothing: PostgreSQL keeps no statement that another engine would understand."""
        return []

    @as_storage_errors()
    def foreign_objects(self, ours: Iterable[str]) -> list[str]:
        """The tables, views and triggers besides tables of these names."""
        known = {*ours, OWN_TABLE}
        found = self._driver.execute(_OTHERS.encode()).fetchall()
        return [f"the {kind} {name}" for kind, name in found if name not in known]

    @as_storage_errors()
    def insert_all(self, table: str, columns: Sequence[str], rows: Iterable[TypedRow]) -> int:
        """Add rows to a table, by COPY; return how many they were."""
        names = ", ".join(map(quoted, columns))
        count = 0
        with (
            first_line_only(),
            self._driver.cursor() as cursor,
            cursor.copy(f"COPY {quoted(table)} ({names}) FROM STDIN".encode()) as copy,
        ):
            for row in rows:
                copy.write_row(row)
                count += 1
        return count

    @as_storage_errors()
    def delete_all(self, table: str) -> None:
        """Remove every row of a table."""
        self._driver.execute(f"DELETE FROM {quoted(table)}".encode())

    def counting_tables(self) -> tuple[str, ...]:
        """The tables whose ids the server draws where none is given."""
        return tuple(name for name, table in self._connection.schema().tables.items() if table.autoincrement)

    @as_storage_errors()
    def set_counter(self, table: str, last_id: int) -> None:
        """Let the ids that the server draws for a table go on behind this one."""
        key = self._connection.primary_key(table)[0]
        if last_id > LAST_WITH_ROOM:
            last_id = highest_with_room(self._driver, table, key)
        query = b"SELECT setval(pg_get_serial_sequence(%s, %s)::regclass, greatest(%s, 1)::bigint, %s > 0)"
        self._driver.execute(query, (quoted(table), key, last_id, last_id))

    def make(self, statement: str) -> None:
        """Nothing of an owner is made here: it is written for SQLite, and kept instead."""
        raise TypeError("what an owner made is kept as its statement on PostgreSQL")


@contextmanager
def rows_on_server(driver: psycopg.Connection[Any], name: str) -> Iterator[psycopg.ServerCursor[Any]]:
    """A cursor whose rows stay on the server until they are asked for.

    Its end never raises: it may be that of a generator which no one goes on with, where nothing can be
    raised, and a connection that was lost meanwhile says so at whatever it is asked next.
    """
    cursor = driver.cursor(name=name)
    try:
        yield cursor
    finally:
        try:
            cursor.close()
        except psycopg.Error:
            driver.close()  # it was lost, or its statement broken off; the cursor is gone with it
            cursor.close()
