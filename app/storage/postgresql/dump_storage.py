"""Dump as storage. What can be done with a file of pg_dump? It is looked into on the server.

A dump is no database: whoever opens one gets a scratch database that it was restored into.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from app.database_urls import in_words
from app.errors import DaemonError, Refused
from app.progress import OnPages
from app.storage.postgresql import dump, errors, scratch_databases
from app.storage.postgresql.connection import PostgreSQLConnection
from app.storage.postgresql.storage import WAIT_SECONDS, PostgreSQLStorage
from app.storage.types import EngineName, FileKind, RowsOfCopy

if TYPE_CHECKING:
    from app.storage.postgresql.migration import PostgreSQLMigration


class DumpStorage(PostgreSQLStorage):
    """The dump in the file ``path``; making one of these opens nothing and connects to nothing.

    ``url`` is that of a database on the server where it is to be looked into.
    """

    engine_name: EngineName = "postgresql"

    def __init__(self, path: Path, url: str) -> None:
        super().__init__(url, path)

    # -- from outside: it is a file

    def file_kind(self) -> FileKind:
        """What is at the place, by its first bytes only. Raises OSError."""
        try:
            if not self.path.stat().st_size:
                return "empty"
        except FileNotFoundError:
            return "missing"
        return "database" if dump.is_dump(self.path) else "other"

    def find_refusal(self) -> None:
        """None: it is not written to."""

    def size_bytes(self) -> int:
        """The size of the file. Raises OSError."""
        return self.path.stat().st_size

    def holds_the_same_as(self, other: Path) -> bool:
        """Whether two dumps stand for the same SQL, whenever they were made."""
        major = self.server_major()
        own = dump.read_through(self.path, major)
        return bool(own) and own == dump.read_through(other, major)

    def is_locked(self) -> bool:
        """No one writes to it."""
        return False

    def note(self) -> str:
        """Nothing is noted with a file."""
        return ""

    def explained(self, error: BaseException) -> DaemonError:
        """The sentence for what the server answered about the scratch database."""
        return errors.explained(error, self.url)

    # -- opened: as a scratch database

    @contextmanager
    def _database(self, *, is_changed: bool = False) -> Iterator[PostgreSQLStorage]:
        url = scratch_databases.server(self.url)
        with scratch_databases.restored(url, self.path, is_changed=is_changed) as name:
            yield PostgreSQLStorage(scratch_databases.url_of(url, name), self.path)

    @contextmanager
    def looking(self, wait_seconds: float = WAIT_SECONDS) -> Iterator[PostgreSQLConnection]:
        """A connection to what it was restored into, that changes nothing."""
        with self._database() as database, database.looking(wait_seconds) as connection:
            yield connection

    peek = alone = looking

    @contextmanager
    def migration_connection(self, wait_seconds: float = WAIT_SECONDS) -> Iterator[PostgreSQLMigration]:
        """One transaction in what it was restored into; lasting only within `opening_once`."""
        with (
            self._database(is_changed=True) as database,
            database.migration_connection(wait_seconds) as migration,
        ):
            yield migration

    @contextmanager
    def reading_rows(self) -> Iterator[RowsOfCopy]:
        """The rows of what it was restored into, for reading."""
        from app.storage.postgresql.copy_rows import reading_rows

        with self._database() as database, reading_rows(database.url) as rows:
            yield rows

    @contextmanager
    def changing_rows(self) -> Iterator[RowsOfCopy]:
        """The rows of what it was restored into, in one transaction; lasting only within `opening_once`."""
        from app.storage.postgresql.copy_rows import changing_rows

        with self._database(is_changed=True) as database, changing_rows(database.url) as rows:
            yield rows

    # -- copied

    def copy_unseen(
        self, target: Path, progress: OnPages | None = None, *, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        """Copy the file: what was changed since in what it was restored into is not in it."""
        shutil.copyfile(self.path, target)

    def _of_files_only(self) -> NoReturn:
        raise Refused(f"{self.path} is a dump for {in_words(self.url)}, and no database that is used.")
