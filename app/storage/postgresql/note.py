"""Note with a database on a server. Where is written what is said of it as a whole, and of no row?

In the comment of the table that says which installation it is: a dump has it too, it is changed within a
transaction, and nothing that counts or hashes rows or compares schemas sees it.
"""

from __future__ import annotations

from typing import Any

import psycopg

TABLE = "installation"
_READ = (
    "SELECT obj_description(c.oid, 'pg_class') FROM pg_class c"
    " WHERE c.relname = %s AND c.relnamespace = current_schema()::regnamespace"
)


def read(driver: psycopg.Connection[Any]) -> str:
    """Return the note, "" where there is none."""
    row = driver.execute(_READ, (TABLE,)).fetchone()
    return str(row[0]) if row and row[0] else ""


def statement(text: str) -> str:
    """Return the statement that writes it; "" takes it away."""
    said = "'" + text.replace("'", "''") + "'" if text else "NULL"
    return f"COMMENT ON TABLE {TABLE} IS {said}"
