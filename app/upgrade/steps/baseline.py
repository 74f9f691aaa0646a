"""Baseline of a database on a server. What have the steps made by the first version that such a database had?

The steps until then were written for SQLite, and are frozen. What they make of nothing is always the same:
they make it in a private file of SQLite, and tables and rows are made alike on the server. The steps after
FIRST_ON_SERVERS run on every engine by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.storage.registry import storage_at
from app.storage.schema import quoted
from app.storage.types import MigrationConnection, ServerMigration, StorageConnection
from app.temporary import temporary_folder
from app.upgrade.versions.expected_schema import schema_at
from app.upgrade.versions.releases import FIRST_ON_SERVERS, version_key

HISTORY = "database_versions"  # whoever runs the steps writes it


def is_in_baseline(version: str) -> bool:
    """Return whether what the step of a version makes is part of the baseline of databases on servers."""
    return version_key(version) <= version_key(FIRST_ON_SERVERS)


def make_baseline(migration: ServerMigration, run_steps: Callable[[MigrationConnection], None]) -> None:
    """Make tables and rows of FIRST_ON_SERVERS where there are none; ``run_steps`` makes them of nothing.

    Writes inside the caller's transaction; made already, nothing is done. Raises StorageError.
    """
    if migration.has("table", HISTORY):
        return
    migration.make_schema(schema_at(FIRST_ON_SERVERS))
    with temporary_folder(".daemon-baseline-", Path.cwd(), needed_bytes=1_000_000) as folder:
        draft = folder / "baseline.db"
        draft.touch()
        with storage_at(draft).migration_connection() as made:
            run_steps(made)
            for table in made.tables():
                if table != HISTORY:
                    _copy(made, migration, table)
    migration.count_on()


def _copy(made: StorageConnection, migration: MigrationConnection, table: str) -> None:
    columns = made.columns(table)
    names = ", ".join(map(quoted, columns))
    marks = ", ".join(f":value{number}" for number in range(len(columns)))
    for row in made.each_row(f"SELECT {names} FROM {quoted(table)}"):
        values = {f"value{number}": value for number, value in enumerate(row)}
        migration.execute(f"INSERT INTO {quoted(table)} ({names}) VALUES ({marks})", values)
