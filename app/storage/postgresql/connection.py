"""PostgreSQL connection. How is an open database asked what the storage protocol asks?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache, partial
from typing import Any, Literal, cast

import psycopg

from app.storage.postgresql import mark, schema
from app.storage.postgresql.errors import as_storage_errors
from app.storage.postgresql.typed_rows import PostgreSQLTypedRows, rows_on_server
from app.storage.postgresql.types import OWN_TABLE
from app.storage.row_digest import digest_of
from app.storage.schema import ForeignKey, Schema, quoted
from app.storage.typed_rows import Digests
from app.storage.typed_rows import digest_of as rows_digest_of
from app.storage.types import (
    NOTHING,
    EngineName,
    Mark,
    Orphan,
    Parameters,
    Row,
    Soundness,
    TableDigest,
    UnusableObject,
)

PAGE_BYTES = 8192
_ROWS_AT_ONCE = 1000
_QUOTED_OR_NAME = re.compile(r"""('(?:[^']|'')*'|"[^"]*")|(?<![:\w]):([A-Za-z_]\w*)|(%)""")
_IS_TABLE = (
    f"relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace AND relname <> '{OWN_TABLE}'"
)


class PostgreSQLConnection:
    """An open database on a server; ``driver`` is the driver's connection."""

    engine_name: EngineName = "postgresql"

    def __init__(self, driver: psycopg.Connection[tuple[Any, ...]]) -> None:
        self.driver = driver

    # -- what it is

    @as_storage_errors()
    def schema(self) -> Schema:
        """The schema of the first folder in the search path."""
        return schema.schema_of(self.driver)

    def digests(self) -> Digests:
        """Count and hash of every table's rows."""
        rows = self.typed_rows()
        return {table: rows_digest_of(rows.each(table, self.columns(table))) for table in self.tables()}

    def typed_rows(self) -> PostgreSQLTypedRows:
        """Its rows, each value with its type; see `typed_rows`."""
        return PostgreSQLTypedRows(self, self.driver)

    def spelled(self, sheet: Schema) -> Schema:
        """A schema that is written for SQLite, as `schema` finds it here."""
        return schema.spelled(sheet)

    @as_storage_errors()
    def mark(self) -> Mark:
        """What is noted with the table of the history; see `mark`."""
        return mark.read(self.driver)

    @as_storage_errors()
    def has(self, kind: Literal["table", "index"], name: str) -> bool:
        """Whether there is a table or an index of that name, whatever its case."""
        kinds = ["r", "p"] if kind == "table" else ["i", "I"]
        query = (
            "SELECT 1 FROM pg_class WHERE relkind = ANY(%s) AND lower(relname) = lower(%s)"
            " AND relnamespace = current_schema()::regnamespace"
        )
        return self.driver.execute(query, (kinds, name)).fetchone() is not None

    @as_storage_errors()
    def tables(self) -> tuple[str, ...]:
        """The tables, by name."""
        found = self.driver.execute(
            f'SELECT relname FROM pg_class WHERE {_IS_TABLE} ORDER BY relname COLLATE "C"'
        )
        return tuple(name for (name,) in found)

    @as_storage_errors()
    def columns(self, table: str) -> tuple[str, ...]:
        """The columns, in their order; none where there is no such table."""
        found = self.driver.execute(
            "SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            f" WHERE {_IS_TABLE} AND lower(c.relname) = lower(%s) AND attnum > 0 AND NOT attisdropped"
            " ORDER BY attnum",
            (table,),
        )
        return tuple(name for (name,) in found)

    @as_storage_errors()
    def primary_key(self, table: str) -> tuple[str, ...]:
        """The columns of the primary key, in their order."""
        found = self.driver.execute(
            "SELECT a.attname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(k.conkey)"
            f" WHERE {_IS_TABLE} AND k.contype = 'p' AND lower(c.relname) = lower(%s)"
            " ORDER BY array_position(k.conkey, a.attnum)",
            (table,),
        )
        return tuple(name for (name,) in found)

    def page_bytes(self) -> int:
        """The size of a page, as servers are built."""
        return PAGE_BYTES

    # -- what it holds

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return int(self.rows(f"SELECT count(*) FROM {quoted(table)}")[0][0])

    @as_storage_errors()
    def counters(self) -> dict[str, int]:
        """The highest id that each table has given out whose ids the server draws."""
        found = self.driver.execute(
            "SELECT c.relname, pg_sequence_last_value(s.seqrelid) FROM pg_depend d"
            " JOIN pg_class c ON c.oid = d.refobjid JOIN pg_sequence s ON s.seqrelid = d.objid"
            " WHERE d.deptype = 'i' AND d.classid = 'pg_class'::regclass"
            " AND c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace"
            " AND pg_sequence_last_value(s.seqrelid) IS NOT NULL"
        )
        return dict(cast("list[tuple[str, int]]", found.fetchall()))

    @as_storage_errors()
    def rows(self, statement: str, parameters: Parameters = NOTHING) -> list[Row]:
        """All rows of a SELECT."""
        return self.driver.execute(for_driver(statement), parameters).fetchall()

    def each_row(self, statement: str, parameters: Parameters = NOTHING) -> Iterator[Row]:
        """The rows of a SELECT, one by one; the server keeps those that were not asked for yet."""
        with as_storage_errors(), rows_on_server(self.driver, "each_row") as cursor:
            cursor.execute(for_driver(statement), parameters)
            while batch := cursor.fetchmany(_ROWS_AT_ONCE):  # `yield from` the cursor would close it, too
                yield from batch

    def as_written(self, table: str, columns: Iterable[str]) -> list[Row]:
        """These columns of a table, by its key; a column that is not there is None."""
        have = {name.lower() for name in self.columns(table)}
        chosen = ", ".join(quoted(name) if name in have else "NULL" for name in columns)
        order = ", ".join(map(quoted, self.primary_key(table))) or "1"
        return self.rows(f"SELECT {chosen} FROM {quoted(table)} ORDER BY {order}")

    def row_numbers(self, table: str) -> tuple[int, ...] | None:
        """The key of each row, where that is one whole number; None elsewhere."""
        key = self._number_column(table)
        if key is None:
            return None
        return tuple(number for (number,) in self.rows(f"SELECT {quoted(key)} FROM {quoted(table)}"))

    def digest(
        self, table: str, columns: Iterable[str], row_numbers: Iterable[int] | None = None
    ) -> TableDigest:
        """Count and hash of these columns of a table, or of the rows with these numbers."""
        chosen = ", ".join(map(quoted, columns)) or "NULL"
        query, parameters = f"SELECT {chosen} FROM {quoted(table)}", {}
        if row_numbers is not None:
            query += f" WHERE {quoted(self._number_column(table) or 'id')} = ANY(:numbers)"
            parameters = {"numbers": list(row_numbers)}
        with as_storage_errors(), rows_on_server(self.driver, "digest") as cursor:
            cursor.execute(for_driver(query), parameters)
            return digest_of(iter(partial(cursor.fetchmany, _ROWS_AT_ONCE), []))

    def _number_column(self, table: str) -> str | None:
        key = self.primary_key(table)
        if len(key) != 1:
            return None
        kind = self.rows(
            "SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
            " WHERE a.attrelid = CAST(:name AS regclass) AND a.attname = :key",
            {"name": quoted(table), "key": key[0]},
        )
        return key[0] if kind == [("bigint",)] else None

    # -- whether it is sound

    def soundness(self) -> Soundness:
        """Nothing: the server checks pages when it reads them, and keeps rows to their rules by itself."""
        return Soundness()

    def unusable_objects(self) -> list[UnusableObject]:
        """Nothing: the server takes no schema that it cannot use."""
        return []

    def has_whole_schema(self) -> bool:
        """Always: as for `unusable_objects`."""
        return True

    def placeholders(self) -> AbstractContextManager[None]:
        """Nothing has to stand for anything."""
        return nullcontext()

    def orphans(self) -> list[Orphan]:
        """Every row whose foreign key names a row that is not there: of keys that were never validated."""
        return [orphan for table, key in self._foreign_keys() for orphan in self._orphans_of(table, key)]

    def orphans_count(self) -> int:
        """How many foreign keys lead nowhere."""
        return len(self.orphans())

    def _foreign_keys(self) -> Iterator[tuple[str, ForeignKey]]:
        for table, found in self.schema().tables.items():
            for key in sorted(found.foreign_keys, key=lambda one: one.columns):
                yield table, key

    def _orphans_of(self, table: str, key: ForeignKey) -> list[Orphan]:
        pairs = list(zip(key.columns, key.parent_columns, strict=True))
        same = " AND ".join(f"p.{quoted(theirs)} = t.{quoted(mine)}" for mine, theirs in pairs)
        filled = " AND ".join(f"t.{quoted(mine)} IS NOT NULL" for mine, _ in pairs)
        number = self._number_column(table)
        found = self.rows(
            f"SELECT {f't.{quoted(number)}' if number else 'NULL'} FROM {quoted(table)} t WHERE {filled}"
            f" AND NOT EXISTS (SELECT 1 FROM {quoted(key.parent)} p WHERE {same})"
        )
        return [Orphan(table, row, key.parent, key.columns) for (row,) in found]


@lru_cache(maxsize=256)
def for_driver(statement: str) -> bytes:
    """The statement with its parameters as the driver names them; texts in it are left as they are."""

    def one(match: re.Match[str]) -> str:
        text, name, percent = match.groups()
        if percent:
            return "%%"
        return f"%({name})s" if name else text.replace("%", "%%")

    return _QUOTED_OR_NAME.sub(one, statement).encode()
