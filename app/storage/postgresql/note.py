"""Note with a database on a server. Where is written what is said of it as a whole, and of no row?

In the comment of the table that says which installation it is: a dump has it too, it is changed within a
transaction, and nothing that counts or hashes rows or compares schemas sees it.
"""

from __future__ import annotations

from typing import Any

import psycopg

from app.storage.postgresql.driver import commit_at_once

TABLE = "installation"
READ = (
    "SELECT obj_description(c.oid, 'pg_class') FROM pg_class c"
    f" WHERE c.relname = '{TABLE}' AND c.relnamespace = current_schema()::regnamespace"
)


def read(driver: psycopg.Connection[Any]) -> str:
    """Return the note, "" where there is none."""
    row = driver.execute(READ.encode()).fetchone()
    return str(row[0]) if row and row[0] else ""


def statement(text: str) -> str:
    """Return the statement that writes it; "" takes it away."""
    said = "'" + text.replace("'", "''") + "'" if text else "NULL"
    return f"COMMENT ON TABLE {TABLE} IS {said}"


def write(driver: psycopg.Connection[Any], text: str) -> None:
    """Write it in a transaction of its own, durable when this returns whatever is set for the database."""
    with driver.transaction():
        commit_at_once(driver)
        driver.execute(statement(text).encode())


def copy(source: psycopg.Connection[Any], target: psycopg.Connection[Any]) -> None:
    """Give ``target`` the note of ``source``, where it has a place for one."""
    found = target.execute("SELECT to_regclass(%s)", (TABLE,)).fetchone()
    if found and found[0] is not None:
        write(target, read(source))
