"""Adoption of odd tables. How does a table of one of the forms in shapes/ become the usual one?"""

from __future__ import annotations

import sqlite3

from app.storage.schema import quoted
from app.storage.sqlite.connection import driver_of
from app.storage.sqlite.errors import as_storage_errors
from app.storage.sqlite.rows import reading_text, replaced
from app.storage.types import MigrationConnection
from app.upgrade.legacy import kept_values
from app.upgrade.legacy.table_forms import get_form, get_shape
from app.upgrade.model import Recognition
from app.upgrade.versions.expected_schema import our_tables, schema_at
from app.upgrade.versions.releases import NEWEST


@as_storage_errors()
def adopt(migration: MigrationConnection, known: Recognition, name: str) -> list[str]:
    """Adopt every table that has one of the forms of the shape ``name``; odd values are kept first.

    Writes inside the caller's transaction; returns sentences for the report.
    """
    shape = get_shape(name)
    driver = driver_of(migration)
    notes: list[str] = []
    with reading_text(driver, replaced):
        for table in our_tables():
            if known.variants.get(table) not in shape.SCHEMAS:
                continue
            added = _added_columns(migration, known, table)
            indexes = _added_indexes(driver, table)
            kept_values.keep(migration.connection, table, values=shape.KEEP_VALUES)
            said, moved = shape.adopt(migration.connection, table)
            if shape.KEEP_VALUES:
                said += _carry_columns(driver, table, added, moved)
                said += _carry_indexes(driver, indexes)
            notes += said
    return notes


def _added_columns(migration: MigrationConnection, known: Recognition, table: str) -> list[str]:
    form = get_form(table, known.variants[table], known.sheet)
    names = {name.lower() for found in form.schema.tables.values() for name in found.columns}
    stored = kept_values.stored_columns(migration.connection, table)
    return [name for name in stored if name.lower() not in names]


def _added_indexes(driver: sqlite3.Connection, table: str) -> list[str]:
    """Return the statements of the owner's indexes on a table that is about to be made anew."""
    query = "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"
    return [str(sql) for (sql,) in driver.execute(query, (table,))]


def _carry_columns(
    driver: sqlite3.Connection, table: str, names: list[str], moved: dict[int, int]
) -> list[str]:
    """Give the owner's columns back to the new table, each value to the row that came of its own."""
    key = next(name for name, column in schema_at(NEWEST).tables[table].columns.items() if column.pk)
    notes = []
    for name in names:
        column = _free_column(table, name)
        driver.execute(f"ALTER TABLE {table} ADD COLUMN {quoted(column)}")
        driver.executemany(
            f"UPDATE {table} SET {quoted(column)} = (SELECT value FROM kept_values"
            f" WHERE table_name = '{table}' AND row_key = ? AND column_name = ? ORDER BY id DESC)"
            f" WHERE {key} = ?",
            [(str(old), name, new) for old, new in moved.items()],
        )
        notes.append(f"your column {table}.{name} was carried over as {column}")
    return notes


def _free_column(table: str, name: str) -> str:
    taken = {known.lower() for known in schema_at(NEWEST).tables[table].columns}
    return "owner_" + name if name.lower() in taken else name


def _carry_indexes(driver: sqlite3.Connection, statements: list[str]) -> list[str]:
    notes = []
    for statement in statements:
        try:
            driver.execute(statement)
        except sqlite3.OperationalError as error:
            notes.append(f"an index of yours fits the new table no more ({error}); it is kept as text")
    return notes
