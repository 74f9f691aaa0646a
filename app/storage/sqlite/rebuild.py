"""Table rebuild. How is a table given another form, with the owner's triggers and views out of the way?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from app.storage.schema import folded, quoted
from app.storage.sqlite.rows import rows, value
from app.storage.sqlite.schema_table import schema_objects

_OLD_NAME = "{}__before_rebuild"


def drop_triggers(connection: sqlite3.Connection) -> list[str]:
    """Drop every trigger and view and return the statements that make them again, in the order to run them.

    They must not fire while rows are moved, and SQLite refuses to rename a table that one of them names.
    For use inside a transaction; nothing is committed.
    """
    found = [one for one in schema_objects(connection) if one.type in ("view", "trigger")]
    found.sort(key=lambda one: one.type, reverse=True)
    for one in reversed(found):  # triggers first: those of a view would go with it
        connection.execute(f"DROP {one.type} {quoted(one.name)}")
    return [one.sql for one in found]


def create_again(connection: sqlite3.Connection, statements: Iterable[str]) -> None:
    """Run the statements that `drop_triggers` returned. Raises sqlite3.Error."""
    for statement in statements:
        connection.execute(statement)


def rebuild_indexes(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """Make these indexes anew from their tables.

    Raises sqlite3.IntegrityError where one is to be unique and the rows are not.
    """
    for name in names:
        connection.execute(f"REINDEX main.{quoted(name)}")


def rebuild_table(
    connection: sqlite3.Connection,
    table: str,
    create_sql: str,
    columns: Sequence[str] | Mapping[str, str],
) -> int:
    """Give ``table`` the form of ``create_sql`` and return how many rows were carried over.

    ``columns`` are the columns that are copied, or new names mapped to SQL expressions over the old row.
    Indexes and triggers are made again as they were written, the AUTOINCREMENT counter is carried. Needs an
    open transaction with foreign keys off (with them on, dropping the old table would delete the rows of
    others). Raises RuntimeError where that does not hold or rows were lost, sqlite3.Error; roll back then.
    """
    _require_a_safe_moment(connection)
    filled = dict(columns) if isinstance(columns, Mapping) else {name: quoted(name) for name in columns}
    old = _OLD_NAME.format(table)
    dependants = _dependants(connection, table)
    last_id = _last_id(connection, table)
    _rename(connection, table, old)
    connection.execute(create_sql)
    connection.execute(
        f"INSERT INTO {quoted(table)} ({', '.join(map(quoted, filled))}) "
        f"SELECT {', '.join(filled.values())} FROM {quoted(old)}"
    )
    before = _count(connection, old)
    connection.execute(f"DROP TABLE {quoted(old)}")
    create_again(connection, dependants)
    carried = _count(connection, table)  # now, because an index is counted faster than a table
    if carried != before:
        raise RuntimeError(f"{table} had {before} rows before it was rebuilt, and {carried} after")
    _carry_last_id(connection, table, last_id)
    return carried


def _require_a_safe_moment(connection: sqlite3.Connection) -> None:
    if not connection.in_transaction:
        raise RuntimeError("a table is rebuilt inside a transaction only")
    if value(connection, "PRAGMA foreign_keys"):
        raise RuntimeError(
            "a table is rebuilt with foreign keys off only: rows of other tables would go with it"
        )


def _dependants(connection: sqlite3.Connection, table: str) -> list[str]:
    found = rows(
        connection,
        "SELECT CAST(sql AS TEXT) FROM main.sqlite_master WHERE type IN ('index', 'trigger')"
        " AND sql IS NOT NULL AND lower(tbl_name) = ? ORDER BY type, rowid",
        (folded(table),),
    )
    return [sql for (sql,) in found]


def _rename(connection: sqlite3.Connection, table: str, name: str) -> None:
    """Rename without SQLite's help: other tables, views and triggers go on naming the table as before."""
    before = value(connection, "PRAGMA legacy_alter_table")
    connection.execute("PRAGMA legacy_alter_table = ON")
    try:
        connection.execute(f"ALTER TABLE {quoted(table)} RENAME TO {quoted(name)}")
    finally:
        connection.execute(f"PRAGMA legacy_alter_table = {before}")


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(value(connection, f"SELECT count(*) FROM {quoted(table)}"))


def _last_id(connection: sqlite3.Connection, table: str) -> int | None:
    if value(connection, "SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_sequence'") is None:
        return None
    found = value(connection, "SELECT max(seq) FROM sqlite_sequence WHERE lower(name) = ?", (folded(table),))
    return None if found is None else int(found)


def _carry_last_id(connection: sqlite3.Connection, table: str, last_id: int | None) -> None:
    """An id that was given out once is not given out again; the new table may count nothing, though."""
    if last_id is None:
        return
    find = "SELECT name, sql FROM main.sqlite_master WHERE type = 'table' AND lower(name) = ?"
    ((name, sql),) = rows(connection, find, (folded(table),))
    if "autoincrement" not in folded(sql):
        return
    raised = connection.execute(
        "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (last_id, name)
    ).rowcount
    if not raised:
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, last_id))
