"""Database mark on PostgreSQL. Where does a database say whose it is, and the number of its schema?

SQLite has two numbers for that in the header of its file. Here they are the comment of the history's table:
written in the same transaction as the schema, in every dump, and only whose table it is may write it.
"""

from __future__ import annotations

import re
from typing import Any

import psycopg

from app.storage.types import Mark

TABLE = "database_versions"
READ = f"SELECT obj_description(to_regclass('{TABLE}'), 'pg_class')"
_WRITTEN = re.compile(r"daemon schema (\d+) \(application (\d+)\)")


def read(connection: psycopg.Connection[Any]) -> Mark:
    """What the database says of itself; zeros where it says nothing."""
    found = connection.execute(READ).fetchone()
    return meaning(found[0] if found else None)


def meaning(comment: str | None) -> Mark:
    """What a comment says."""
    match = _WRITTEN.fullmatch(comment or "")
    return Mark(int(match[2]), int(match[1])) if match else Mark(0, 0)


def statement(mark: Mark) -> str:
    """The statement that writes it."""
    said = f"daemon schema {mark.schema_number} (application {mark.application_id})"
    return f"COMMENT ON TABLE {TABLE} IS '{said}'"
