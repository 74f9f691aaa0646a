"""Kept values, made a table again. Does what an upgrade keeps of an odd table hold all that was in it?"""

from __future__ import annotations

import json
import sqlite3

from app.storage.schema import quoted


def kept_tables(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the tables that are kept with their values."""
    query = (
        "SELECT DISTINCT table_name FROM kept_values WHERE row_key = '' AND column_name = 'sql' ORDER BY 1"
    )
    return [str(name) for (name,) in connection.execute(query)]


def rebuild(connection: sqlite3.Connection, table: str) -> int:
    """Make a kept table again in this database, in place of the one that has its name now; return its rows.

    Only for a table that was kept with its values; of one kept twice, the later. Writes and does not commit:
    do it on a copy. Raises LookupError for a table that is not kept.
    """
    since = connection.execute(
        "SELECT max(id) FROM kept_values WHERE table_name = ? AND row_key = '' AND column_name = 'sql'",
        (table,),
    ).fetchone()[0]
    if since is None:
        raise LookupError(f"the table {table} is not kept")
    form = _form_since(connection, table, since)
    columns = json.loads(form["columns"])
    connection.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
    connection.execute(form["sql"])
    picks = ", ".join("max(CASE WHEN column_name = ? THEN id END)" for _ in columns)
    found = connection.execute(
        f"SELECT {picks} FROM kept_values WHERE table_name = ? AND row_key <> '' AND id > ?"
        " GROUP BY row_key ORDER BY CAST(row_key AS INTEGER)",
        (*columns, table, since),
    ).fetchall()
    values = ", ".join("(SELECT value FROM kept_values WHERE id = ?)" for _ in columns)
    names = ", ".join(quoted(column) for column in columns)
    connection.executemany(f"INSERT INTO {quoted(table)} ({names}) SELECT {values}", found)
    _restore_form(connection, table, form)
    return len(found)


def _form_since(connection: sqlite3.Connection, table: str, since: int) -> dict[str, str]:
    return dict(
        connection.execute(
            "SELECT column_name, value FROM kept_values"
            " WHERE table_name = ? AND row_key = '' AND id >= ? ORDER BY id",
            (table, since),
        )
    )


def _restore_form(connection: sqlite3.Connection, table: str, form: dict[str, str]) -> None:
    for name, sql in form.items():
        if name.startswith("sql:"):
            connection.execute(sql)
    if "sqlite_sequence" in form:
        connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        connection.execute(
            "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, form["sqlite_sequence"])
        )
