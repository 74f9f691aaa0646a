"""Schema table (sqlite_master). Which objects does it list, whatever type its cells have?

A cell of it may hold a blob, a number or nothing: SQLite reads them all as text, and so does this. The
index of the search and the tables in which FTS5 keeps it are left out: they are no part of a schema
(`full_text`).
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from app.full_text import OWN_NAME
from app.storage.schema import folded
from app.storage.sqlite.rows import rows

NOT_UTF8 = "\N{REPLACEMENT CHARACTER}"
INDEX_TABLES = (OWN_NAME, *(f"{OWN_NAME}_{part}" for part in ("data", "idx", "docsize", "config")))
"""The index of the search, and the tables in which FTS5 keeps it."""

_SELECT = (
    "SELECT ifnull(CAST(type AS TEXT), ''), ifnull(CAST(name AS TEXT), ''),"
    " ifnull(CAST(tbl_name AS TEXT), ''), CAST(sql AS TEXT) FROM main.sqlite_master ORDER BY rowid"
)


class SchemaObject(NamedTuple):
    """A row of it; ``sql`` is empty for an index that SQLite made by itself."""

    type: str
    name: str
    table: str
    sql: str

    @property
    def is_virtual(self) -> bool:
        """Whether it is a virtual table."""
        return self.sql.lstrip().upper().startswith("CREATE VIRTUAL")

    @property
    def is_sqlites_own(self) -> bool:
        """Whether SQLite keeps it for itself."""
        return folded(self.name).startswith("sqlite_")


def schema_objects(connection: sqlite3.Connection) -> list[SchemaObject]:
    """All rows in the order in which they were made, but those of the search. Raises sqlite3.Error."""
    return [
        SchemaObject(kind, name, table, sql or "")
        for kind, name, table, sql in rows(connection, _SELECT)
        if folded(table) not in INDEX_TABLES
    ]


def tables_with_rows(connection: sqlite3.Connection) -> list[str]:
    """The names of the tables that hold rows, the owner's too: neither SQLite's own nor virtual ones.

    A table whose name is not UTF-8 is left out: no statement of ours can name it.
    """
    return sorted(
        one.name
        for one in schema_objects(connection)
        if one.type == "table" and not (one.is_virtual or one.is_sqlites_own or NOT_UTF8 in one.name)
    )
