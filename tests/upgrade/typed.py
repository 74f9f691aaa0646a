"""Typed contents. What is every value of a database of SQLite, with its type, byte for byte?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from app.storage.schema import quoted

PLACES = {("installation", "seen_host"), ("installation", "seen_path")}


def everything(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every value of every table with its type, bytes as they are; without where the database is."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        )
        for (raw,) in tables.fetchall():
            table = raw.decode()
            columns = [row[1].decode() for row in connection.execute(f"PRAGMA table_info({quoted(table)})")]
            columns = sorted(name for name in columns if (table, name) not in PLACES)
            each = ", ".join(f"typeof({quoted(name)}), {quoted(name)}" for name in columns)
            rows = connection.execute(f"SELECT {each} FROM {quoted(table)}").fetchall()
            found[table] = sorted(rows, key=repr)
    return found
