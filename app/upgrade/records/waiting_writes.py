"""Waiting writes. Which rows that a rollback kept are to come back to this database, and which did already?

They come with the next upgrade (`operations.bring_back`). What came is written into `kept_values` in the same
transaction, so that none comes twice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app import clock
from app.upgrade.records import kept_writes

if TYPE_CHECKING:
    from pathlib import Path

    from app.storage.types import MigrationConnection, StorageConnection
    from app.upgrade.records.kept_writes import KeptWrites, LineId

PLACE = "rollback"  # of the lines in kept_values that say what came back
HISTORY, KEPT, COUNTERS = "database_versions", "kept_values", "id_counters"


@dataclass(frozen=True)
class WaitingFile:
    """What one rollback kept for this database; ``done`` are the numbers of the rows that came already."""

    path: Path
    kept: KeptWrites
    done: frozenset[int] = frozenset()

    def by_table(self) -> Mapping[str, int]:
        """Return how many rows of each table are still to come."""
        return Counter(self.kept.rows[number].table for number in self.waiting())

    def waiting(self) -> list[int]:
        """Return the numbers of the rows that are still to come."""
        rows = enumerate(self.kept.rows)
        return [number for number, row in rows if number not in self.done and row != kept_writes.ERASED]


@dataclass(frozen=True)
class Waiting:
    """What rollbacks kept for this database, and sentences about files that are not for it.

    ``superseded`` are files whose rows a later one kept again, or what became of them; ``taken_back`` are the
    history lines of all upgrades that were taken back, as far as files beside the database tell.
    """

    files: tuple[WaitingFile, ...] = ()
    superseded: tuple[Path, ...] = ()
    notes: tuple[str, ...] = field(default=())
    taken_back: frozenset[LineId] = frozenset()


def find_waiting(database: Path, connection: StorageConnection) -> Waiting:
    """Return what is to come back to the ``database`` as it is before the steps. Reads only."""
    found, notes = [], []
    files = kept_writes.find_all(database)
    for path, kept in files:
        if kept is None:
            notes.append(f"{path} could not be read, and stays as it is.")
        elif _was_taken_back(connection, kept):
            if kept.first_account in (None, first_account(connection)):
                found.append(WaitingFile(path, kept, frozenset(_numbers_done(connection, kept))))
            else:
                notes.append(f"{path} belongs to a database with another first account, and stays.")
    included = {name for one in found for name in one.kept.includes}
    return Waiting(
        tuple(one for one in found if one.kept.id not in included),
        tuple(one.path for one in found if one.kept.id in included),
        tuple(notes),
        frozenset(kept.undone_line for _, kept in files if kept is not None),
    )


def in_words(rows: Mapping[str, int]) -> str:
    """Say how many rows of each table: "2 of api_keys, 1 of users"."""
    return ", ".join(f"{rows[table]} of {table}" for table in sorted(rows))


def write_down(migration: MigrationConnection, kept: KeptWrites, came: set[int]) -> None:
    """Write down, inside the caller's transaction, which rows of the file are in the database now."""
    migration.execute(
        f"INSERT INTO {KEPT} (table_name, row_key, column_name, value, value_type, kept_at)"
        " VALUES (:place, :id, 'brought back', :numbers, 'text', :at)",
        {
            "place": PLACE,
            "id": kept.id,
            "numbers": json.dumps(sorted(came)),
            "at": clock.stored(clock.now()),
        },
    )


def brought_back(connection: StorageConnection) -> tuple[str, ...]:
    """Return the ids of the files of which rows are in this database."""
    if not connection.has("table", KEPT):
        return ()
    found = connection.rows(
        f"SELECT DISTINCT row_key FROM {KEPT} WHERE table_name = :place", {"place": PLACE}
    )
    return tuple(str(name) for (name,) in found)


def counters_of(connection: StorageConnection) -> dict[str, int]:
    """Return the highest id that was ever given, by table; nothing where that is not counted."""
    if not connection.has("table", COUNTERS):
        return {}
    return {
        str(table): int(last)
        for table, last in connection.rows(f"SELECT table_name, last_id FROM {COUNTERS}")
    }


def first_account(connection: StorageConnection) -> list[str] | None:
    """Return what tells one installation from another: its first account."""
    if not {"id", "username", "created_at"} <= set(connection.columns("users")):
        return None
    found = connection.rows("SELECT id, username, created_at FROM users ORDER BY id LIMIT 1")
    return [str(value) for value in found[0]] if found else None


def _was_taken_back(connection: StorageConnection, kept: KeptWrites) -> bool:
    """Whether the upgrade that was taken back is not in this database's history: see `kept_writes`."""
    if not connection.has("table", HISTORY):
        return True
    lines = connection.as_written(HISTORY, ("version", "applied_at", "backup_file", "duration_ms"))
    return kept.undone_line not in [
        tuple(None if cell is None else str(cell) for cell in line) for line in lines
    ]


def _numbers_done(connection: StorageConnection, kept: KeptWrites) -> Iterator[int]:
    if not connection.has("table", KEPT):
        return
    query = f"SELECT value FROM {KEPT} WHERE table_name = :place AND row_key = :id"
    for (value,) in connection.rows(query, {"place": PLACE, "id": kept.id}):
        yield from json.loads(str(value))
