"""What must a database engine be able to do for this project?

`StorageEngine` is that list, and the values beside it are what its answers are made of. Everything particular
to one engine lives in files of this folder that bear its name. Today there is one: SQLite.

Unless a method says otherwise, errors of the driver (sqlite3.Error) and of the system (OSError) come out as
they are; `app.storage.sqlite.errors.explained` makes one sentence of each.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from app.errors import DaemonError, Refused, SettingsError
from app.storage.schema import Schema

if TYPE_CHECKING:
    import sqlalchemy

FileKind = Literal["missing", "empty", "sqlite", "not_sqlite"]
Progress = Callable[[int, int], None]  # pages still to copy, pages in all


class CommitUncertain(DaemonError):
    """COMMIT, or making it durable, ended with an error: only a look at the database tells what is there."""

    code = "commit_uncertain"


@dataclass(frozen=True)
class TableDigest:
    """How many rows, and one hash of them all. Equal digests: equal rows. Compare, do not store."""

    rows: int
    digest: str


@dataclass(frozen=True)
class Orphan:
    """A row that names a row which is not there; ``rowid`` is None in a table without one.

    ``problem`` is set, and the rest is empty, where the keys of a table could not be checked at all.
    """

    table: str
    rowid: int | None
    parent: str
    columns: tuple[str, ...] = ()
    problem: str = ""

    def sentence(self) -> str:
        """Say it in one line."""
        if self.problem:
            return f"the foreign keys of {self.table} cannot be checked: {self.problem}"
        row = "a row" if self.rowid is None else f"row {self.rowid}"
        return (
            f"{self.table}, {row}: {', '.join(self.columns)} names a row of {self.parent} that is not there"
        )


class MigrationConnection(Protocol):
    """One open transaction that holds the write lock."""

    @property
    def connection(self) -> sqlalchemy.Connection:
        """For what speaks SQLAlchemy."""

    @property
    def sqlite(self) -> sqlite3.Connection:
        """The driver's connection below it, for what is asked of this storage."""

    def commit_durably(self) -> None:
        """Commit, and return when a power cut cannot undo it. Raises Busy, Refused, CommitUncertain."""


class Watch(Protocol):
    """Tells whether somebody has committed; may be asked from any thread, one at a time."""

    def commits(self) -> int:
        """A number that is another one after a commit by anybody; comparable within one watch."""

    def close(self) -> None:
        """Let go of the database."""


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

    def copy_online(
        self, target: Path, progress: Progress | None = ..., *, wait_seconds: float = ...
    ) -> None:
        """Write one committed state to the new file ``target``, synced, while others go on."""

    def copy_unseen(self, target: Path, *, wait_seconds: float = ...) -> None:
        """Write one committed state to the new file ``target`` as `looking` sees it: nothing else changes."""

    def copy_into_live(
        self, source: Path, progress: Progress | None = ..., *, wait_seconds: float = ...
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


def storage_for(url: str) -> StorageEngine:
    """The storage engine of a database URL. Raises SettingsError for an engine that is not supported."""
    scheme, _, place = url.partition("://")
    if scheme.partition("+")[0] != "sqlite" or not place.startswith("/"):
        raise SettingsError(
            f"DATABASE_URL must be a file of SQLite, and is of the kind {scheme!r}; PostgreSQL follows.",
            hint="DATABASE_URL=sqlite:///./data/daemon.db",
        )
    return storage_at(Path.cwd() / place.removeprefix("/"))


def storage_at(path: Path) -> StorageEngine:
    """The storage engine of a file that may be a database."""
    from app.storage.sqlite.storage import SQLiteStorage

    return SQLiteStorage(path)
