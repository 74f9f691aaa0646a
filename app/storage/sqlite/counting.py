"""Row counts. How many rows have the tables of an SQLite database, and how many keys lead nowhere?"""

from __future__ import annotations

import sqlite3

from app.storage.schema import quoted
from app.storage.sqlite.schema_table import schema_objects


def count(connection: sqlite3.Connection, table: str) -> int:
    """Count the rows of a table. Raises sqlite3.Error where there is none of that name."""
    return int(connection.execute(f"SELECT count(*) FROM {quoted(table)}").fetchone()[0])


def orphans_count(connection: sqlite3.Connection) -> int:
    """Count the foreign keys that lead nowhere; a table whose keys cannot be checked counts as one.

    The count alone: `integrity.foreign_key_faults` lists them, which takes long where there are many.
    """
    tables = [one.name for one in schema_objects(connection) if one.type == "table"]
    return sum(_orphans_of(connection, name) for name in tables)


def _orphans_of(connection: sqlite3.Connection, name: str) -> int:
    try:
        query = "SELECT count(*) FROM pragma_foreign_key_check(?)"
        return int(connection.execute(query, (name,)).fetchone()[0])
    except sqlite3.OperationalError:
        return 1  # the columns that it leads to are not unique, or are not there
