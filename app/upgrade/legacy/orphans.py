"""Orphans (foreign keys that lead nowhere). What becomes of each, so that nothing is lost?

An owner or a kind that is gone comes back, deactivated, under its old id: its rows name a row again, and are
shown to as few as before. Every other orphan is moved, each value with its type, into ``kept_values``.
Only databases of old scripts have any: their servers did not enforce keys, and those were SQLite's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from app.errors import Failed
from app.storage.schema import quoted
from app.upgrade.legacy.kept_values import CREATE, INDEX, INSERT, readable_columns

if TYPE_CHECKING:
    from app.storage.types import MigrationConnection, Orphan, StorageConnection

MOST_ID = 2**53  # an id above would leave no room for new ones
COMING_BACK = {
    "users": (
        "INSERT INTO users"
        " (id, username, username_key, email, hashed_password, is_active, is_admin, created_at)"
        " VALUES (:id, :name, :name, :mail, '!', 0, 0, CURRENT_TIMESTAMP)",
        "SELECT 1 FROM users WHERE username = :name OR email = :mail",
    ),
    "endpoints": (
        "INSERT INTO endpoints (id, name, description, schema, is_active, is_public)"
        " VALUES (:id, :name, 'Its row was gone', '{}', 0, 0)",
        "SELECT 1 FROM endpoints WHERE name = :name AND :mail <> ''",
    ),
}


@dataclass(frozen=True)
class OrphanRepair:
    """One orphan, and what becomes of it; ``parent_id`` is what it names, where that comes back."""

    table: str
    rowid: int | None
    parent: str
    columns: tuple[str, ...]
    action: Literal["comes back", "is moved", "cannot be repaired"]
    parent_id: int | None = None
    sentence: str = ""


def plan_repairs(connection: StorageConnection) -> tuple[OrphanRepair, ...]:
    """Return what becomes of each orphan there is. Looks only."""
    return tuple(_repair_of(connection, orphan) for orphan in connection.orphans())


def apply_repairs(migration: MigrationConnection, repairs: Iterable[OrphanRepair]) -> None:
    """Bring back the parents and move the rows, within the caller's transaction.

    Raises Failed where a moved row is not in ``kept_values`` as it was.
    """
    todo = list(repairs)
    for parent, number in dict.fromkeys(
        (one.parent, one.parent_id) for one in todo if one.action == "comes back"
    ):
        assert number is not None
        _bring_back(migration, parent, number)
    for table, rowid in dict.fromkeys((one.table, one.rowid) for one in todo if one.action == "is moved"):
        assert rowid is not None
        _move(migration, table, rowid)


def moved_rows(repairs: Iterable[OrphanRepair]) -> dict[str, set[int]]:
    """Return the row numbers that leave each table."""
    found: dict[str, set[int]] = {}
    for one in repairs:
        if one.action == "is moved" and one.rowid is not None:
            found.setdefault(one.table, set()).add(one.rowid)
    return found


def _repair_of(connection: StorageConnection, orphan: Orphan) -> OrphanRepair:
    said = orphan.sentence()
    if orphan.problem or orphan.rowid is None:
        return OrphanRepair(
            orphan.table, None, orphan.parent, orphan.columns, "cannot be repaired", None, f"{said}."
        )
    number = _named_id(connection, orphan)
    parent = orphan.parent.lower()
    if number is not None and parent in COMING_BACK:
        what = "account" if parent == "users" else "kind"
        sentence = f"{said}: the {what} {number} comes back, deactivated, as {_name(number)}."
        return OrphanRepair(
            orphan.table, orphan.rowid, parent, orphan.columns, "comes back", number, sentence
        )
    sentence = f"{said}: it is moved into kept_values, value by value."
    return OrphanRepair(orphan.table, orphan.rowid, orphan.parent, orphan.columns, "is moved", None, sentence)


def _named_id(connection: StorageConnection, orphan: Orphan) -> int | None:
    """Return the id that the row names; None where it is no id that a row could have."""
    if len(orphan.columns) != 1:
        return None
    column = quoted(orphan.columns[0])
    rows = connection.rows(
        f"SELECT {column}, typeof({column}) FROM {quoted(orphan.table)} WHERE rowid = :rowid",
        {"rowid": orphan.rowid},
    )
    ((value, form),) = rows
    return int(value) if form == "integer" and 0 < value < MOST_ID else None


def _bring_back(migration: MigrationConnection, parent: str, number: int) -> None:
    statement, taken = COMING_BACK[parent]
    name, attempt = _name(number), 1
    while migration.rows(taken, {"name": name, "mail": f"{name}@invalid"}):
        attempt += 1
        name = f"{_name(number)}_{attempt}"
    values = {"id": number, "name": name, "mail": f"{name}@invalid"}
    migration.execute(statement, {key: value for key, value in values.items() if f":{key}" in statement})


def _move(migration: MigrationConnection, table: str, rowid: int) -> None:
    bind = migration.connection
    bind.exec_driver_sql(CREATE)
    bind.exec_driver_sql(INDEX)
    columns = readable_columns(bind, table)
    here = (table, str(rowid))
    counted = "SELECT count(*) FROM kept_values WHERE table_name = ? AND row_key = ?"
    before = bind.exec_driver_sql(counted, here).scalar_one()
    for column in columns:
        name = quoted(column)
        bind.exec_driver_sql(
            INSERT + f"SELECT ?, CAST(rowid AS TEXT), ?, {name}, typeof({name}), CURRENT_TIMESTAMP"
            f" FROM {quoted(table)} WHERE rowid = ?",
            (table, column, rowid),
        )
    for column in columns:
        name = quoted(column)
        same = (
            f"SELECT count(*) FROM kept_values k, {quoted(table)} t WHERE t.rowid = ? AND k.table_name = ?"
            " AND k.row_key = ? AND k.column_name = ?"
            f" AND k.value_type = typeof(t.{name}) AND k.value IS t.{name}"
        )
        if not bind.exec_driver_sql(same, (rowid, *here, column)).scalar():
            raise Failed(f"{table}, row {rowid}: {column} could not be kept as it is.")
    if bind.exec_driver_sql(counted, here).scalar_one() != before + len(columns):
        raise Failed(f"{table}, row {rowid} could not be kept whole.")
    bind.exec_driver_sql(f"DELETE FROM {quoted(table)} WHERE rowid = ?", (rowid,))


def _name(number: int) -> str:
    return f"missing_{number}"
