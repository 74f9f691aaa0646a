"""Where do the values of an adopted odd table go, and how is that table made again from them?

``kept_values`` holds one row per value: table, row key (the old rowid as text), column, the value with its
type. A row with an empty key tells about the table itself: its CREATE statement (``sql``), those of its
indexes (``sql:NAME``), its counter (``sqlite_sequence``), its columns in order (``columns``).
"""

from __future__ import annotations

import json
import sqlite3

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
INSERT = "INSERT INTO kept_values (table_name, row_key, column_name, value, value_type, kept_at) "


def keep(bind: Connection, table: str, *, values: bool) -> str:
    """Keep what a table is and, if asked, every value in it; return the name under which it is kept.

    That name is the table's own, with #2, #3 behind it when a table of that name was kept before.
    Values are copied within SQL, so that no byte passes through Python. Writes inside the caller's transaction.
    """
    bind.exec_driver_sql(CREATE)
    bind.exec_driver_sql(INDEX)
    label = _free_label(bind, table)
    columns = stored_columns(bind, table)
    _keep_form(bind, label, table, columns)
    for column in columns if values else []:
        name = quoted(column)
        bind.exec_driver_sql(
            INSERT + f"SELECT ?, CAST(rowid AS TEXT), ?, {name}, typeof({name}), CURRENT_TIMESTAMP"
            f" FROM {quoted(table)} ORDER BY rowid",
            (label, column),
        )
    return label


def _keep_form(bind: Connection, label: str, table: str, columns: list[str]) -> None:
    """Keep the statements that made the table and its indexes, its counter, and the order of its columns."""
    bind.exec_driver_sql(
        INSERT + "SELECT ?, '', iif(type = 'table', 'sql', 'sql:' || name), sql, 'text', CURRENT_TIMESTAMP"
        " FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE AND type IN ('table', 'index')"
        " AND sql IS NOT NULL ORDER BY rowid",
        (label, table),
    )
    bind.exec_driver_sql(
        INSERT + "VALUES (?, '', 'columns', ?, 'text', CURRENT_TIMESTAMP)", (label, json.dumps(columns))
    )
    if bind.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").scalar():
        bind.exec_driver_sql(
            INSERT + "SELECT ?, '', 'sqlite_sequence', seq, typeof(seq), CURRENT_TIMESTAMP"
            " FROM sqlite_sequence WHERE name = ? COLLATE NOCASE",
            (label, table),
        )


def _free_label(bind: Connection, table: str) -> str:
    taken = set(bind.exec_driver_sql("SELECT DISTINCT table_name FROM kept_values").scalars())
    return next(
        label
        for number in range(1, len(taken) + 2)
        if (label := table if number == 1 else f"{table}#{number}") not in taken
    )


def stored_columns(bind: Connection, table: str) -> list[str]:
    """Return the columns that hold values (not the generated ones), in order."""
    query = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid"
    return list(bind.exec_driver_sql(query, (table,)).scalars())


def quoted(name: str) -> str:
    """Return the name as SQL writes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def kept_tables(connection: sqlite3.Connection) -> list[str]:
    """Return the names under which whole tables are kept, in the order in which they were."""
    query = "SELECT table_name FROM kept_values WHERE row_key = '' AND column_name = 'sql' ORDER BY id"
    return [str(name) for (name,) in connection.execute(query)]


def rebuild(connection: sqlite3.Connection, label: str) -> int:
    """Make a kept table again in this database, in place of the one that has its name now; return its rows.

    Only for a table that was kept with its values. Writes; the caller commits, and does it on a copy.
    """
    form = dict(
        connection.execute(
            "SELECT column_name, value FROM kept_values WHERE table_name = ? AND row_key = ''", (label,)
        )
    )
    table = label.split("#")[0]
    columns = json.loads(form["columns"])
    connection.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
    connection.execute(form["sql"])
    picks = ", ".join("max(CASE WHEN column_name = ? THEN id END)" for _ in columns)
    found = connection.execute(
        f"SELECT {picks} FROM kept_values WHERE table_name = ? AND row_key <> ''"
        " GROUP BY row_key ORDER BY CAST(row_key AS INTEGER)",
        (*columns, label),
    ).fetchall()
    values = ", ".join("(SELECT value FROM kept_values WHERE id = ?)" for _ in columns)
    names = ", ".join(quoted(column) for column in columns)
    connection.executemany(f"INSERT INTO {quoted(table)} ({names}) SELECT {values}", found)
    _restore_form(connection, table, form)
    return len(found)


def _restore_form(connection: sqlite3.Connection, table: str, form: dict[str, str]) -> None:
    for name, sql in form.items():
        if name.startswith("sql:"):
            connection.execute(sql)
    if "sqlite_sequence" in form:
        connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        connection.execute(
            "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, form["sqlite_sequence"])
        )
