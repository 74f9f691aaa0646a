"""What can be done with an SQLite database? The whole list; each answer has a file of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import DaemonError, Refused
from app.progress import OnPages
from app.storage import misplaced
from app.storage.schema import Schema
from app.storage.sqlite import copy, errors, files, integrity, read_only, rebuild, schema
from app.storage.sqlite.connect import WAIT_SECONDS
from app.storage.types import FileKind, MigrationConnection, Orphan, TableDigest, Watch

if TYPE_CHECKING:
    import sqlalchemy


class SQLiteStorage:
    """The SQLite database in the file ``path``; making one of these opens nothing and writes nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    # -- from outside

    def file_kind(self) -> FileKind:
        """What lies at the place, by its first bytes only.

        Raises OSError where they cannot be read, Refused where it is no file: a folder, a link to nowhere.
        """
        misplacement = self.find_misplacement()
        if misplacement is not None:
            raise misplacement
        head = files.header(self.path)
        if head is None:
            return "missing"
        if not head:
            return "empty"
        return "sqlite" if head.startswith(files.MAGIC) else "not_sqlite"

    def find_misplacement(self) -> Refused | None:
        """Why no database can be in the place, where something else is there; see `misplaced`."""
        return misplaced.find_misplacement(self.path)

    def left_behind(self) -> list[Path]:
        """Logs and journals that lie beside the place of a database which is not there."""
        real = self.path.resolve()
        return [] if real.exists() else files.present_siblings(real)

    def journal_mode(self) -> str:
        """Either "wal" or "delete", as the file's header says; "" where there is none. Raises OSError."""
        head = files.header(self.path)
        if not head:
            return ""
        return "wal" if files.is_wal(head) else "delete"

    def mount_kind(self) -> str:
        """The kind of file system that it lies on ("ext4", "nfs4", "fuse.sshfs"), "" where unknown."""
        return files.mount_kind(self.path)

    def is_locked(self) -> bool:
        """Whether another process holds the write lock at this moment."""
        return files.is_locked(self.path.resolve())

    # -- opened

    def engine_for_serving(self) -> sqlalchemy.Engine:
        """A pooled engine for threads; see `sqlite_serving`."""
        # Here and not above: SQLAlchemy takes a quarter of a second to import, and most tools need none.
        from app.storage.sqlite import serving

        return serving.engine_for_serving(self.path, wait_seconds=WAIT_SECONDS)

    def watch(self) -> Watch:
        """What tells whether somebody has committed; see `sqlite_serving`."""
        from app.storage.sqlite import serving

        return serving.SQLiteWatch(self.path)

    def migration_connection(
        self, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[MigrationConnection]:
        """One open transaction with the write lock, rolled back unless committed; see `sqlite_migrating`."""
        from app.storage.sqlite import migration

        return migration.migration_connection(self.path, wait_seconds=wait_seconds)

    def looking(self, wait_seconds: float = WAIT_SECONDS) -> AbstractContextManager[sqlite3.Connection]:
        """A connection that provably changes nothing; see `sqlite_looking`."""
        return read_only.looking(self.path, wait_seconds=wait_seconds)

    def peek(self, wait_seconds: float = WAIT_SECONDS) -> AbstractContextManager[sqlite3.Connection]:
        """A cheap read-only connection for the process that serves the file; see `sqlite_looking`."""
        return read_only.peek(self.path, wait_seconds=wait_seconds)

    def explained(self, error: BaseException) -> DaemonError | None:
        """The sentence for an error about the file, the disk or a lock; None for one about what was asked."""
        return errors.explained(error, self.path) if errors.is_of_the_place(error) else None

    # -- copied

    def copy_online(
        self, target: Path, progress: OnPages | None = None, *, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        """Write one committed state to the new file ``target``, synced; see `sqlite_copy`."""
        copy.copy_online(self.path, target, progress, wait_seconds)

    def copy_unseen(self, target: Path, *, wait_seconds: float = WAIT_SECONDS) -> None:
        """Write one committed state to the new file ``target``, changing nothing else; see `sqlite_copy`."""
        copy.copy_unseen(self.path, target, wait_seconds)

    def copy_into_live(
        self, source: Path, progress: OnPages | None = None, *, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        """Make this the database that lies in ``source``, in one transaction; see `sqlite_copy`."""
        copy.copy_into_live(self.path, source, progress, wait_seconds)

    # -- asked, through a connection that is open

    def schema_of(self, connection: sqlite3.Connection) -> Schema:
        """The schema, without SQLite's own tables. Raises sqlite3.Error."""
        return schema.schema_of(connection)

    def integrity_faults(self, connection: sqlite3.Connection) -> list[str]:
        """What the integrity check says; empty for a sound database."""
        return integrity.integrity_faults(connection)

    def foreign_key_faults(self, connection: sqlite3.Connection) -> list[Orphan]:
        """Every row whose foreign key names a row that is not there."""
        return integrity.foreign_key_faults(connection)

    def rows_digest(
        self, connection: sqlite3.Connection, select: str, parameters: Iterable[object] = ()
    ) -> TableDigest:
        """Count and hash of the rows of a SELECT, in whatever order; for comparing within this process."""
        return integrity.rows_digest(connection, select, parameters)

    def table_digest(self, connection: sqlite3.Connection, table: str, columns: Iterable[str]) -> TableDigest:
        """`rows_digest` of these columns of a table."""
        return integrity.table_digest(connection, table, columns)

    # -- changed, inside a migration

    def rebuild_table(
        self,
        connection: sqlite3.Connection,
        table: str,
        create_sql: str,
        columns: Sequence[str] | Mapping[str, str],
    ) -> int:
        """Give a table another form and return how many rows it has; see `sqlite_rebuild`."""
        return rebuild.rebuild_table(connection, table, create_sql, columns)

    def drop_triggers(self, connection: sqlite3.Connection) -> list[str]:
        """Drop every trigger and view; return the statements that make them again."""
        return rebuild.drop_triggers(connection)

    def create_again(self, connection: sqlite3.Connection, statements: Iterable[str]) -> None:
        """Run what `drop_triggers` returned."""
        rebuild.create_again(connection, statements)
