"""SQLite storage. What can be done with an SQLite database? The whole list; each answer has its own file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.database_urls import SQLITE
from app.disk import real_path
from app.errors import DaemonError, Refused, SettingsError
from app.full_text import FullText
from app.progress import OnPages
from app.storage import misplaced, mounts
from app.storage.process_lock import ProcessLock
from app.storage.sqlite import connect, copy, copy_rows, errors, exclusive, files, library, read_only
from app.storage.sqlite.connect import WAIT_SECONDS
from app.storage.sqlite.connection import SQLiteConnection
from app.storage.sqlite.errors import as_storage_errors
from app.storage.sqlite.full_text import SQLiteFullText
from app.storage.types import (
    EngineName,
    ExclusiveConnection,
    FileKind,
    Replicas,
    RowsOfCopy,
    ServingLock,
    SharedCounts,
    SharedJobs,
    Watch,
    Writer,
)

if TYPE_CHECKING:
    import sqlalchemy

    from app.storage.sqlite.migration import SQLiteMigration
    from app.storage.sqlite.serving import States


class EveryJob:
    """All jobs are this process's."""

    def is_mine(self, job: str) -> bool:
        """Whether this process does it: always."""
        return True

    def close(self) -> None:
        """Nothing is held."""


class SQLiteStorage:
    """The SQLite database in the file ``path``; making one of these opens nothing and writes nothing."""

    engine_name: EngineName = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._states: States | None = None

    def process_lock(self) -> ServingLock:
        """Two files beside the database; see `process_lock`."""
        return ProcessLock(self.path)

    # -- said of it as a whole

    def note(self) -> str:
        """What the file NAME.moved beside it says; "" where there is none."""
        return files.note(self.path)

    def set_note(self, text: str) -> None:
        """Write that file, durable when this returns; "" removes it."""
        files.set_note(self.path, text)

    # -- from outside

    def file_kind(self) -> FileKind:
        """What is at the place, by its first bytes only.

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
        return "database" if head.startswith(files.MAGIC) else "other"

    def find_misplacement(self) -> Refused | None:
        """Why no database can be in the place, where something else is there; see `misplaced`."""
        return misplaced.find_misplacement(self.path)

    def left_behind(self) -> list[Path]:
        """Logs and journals that are beside the place of a database which is not there."""
        real = real_path(self.path)
        return [] if real.exists() else files.present_siblings(real)

    def find_refusal(self) -> Refused | None:
        """Why this account may not write the existing file, what is beside it, and there; or None."""
        return errors.find_refusal(self.path)

    def companions(self) -> list[Path]:
        """The log, the journal and the log's index that are beside the file."""
        return files.present_siblings(self.path)

    def writes_beside(self) -> list[Path]:
        """The log and the journal; not the log's index, which SQLite makes anew."""
        parts = (path for path in self.companions() if not path.name.endswith(files.LOG_INDEX))
        return [path for path in parts if files.may_hold_writes(path)]

    def size_bytes(self) -> int:
        """How large it is, with what still is in its write-ahead log."""
        parts = (self.path, self.path.with_name(self.path.name + "-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())

    def missing_bytes(self) -> int:
        """How much shorter the file is than its header says."""
        return files.missing_bytes(self.path)

    def holds_the_same_as(self, other: Path) -> bool:
        """Whether two self-contained files hold the same pages; what each copying counts up is left out."""
        return exclusive.is_same_database(self.path, other)

    def journal_mode(self) -> str:
        """Either "wal" or "delete", as the file's header says; "" where there is none. Raises OSError."""
        head = files.header(self.path)
        if not head:
            return ""
        return "wal" if files.is_wal(head) else "delete"

    def mount_kind(self) -> str:
        """The kind of file system that it is on ("ext4", "nfs4", "fuse.sshfs"), "" where unknown."""
        return mounts.mount_kind(self.path)

    def is_locked(self) -> bool:
        """Whether another process holds the write lock at this moment."""
        return files.is_locked(real_path(self.path))

    def explained(self, error: BaseException) -> DaemonError:
        """The sentence for an error about the file, the disk or a lock; or about what was asked."""
        return errors.explained(error, self.path)

    def is_own(self, error: BaseException) -> bool:
        """Whether SQLite raised it."""
        return errors.is_own(error)

    def is_of_the_place(self, error: BaseException) -> bool:
        """Whether an error of SQLite is about the file, the disk or a lock."""
        return errors.is_of_the_place(error)

    # -- the library

    def engine_version(self) -> str:
        """The version of the SQLite library."""
        return library.version()

    def find_too_old(self) -> Refused | None:
        """Why this SQLite library cannot be used, or None."""
        return library.find_too_old()

    def find_doubt(self, journal_mode: str) -> Refused | None:
        """A fault of this SQLite library that touches a database with such a journal, or None."""
        return library.find_doubt(journal_mode)

    # -- opened

    def engine_for_serving(self) -> sqlalchemy.Engine:
        """A pooled engine for threads; see `serving`."""
        # Here and not above: SQLAlchemy takes a quarter of a second to import, and most tools need none.
        from app.storage.sqlite import serving

        self._states = self._states or serving.States(self.path)
        return serving.engine_for_serving(self.path, wait_seconds=WAIT_SECONDS, states=self._states)

    def engine_for_glances(self) -> sqlalchemy.Engine:
        """One connection that never waits for a lock; see `serving`."""
        from app.storage.sqlite import serving

        self._states = self._states or serving.States(self.path)
        return serving.engine_for_serving(
            self.path, wait_seconds=0.0, most_connections=1, states=self._states, reads_odd_text=False
        )

    def engine_for_programs(self) -> sqlalchemy.Engine:
        """The same as for serving."""
        return self.engine_for_serving()

    def shared_writer(self) -> Writer:
        """The one connection that writes; see `group_commit`."""
        from app.storage.sqlite import group_commit, serving

        make_engine = partial(serving.engine_for_writing, self.path, wait_seconds=WAIT_SECONDS)
        return group_commit.SharedWriter(make_engine, self.path, WAIT_SECONDS)

    def full_text(self) -> FullText:
        """What finds rows by their terms; see `full_text`."""
        return SQLiteFullText()

    def shared_counts(self) -> SharedCounts | None:
        """None: a database in a file is served by one process, or each of a few counts for itself."""
        return None

    def shared_jobs(self) -> SharedJobs:
        """Whoever serves a file does all of it."""
        return EveryJob()

    def replicas(self, urls: Sequence[str]) -> Replicas:
        """There are none."""
        raise SettingsError(
            "DATABASE_REPLICA_URLS names standbys of a server, and DATABASE_URL is a file.",
            hint="Take DATABASE_REPLICA_URLS out of the settings.",
        )

    def watch(self) -> Watch:
        """What tells whether someone has committed; see `serving`."""
        from app.storage.sqlite import serving

        return serving.SQLiteWatch(self.path)

    @contextmanager
    def migration_connection(self, wait_seconds: float = WAIT_SECONDS) -> Iterator[SQLiteMigration]:
        """One open transaction with the write lock, rolled back unless committed; see `migration`."""
        from app.storage.sqlite import migration

        with (
            as_storage_errors(),
            migration.migration_connection(self.path, wait_seconds=wait_seconds) as connection,
        ):
            yield connection

    @contextmanager
    def looking(self, wait_seconds: float = WAIT_SECONDS) -> Iterator[SQLiteConnection]:
        """A connection that provably changes nothing; see `read_only`."""
        with as_storage_errors(), read_only.looking(self.path, wait_seconds=wait_seconds) as connection:
            yield SQLiteConnection(connection)

    @contextmanager
    def peek(self, wait_seconds: float = WAIT_SECONDS) -> Iterator[SQLiteConnection]:
        """A cheap read-only connection for the process that serves the file; see `read_only`."""
        with as_storage_errors(), read_only.peek(self.path, wait_seconds=wait_seconds) as connection:
            yield SQLiteConnection(connection)

    @contextmanager
    def alone(self) -> Iterator[SQLiteConnection]:
        """A connection for reading a private copy that needs no companion; see `connect`."""
        with as_storage_errors(), connect.opened_alone(self.path) as connection:
            yield SQLiteConnection(connection)

    def reading_rows(self) -> AbstractContextManager[RowsOfCopy]:
        """The rows of a private copy, for reading; see `copy_rows`."""
        return copy_rows.reading_rows(self.path)

    def changing_rows(self) -> AbstractContextManager[RowsOfCopy]:
        """The rows of a private copy, in one transaction; see `copy_rows`."""
        return copy_rows.changing_rows(self.path)

    @contextmanager
    def exclusive(self, wait_seconds: float = WAIT_SECONDS) -> Iterator[ExclusiveConnection]:
        """The live database, held so that no one else reads or writes it; see `exclusive`."""
        with as_storage_errors(), exclusive.exchange(self.path, busy_seconds=wait_seconds) as held:
            yield held

    # -- copied

    def find_no_backup(self) -> None:
        """None: the library makes them."""

    def opening_once(self) -> AbstractContextManager[None]:
        """Nothing to be done: a copy of a file is opened as it is."""
        return nullcontext()

    def find_unprovable(self) -> None:
        """None: a copy of a file can be opened wherever it is."""

    @as_storage_errors()
    def copy_online(
        self, target: Path, progress: OnPages | None = None, *, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        """Write one committed state to the new file ``target``, synced; see `copy`."""
        copy.copy_online(self.path, target, progress, wait_seconds)

    @as_storage_errors()
    def copy_unseen(
        self, target: Path, progress: OnPages | None = None, *, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        """Write one committed state to the new file ``target``, changing nothing else; see `copy`."""
        copy.copy_unseen(self.path, target, progress, wait_seconds)

    @contextmanager
    def private_copy(self, folder: Path) -> Iterator[str]:
        """A copy in the folder."""
        self.copy_unseen(folder / "daemon.db")
        yield f"{SQLITE}{folder / 'daemon.db'}"

    def clear_leftovers(self) -> int:
        """None is anywhere but in a temporary folder; see `temporary`."""
        return 0

    @as_storage_errors()
    def copy_into_live(
        self, source: Path, progress: OnPages | None = None, *, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        """Make this the database that is in ``source``, in one transaction; see `copy`."""
        copy.copy_into_live(self.path, source, progress, wait_seconds)

    @as_storage_errors()
    def make_self_contained(self) -> str:
        """Fold what is beside a private copy into it; return the journal mode that it had."""
        return exclusive.make_self_contained(self.path)

    @as_storage_errors()
    def rewrite(self) -> None:
        """Write a private copy anew from the rows that are there (VACUUM)."""
        exclusive.rewrite(self.path)

    @as_storage_errors()
    def set_journal_mode(self, mode: str) -> None:
        """Let the database keep its journal so: "wal" or "delete"."""
        exclusive.set_journal_mode(self.path, mode)
