"""Kept values (a table of every value). Where do the values of an adopted odd table go?

``kept_values`` holds one row per value: table, row key (the old rowid as text), column, the value with its
type. A row with an empty key tells about the table itself: its CREATE statement (``sql``), those of its
indexes (``sql:NAME``), its counter (``sqlite_sequence``), its columns in order (``columns``). Where only the
form of a table is kept, because every value has its place in the new one, that key is ``form``. A table that
is kept a second time begins again with its ``sql``: what counts is what has a higher id.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from app.storage.schema import quoted

if TYPE_CHECKING:
    from sqlalchemy import Connection

CREATE = """
    CREATE TABLE IF NOT EXISTS kept_values (
        id INTEGER PRIMARY KEY,
        table_name VARCHAR(100) NOT NULL,
        row_key TEXT NOT NULL,
        column_name VARCHAR(100) NOT NULL,
        value BLOB,
        value_type VARCHAR(10),
        kept_at TIMESTAMP
    )
"""
INDEX = "CREATE INDEX IF NOT EXISTS ix_kept_values_place ON kept_values (table_name, row_key, column_name)"
WHOLE = ""
FORM_ONLY = "form"
INSERT = "INSERT INTO kept_values (table_name, row_key, column_name, value, value_type, kept_at) "


def keep(bind: Connection, table: str, *, values: bool) -> None:
    """Keep what a table is and, if asked, every value in it. Writes inside the caller's transaction.

    Values are copied within SQL: no byte passes through Python.
    """
    bind.exec_driver_sql(CREATE)
    bind.exec_driver_sql(INDEX)
    _keep_form(bind, table, WHOLE if values else FORM_ONLY)
    for column in readable_columns(bind, table) if values else []:
        keep_column(bind, table, column, "true")


def keep_column(bind: Connection, table: str, column: str, condition: str) -> None:
    """Keep the values of one column in the rows that fulfil an SQL ``condition``, as `keep` keeps them."""
    bind.exec_driver_sql(CREATE)
    bind.exec_driver_sql(INDEX)
    name = quoted(column)
    bind.exec_driver_sql(
        INSERT + f"SELECT ?, CAST(rowid AS TEXT), ?, {name}, typeof({name}), CURRENT_TIMESTAMP"
        f" FROM {quoted(table)} WHERE {condition} ORDER BY rowid",
        (table, column),
    )


def _keep_form(bind: Connection, table: str, key: str) -> None:
    """Keep the statements that made the table and its indexes, its counter, and the order of its columns."""
    bind.exec_driver_sql(
        INSERT + "SELECT ?, ?, iif(type = 'table', 'sql', 'sql:' || name), sql, 'text', CURRENT_TIMESTAMP"
        " FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE AND type IN ('table', 'index')"
        " AND sql IS NOT NULL ORDER BY type DESC, rowid",
        (table, key, table),
    )
    bind.exec_driver_sql(
        INSERT + "VALUES (?, ?, 'columns', ?, 'text', CURRENT_TIMESTAMP)",
        (table, key, json.dumps(stored_columns(bind, table))),
    )
    if bind.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").scalar():
        bind.exec_driver_sql(
            INSERT + "SELECT ?, ?, 'sqlite_sequence', seq, typeof(seq), CURRENT_TIMESTAMP"
            " FROM sqlite_sequence WHERE name = ? COLLATE NOCASE",
            (table, key, table),
        )


def readable_columns(bind: Connection, table: str) -> list[str]:
    """Return every column that can be read, in order, the generated ones too."""
    query = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid"
    return list(bind.exec_driver_sql(query, (table,)).scalars())


def stored_columns(bind: Connection, table: str) -> list[str]:
    """Return the columns that hold values (not the generated ones), in order."""
    query = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid"
    return list(bind.exec_driver_sql(query, (table,)).scalars())
