"""SQLite connection. How is an open SQLite database asked what the storage protocol asks?"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Literal, cast

from app.storage.schema import Schema, quoted
from app.storage.sqlite import counting, integrity, rows, schema, soundness, unusable
from app.storage.sqlite.errors import as_storage_errors
from app.storage.sqlite.schema_table import tables_with_rows
from app.storage.sqlite.typed_rows import SQLiteTypedRows
from app.storage.typed_rows import Digests
from app.storage.types import (
    NOTHING,
    EngineName,
    Mark,
    Orphan,
    Parameters,
    Row,
    Soundness,
    StorageConnection,
    TableDigest,
    UnusableObject,
)


class SQLiteConnection:
    """An open SQLite database; ``sqlite`` is the driver's connection, for what is asked of SQLite only."""

    engine_name: EngineName = "sqlite"

    def __init__(self, sqlite: sqlite3.Connection) -> None:
        self.sqlite = sqlite

    # -- what it is

    @as_storage_errors()
    def schema(self) -> Schema:
        """The schema, without SQLite's own tables."""
        return schema.schema_of(self.sqlite)

    def digests(self) -> Digests:
        """None: what is in a file, its bytes tell."""
        return {}

    def typed_rows(self) -> SQLiteTypedRows:
        """Its rows, each value with its type; see `typed_rows`."""
        return SQLiteTypedRows(self, self.sqlite)

    def spelled(self, sheet: Schema) -> Schema:
        """As it is: sheets are written for SQLite."""
        return sheet

    @as_storage_errors()
    def mark(self) -> Mark:
        """The application id and the user version of the header."""
        return Mark(
            int(rows.value(self.sqlite, "PRAGMA application_id")),
            int(rows.value(self.sqlite, "PRAGMA user_version")),
        )

    @as_storage_errors()
    def has(self, kind: Literal["table", "index"], name: str) -> bool:
        """Whether there is a table or an index of that name, whatever its case."""
        query = "SELECT 1 FROM sqlite_master WHERE type = ? AND name = ? COLLATE NOCASE"
        return rows.value(self.sqlite, query, (kind, name)) is not None

    @as_storage_errors()
    def tables(self) -> tuple[str, ...]:
        """The ordinary tables, by name; not SQLite's own, nor virtual ones, nor those it cannot parse."""
        unparsed = {one.name for one in unusable.unparsed_objects(self.sqlite)}
        return tuple(name for name in tables_with_rows(self.sqlite) if name not in unparsed)

    @as_storage_errors()
    def columns(self, table: str) -> tuple[str, ...]:
        """The columns that can be read, the generated ones too; none where there is no such table."""
        query = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid"
        return tuple(name for (name,) in rows.rows(self.sqlite, query, (table,)))

    @as_storage_errors()
    def primary_key(self, table: str) -> tuple[str, ...]:
        """The columns of the primary key, in their order."""
        query = "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk"
        return tuple(name for (name,) in rows.rows(self.sqlite, query, (table,)))

    @as_storage_errors()
    def page_bytes(self) -> int:
        """The size of a page."""
        return int(rows.value(self.sqlite, "PRAGMA page_size"))

    # -- what it holds

    @as_storage_errors()
    def count(self, table: str) -> int:
        """How many rows a table has."""
        return counting.count(self.sqlite, table)

    @as_storage_errors()
    def counters(self) -> dict[str, int]:
        """The highest id that each AUTOINCREMENT table has given out."""
        if not self.has("table", "sqlite_sequence"):
            return {}
        query = "SELECT name, max(CAST(seq AS INTEGER)) FROM sqlite_sequence GROUP BY name"
        return dict(cast("list[tuple[str, int]]", rows.rows(self.sqlite, query)))

    @as_storage_errors()
    def rows(self, statement: str, parameters: Parameters = NOTHING) -> list[Row]:
        """All rows of a SELECT; bytes that are not UTF-8 become U+FFFD."""
        return rows.rows(self.sqlite, statement, parameters)

    def each_row(self, statement: str, parameters: Parameters = NOTHING) -> Iterator[Row]:
        """The rows of a SELECT, one by one, as `rows` gives them."""
        with as_storage_errors(), rows.reading_text(self.sqlite, rows.replaced):
            yield from self.sqlite.execute(statement, parameters)

    def as_written(self, table: str, columns: Iterable[str]) -> list[Row]:
        """These columns of a table, in the order of its rows; a column that is not there is None."""
        have = {name.lower() for name in self.columns(table)}
        chosen = ", ".join(quoted(name) if name in have else "NULL" for name in columns)
        return self.rows(f"SELECT {chosen} FROM {quoted(table)} ORDER BY rowid")

    def row_numbers(self, table: str) -> tuple[int, ...] | None:
        """The rowid of each row; None in a table WITHOUT ROWID."""
        try:
            found = self.sqlite.execute(f"SELECT rowid FROM {quoted(table)}")
            return tuple(number for (number,) in found)
        except sqlite3.OperationalError:
            return None

    @as_storage_errors()
    def digest(
        self, table: str, columns: Iterable[str], row_numbers: Iterable[int] | None = None
    ) -> TableDigest:
        """Count and hash of these columns of a table, or of the rows with these rowids."""
        select = f"SELECT {', '.join(map(quoted, columns)) or 'NULL'} FROM {quoted(table)}"
        if row_numbers is None:
            return integrity.rows_digest(self.sqlite, select)
        select += " WHERE rowid IN (SELECT value FROM json_each(?))"
        return integrity.rows_digest(self.sqlite, select, (json.dumps(tuple(row_numbers)),))

    # -- whether it is sound

    @as_storage_errors()
    def soundness(self) -> Soundness:
        """What the check of every page and row found; see `soundness`."""
        return soundness.soundness_of(self.sqlite)

    @as_storage_errors()
    def unusable_objects(self) -> list[UnusableObject]:
        """What in the schema this SQLite cannot use; see `unusable`."""
        return unusable.unusable_objects(self.sqlite)

    @as_storage_errors()
    def has_whole_schema(self) -> bool:
        """Whether SQLite could parse all of the schema when it was opened for looking."""
        return not unusable.unparsed_objects(self.sqlite)

    def placeholders(self) -> AbstractContextManager[None]:
        """While this lasts, something stands for what the owner's objects lack; see `unusable`."""
        return unusable.placeholders(self.sqlite, self.unusable_objects())

    @as_storage_errors()
    def orphans(self) -> list[Orphan]:
        """Every row whose foreign key names a row that is not there."""
        return integrity.foreign_key_faults(self.sqlite)

    @as_storage_errors()
    def orphans_count(self) -> int:
        """How many foreign keys lead nowhere; a table whose keys cannot be checked counts as one."""
        return counting.orphans_count(self.sqlite)


def driver_of(connection: StorageConnection) -> sqlite3.Connection:
    """The driver's connection below it. Raises TypeError for a database of another engine."""
    if not isinstance(connection, SQLiteConnection):
        raise TypeError("this is asked of SQLite only")
    return connection.sqlite
