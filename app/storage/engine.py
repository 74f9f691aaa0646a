"""Storage protocol. What must a database engine be able to do for this project?

`StorageEngine` is that list; `app.storage.types` has the values that its answers are made of, and
`app.storage.registry` finds the engine of a URL. What is particular to one engine lies in a folder of its
name. Today there is one: SQLite.

Unless a method says otherwise, errors of the driver (sqlite3.Error) and of the system (OSError) come out as
they are; `app.storage.sqlite.errors.explained` makes one sentence of each.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.errors import DaemonError, Refused
from app.progress import OnPages
from app.storage.schema import Schema
from app.storage.types import FileKind, MigrationConnection, Orphan, TableDigest, Watch

if TYPE_CHECKING:
    import sqlalchemy


class StorageEngine(Protocol):
    """A database at its place. Making one of these opens nothing and writes nothing."""

    path: Path

    def file_kind(self) -> FileKind:
        """What lies at the place, by its first bytes only. Raises OSError where they cannot be read, Refused
        where it is no file."""

    def find_misplacement(self) -> Refused | None:
        """Why no database can be in the place, where something else is there: a folder, a link to nowhere."""

    def left_behind(self) -> list[Path]:
        """Logs and journals that lie beside the place of a database which is not there."""

    def journal_mode(self) -> str:
        """How it keeps its journal, "" where there is none."""

    def mount_kind(self) -> str:
        """The kind of file system that it lies on, "" where unknown."""

    def is_locked(self) -> bool:
        """Whether another process holds the write lock at this moment."""

    def engine_for_serving(self) -> sqlalchemy.Engine:
        """A pooled engine for threads; connecting to what is not there raises UnknownDatabase.

        A connection begins by reading; with the execution option ``writing=True`` it takes the write lock
        first, and with ``reading=True`` it cannot write.
        """

    def watch(self) -> Watch:
        """What tells whether somebody has committed. Raises UnknownDatabase where there is none."""

    def explained(self, error: BaseException) -> DaemonError | None:
        """The sentence for an error about the file, the disk or a lock; None for one about what was asked."""

    def migration_connection(self, wait_seconds: float = ...) -> AbstractContextManager[MigrationConnection]:
        """One open transaction with the write lock, rolled back unless committed.

        Raises Busy when the lock is not to be had within ``wait_seconds``.
        """

    def looking(self, wait_seconds: float = ...) -> AbstractContextManager[sqlite3.Connection]:
        """A connection that provably changes nothing: no byte, no file, no time. Raises Busy, Refused."""

    def peek(self, wait_seconds: float = ...) -> AbstractContextManager[sqlite3.Connection]:
        """A read-only connection to the live database, for the process that serves it."""

    def copy_online(self, target: Path, progress: OnPages | None = ..., *, wait_seconds: float = ...) -> None:
        """Write one committed state to the new file ``target``, synced, while others go on."""

    def copy_unseen(self, target: Path, *, wait_seconds: float = ...) -> None:
        """Write one committed state to the new file ``target`` as `looking` sees it: nothing else changes."""

    def copy_into_live(
        self, source: Path, progress: OnPages | None = ..., *, wait_seconds: float = ...
    ) -> None:
        """Make this the database that lies in the file ``source``, in one transaction."""

    def schema_of(self, connection: sqlite3.Connection) -> Schema:
        """The schema as ``connection`` sees it."""

    def integrity_faults(self, connection: sqlite3.Connection) -> list[str]:
        """What the engine's own check says; empty for a sound database."""

    def foreign_key_faults(self, connection: sqlite3.Connection) -> list[Orphan]:
        """Every row whose foreign key names a row that is not there."""

    def rows_digest(
        self, connection: sqlite3.Connection, select: str, parameters: Iterable[object] = ...
    ) -> TableDigest:
        """Count and hash of the rows of a SELECT, in whatever order they come, by value and type."""

    def table_digest(self, connection: sqlite3.Connection, table: str, columns: Iterable[str]) -> TableDigest:
        """`rows_digest` of these columns of a table."""

    def rebuild_table(
        self,
        connection: sqlite3.Connection,
        table: str,
        create_sql: str,
        columns: Sequence[str] | Mapping[str, str],
    ) -> int:
        """Give a table another form inside a migration; return how many rows it has."""

    def drop_triggers(self, connection: sqlite3.Connection) -> list[str]:
        """Drop every trigger and view; return the statements that make them again."""

    def create_again(self, connection: sqlite3.Connection, statements: Iterable[str]) -> None:
        """Run what `drop_triggers` returned."""
