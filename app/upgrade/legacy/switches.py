"""Text in boolean columns. Which switches hold a text or another odd value, and what does each come to mean?

SQLite keeps what it is given: 'true' stays a text in a BOOLEAN column. Old servers took every text in an
account's switches for yes. Here a text is on when it is one of ON, in any case, and off otherwise; an upgrade
stores 1 or 0 in its place and keeps the text in ``kept_values``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.storage.schema import folded, quoted
from app.storage.sqlite.connection import SQLiteConnection
from app.storage.sqlite.errors import as_storage_errors
from app.storage.types import MigrationConnection, StorageConnection
from app.upgrade.legacy import kept_rows, kept_values
from app.upgrade.model import Recognition, Step

ON = ("true", "t", "yes", "on", "1")
SWITCHES = {
    "users": ("is_active", "is_admin"),
    "endpoints": ("is_active", "is_public"),
    "data_entries": ("is_active",),
    "api_keys": ("is_active",),
}
READ_SWITCH = "switch:"

_NAMES = {"users": "username", "endpoints": "name", "data_entries": "endpoint_id", "api_keys": "name"}


@dataclass(frozen=True)
class Switch:
    """A switch with something else in it than 0, 1 or NULL: whose it is, and what is in it.

    ``name`` is that of the account, the kind or the key; of an entry it is the id of its kind.
    """

    table: str
    column: str
    row_id: int
    name: str
    value: object
    is_text: bool

    @property
    def is_on(self) -> bool:
        """What it means from now on."""
        return means_on(self.value)


@dataclass(frozen=True)
class OddSwitches:
    """Every switch with an odd value; and the admins of the old server, where none of them is one now."""

    found: tuple[Switch, ...] = ()
    lost_admins: tuple[str, ...] = ()


def read(value: object) -> object:
    """Return what an upgrade stores in the place of a value in a switch: 0 or 1 for a text."""
    return int(means_on(value)) if isinstance(value, str) else value


def means_on(value: object) -> bool:
    """Return what a value in a switch means."""
    return value.lower() in ON if isinstance(value, str) else value == 1


def as_number(expression: str) -> str:
    """Return SQL for what `read` returns."""
    words = ", ".join(f"'{word}'" for word in ON)
    return (
        f"CASE typeof({expression}) WHEN 'text' THEN {expression} COLLATE NOCASE IN ({words})"
        f" ELSE {expression} END"
    )


@as_storage_errors()
def find_odd_switches(connection: StorageConnection) -> OddSwitches:
    """Return every switch of an account, kind, entry or key with an odd value. Looks only."""
    if not isinstance(connection, SQLiteConnection):
        return OddSwitches()
    found = tuple(
        switch for table, column in _present(connection) for switch in _odd_in(connection, table, column)
    )
    are_people = any(each.table == "users" for each in found)
    return OddSwitches(found, _lost_admins(connection) if are_people else ())


def are_old_servers(known: Recognition) -> bool:
    """Whether the texts are those that an old server took for yes: no version of ours is recorded yet.

    To ours such a text is off. What it has hidden so no upgrade shows; a repair does, when it is told to.
    """
    return known.recorded is None and known.in_history is None


def with_switches(steps: tuple[Step, ...], odd: OddSwitches) -> tuple[Step, ...]:
    """Return the steps with those that read the texts in switches, one a column.

    They come once all tables have their form, and before the first revision.
    """
    places = dict.fromkeys((each.table, each.column) for each in odd.found if each.is_text)
    reading = tuple(
        Step(
            f"{READ_SWITCH}{table}.{column}",
            None,
            f"read the texts in {table}.{column} as on or off",
            "adopt",
        )
        for table, column in places
    )
    before = tuple(step for step in steps if step.kind != "migrate")
    return (*before, *reading, *(step for step in steps if step.kind == "migrate"))


@as_storage_errors()
def read_as_numbers(migration: MigrationConnection, place: str, before: kept_rows.KeptBefore) -> list[str]:
    """Store 1 or 0 for each text in the column ``place`` ("users.is_active"); the texts are kept first.

    ``before`` says what this run found: a table that it kept whole has its texts there already. Writes inside
    the caller's transaction; returns no sentence, because the findings of the plan have said it.
    """
    table, column = place.split(".")
    is_text = f"typeof({quoted(column)}) = 'text'"
    if not kept_rows.is_kept_whole(migration, table, before):
        kept_values.keep_column(migration.connection, table, column, is_text)
    migration.execute(
        f"UPDATE {quoted(table)} SET {quoted(column)} = {as_number(quoted(column))} WHERE {is_text}"
    )
    return []


def _present(connection: StorageConnection) -> Iterator[tuple[str, str]]:
    for table, columns in SWITCHES.items():
        have = {folded(name) for name in connection.columns(table)}
        if {"id", _NAMES[table]} <= have:
            yield from ((table, column) for column in columns if column in have)


def _odd_in(connection: StorageConnection, table: str, column: str) -> Iterator[Switch]:
    """Yield them by id. A BLOB, and a number that is neither 0 nor 1, is odd and no text."""
    found = connection.rows(
        f"SELECT id, {_NAMES[table]}, {column}, typeof({column}) FROM {table}"
        f" WHERE {column} IS NOT NULL AND {column} NOT IN (0, 1) ORDER BY id"
    )
    for row_id, name, value, kind in found:
        yield Switch(table, column, row_id, str(name), value, kind == "text")


def _lost_admins(connection: StorageConnection) -> tuple[str, ...]:
    """Return who was an active admin to an old server, if no one is one now; else no one."""
    if not {"id", "username", "is_active", "is_admin"} <= {
        folded(each) for each in connection.columns("users")
    }:
        return ()
    found = connection.rows("SELECT username, is_active, is_admin FROM users ORDER BY id")
    if any(means_on(is_active) and means_on(is_admin) for _, is_active, is_admin in found):
        return ()
    return tuple(str(name) for name, is_active, is_admin in found if is_active and is_admin)
