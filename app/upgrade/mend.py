"""How is a table mended that has drifted? To the known form nearest to it; the owner's additions stay."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from app.errors import Failed
from app.storage.fingerprint import Difference, Schema
from app.storage.schema import Column, folded
from app.storage.sqlite_rebuild import rebuild_table
from app.storage.sqlite_rows import quoted, rows
from app.storage.sqlite_schema import schema_of
from app.upgrade.forms import ABSENT, Form, forms_of, get_form, only
from app.upgrade.state import Recognition
from app.upgrade.steps import table_of


def mend(connection: sqlite3.Connection, table: str, known: Recognition) -> list[str]:
    """Give ``table`` all that its form has; return what was done. Writes inside the caller's transaction.

    Raises Failed for a table that is like none of the known forms, sqlite3.IntegrityError where the rows do
    not fit (a doubled user name under a unique index that was missing). Roll back then.
    """
    variant = known.variants[table]
    if variant == ABSENT:
        form = forms_of(table)[-1] if forms_of(table)[-1].shape is None else _own_form(table)
        _run(connection, [sql for _, sql in _statements(form)])
        return [f"table {table} was missing and is made again, without rows"]
    try:
        form = get_form(table, variant)
    except KeyError:
        raise Failed(
            f"The table {table} is like none that any release made, and cannot be mended; nothing changed.",
            hint="daemon backup list",
        ) from None
    found = [one for one in known.drift if table_of(one, known) == table]
    if any(one.what != "index" for one in found):
        _rebuild(connection, form)
    return [*_mend_indexes(connection, form, found), *(f"{one.what} {one.name}: mended" for one in found)]


def _own_form(table: str) -> Form:
    return next(form for form in forms_of(table) if form.shape is None and not form.is_canonical)


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
    here = only(schema_of(connection), form.table)
    create = _with_columns(form, _added(here, form))
    (wanted,) = form.schema.tables.values()
    carried = [
        name
        for found in here.tables.values()
        for name, column in found.columns.items()
        if column.hidden == 0 and (folded(name) in wanted.columns or name in _added(here, form))
    ]
    rebuild_table(connection, form.table, create, carried)


def _added(here: Schema, form: Form) -> dict[str, Column]:
    """Return the owner's columns, the generated ones too."""
    (wanted,) = form.schema.tables.values()
    return {
        name: column
        for found in here.tables.values()
        for name, column in found.columns.items()
        if folded(name) not in wanted.columns
    }


def _with_columns(form: Form, added: dict[str, Column]) -> str:
    """Return the CREATE statement of the form with these columns more, as SQLite itself writes it."""
    with closing(sqlite3.connect(":memory:")) as scratch:
        create = next(sql for name, sql in _statements(form) if not name)
        scratch.execute(create)
        for name, column in added.items():
            scratch.execute(f"ALTER TABLE {form.table} ADD COLUMN {_declared(name, column)}")
        return str(rows(scratch, "SELECT sql FROM sqlite_master WHERE name = ?", (form.table,))[0][0])


def _declared(name: str, column: Column) -> str:
    collation = f" COLLATE {column.collation}" if column.collation else ""
    if column.generated:
        return f"{quoted(name)} {column.type}{collation} AS ({column.generated})"
    default = f" DEFAULT ({column.default})" if column.default is not None else ""
    return f"{quoted(name)} {column.type}{collation}{default}"


def _statements(form: Form) -> list[tuple[str, str]]:
    """Return the statements that make the form: the table with an empty name, then its indexes by name."""
    with closing(sqlite3.connect(":memory:")) as scratch:
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
