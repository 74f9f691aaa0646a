"""Repair of a drifted table. How does it get the known form nearest to it, with what its owner added?"""

from __future__ import annotations

import sqlite3
from contextlib import closing

from app.errors import Failed
from app.storage.fingerprint import Difference
from app.storage.schema import Column, folded, quoted
from app.storage.sqlite.connection import driver_of
from app.storage.sqlite.ddl import definitions
from app.storage.sqlite.driver import open_database
from app.storage.sqlite.errors import as_storage_errors
from app.storage.sqlite.rebuild import rebuild_table
from app.storage.sqlite.rows import rows
from app.storage.sqlite.schema import schema_of
from app.storage.types import MigrationConnection
from app.upgrade.legacy.table_forms import ABSENT, Form, form_at, get_form, table_of
from app.upgrade.model import Recognition
from app.upgrade.versions.expected_schema import only


@as_storage_errors()
def mend(database: MigrationConnection, table: str, known: Recognition) -> list[str]:
    """Give ``table`` all that its form has; return what was done. Writes inside the caller's transaction.

    Raises Failed for a table that is like none of the known forms, StorageError where the rows do not
    fit (a doubled user name under a unique index that was missing). Roll back then.
    """
    connection = driver_of(database)
    variant = known.variants[table]
    if variant == ABSENT:
        form = form_at(table, known.sheet)
        _run(connection, [sql for _, sql in _statements(form)])
        return [f"table {table} was missing and is made again, without rows"]
    try:
        form = get_form(table, variant, known.sheet)
    except KeyError:
        raise Failed(
            f"The table {table} is like none that any release made, and cannot be mended; nothing changed.",
            hint="daemon backup list",
        ) from None
    found = [one for one in known.drift if table_of(one, known) == table]
    if any(one.what != "index" for one in found):
        _rebuild(connection, form)
    return [*_mend_indexes(connection, form, found), *(f"{one.what} {one.name}: mended" for one in found)]


def _mend_indexes(connection: sqlite3.Connection, form: Form, found: list[Difference]) -> list[str]:
    """Drop the indexes that are another one than their name says, and make all that are not there."""
    for one in found:
        if one.what == "index":
            connection.execute(f"DROP INDEX IF EXISTS {quoted(one.name)}")
    have = {folded(name) for name in schema_of(connection).indexes}
    _run(connection, [sql for name, sql in _statements(form) if name and folded(name) not in have])
    return []


def _rebuild(connection: sqlite3.Connection, form: Form) -> None:
    """Make the table anew in the form it should have, with the owner's columns behind, and carry all rows."""
    (here,) = only(schema_of(connection), form.table).tables.values()
    (wanted,) = form.schema.tables.values()
    added = {name: column for name, column in here.columns.items() if folded(name) not in wanted.columns}
    carried = [
        name
        for name, column in here.columns.items()
        if column.hidden == 0 and (name in added or folded(name) in wanted.columns)
    ]
    rebuild_table(
        connection, form.table, _with_columns(form, added, _definitions(connection, form.table)), carried
    )


def _with_columns(form: Form, added: dict[str, Column], definitions: dict[str, str]) -> str:
    """Return the CREATE statement of the form with these columns more, as SQLite itself writes it.

    Each as the owner defined it; but one that every insert would have to fill becomes one that need not be.
    """
    with closing(open_database(":memory:")) as scratch:
        scratch.execute(next(sql for name, sql in _statements(form) if not name))
        for name, column in added.items():
            plain = f"{quoted(name)} {column.type}"
            must_be_filled = column.pk or (column.notnull and column.default is None)
            definition = plain if must_be_filled else definitions.get(folded(name), plain)
            try:
                scratch.execute(f"ALTER TABLE {form.table} ADD COLUMN {definition}")
            except sqlite3.OperationalError:  # UNIQUE, or what else cannot be added to a table
                scratch.execute(f"ALTER TABLE {form.table} ADD COLUMN {plain}")
        return str(rows(scratch, "SELECT sql FROM sqlite_master WHERE name = ?", (form.table,))[0][0])


def _definitions(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """Return what the CREATE statement says of each column, word for word, by its folded name."""
    found = rows(
        connection, "SELECT sql FROM sqlite_master WHERE type = 'table' AND lower(name) = ?", (table,)
    )
    return definitions(str(found[0][0]))


def _statements(form: Form) -> list[tuple[str, str]]:
    """Return the statements that make the form: the table with an empty name, then its indexes by name."""
    with closing(open_database(":memory:")) as scratch:
        scratch.executescript(form.sql)
        found = rows(
            scratch,
            "SELECT iif(type = 'table', '', name), sql FROM sqlite_master"
            " WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type DESC, rowid",
            (form.table,),
        )
    return [(str(name), str(sql)) for name, sql in found]


def _run(connection: sqlite3.Connection, statements: list[str]) -> None:
    for statement in statements:
        connection.execute(statement)
