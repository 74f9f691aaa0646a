"""A rebuild of data_entries, the product's own way (`ours`) or by raw SQL (`raw`).

python benchmarks/rebuild.py ours|raw DATABASE

Prints the processor seconds of the rebuild alone: what is imported first is not part of it.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from pathlib import Path

from large import SCHEMA

import app.storage.sqlite.migration  # noqa: F401 otherwise loaded, with SQLAlchemy, within what is timed
from app.storage.sqlite.rebuild import rebuild_table
from app.storage.sqlite.storage import SQLiteStorage

COLUMNS = ("id", "endpoint_id", "data", "is_active", "created_at", "updated_at", "created_by_id")
TABLE = "data_entries"


def create_sql() -> str:
    """The CREATE TABLE statement of the table, as the schema has it."""
    text = SCHEMA.read_text()
    start = text.index(f"CREATE TABLE {TABLE}")
    return text[start : text.index(";", start)]


def ours(database: Path) -> None:
    with SQLiteStorage(database).migration_connection() as connection:
        rebuild_table(connection.sqlite, TABLE, create_sql(), COLUMNS)
        connection.commit_durably()


def raw(database: Path) -> None:
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA synchronous = EXTRA")
    indexes = connection.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ?", (TABLE,)
    ).fetchall()
    names = ", ".join(COLUMNS)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(create_sql().replace(TABLE, "rebuilt", 1))
    connection.execute(f"INSERT INTO rebuilt ({names}) SELECT {names} FROM {TABLE}")
    connection.execute(f"DROP TABLE {TABLE}")
    connection.execute(f"ALTER TABLE rebuilt RENAME TO {TABLE}")
    for (sql,) in indexes:
        connection.execute(sql)
    connection.execute("COMMIT")
    connection.close()


if __name__ == "__main__":
    began = time.process_time()
    {"ours": ours, "raw": raw}[sys.argv[1]](Path(sys.argv[2]))
    print(time.process_time() - began)
