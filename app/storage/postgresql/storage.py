"""PostgreSQL storage. What can be done with a database on a server? Each answer has its own file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from app.database_urls import forget_copy, in_words, note_copy
from app.errors import DaemonError, Refused
from app.full_text import FullText
from app.progress import OnPages
from app.storage.postgresql import errors, note, outside
from app.storage.postgresql.connection import PostgreSQLConnection
from app.storage.postgresql.driver import connect
from app.storage.postgresql.errors import as_storage_errors
from app.storage.postgresql.full_text import PostgreSQLFullText
from app.storage.postgresql.locks import AdvisoryLock
from app.storage.postgresql.watch import PostgreSQLWatch
from app.storage.postgresql.write_guard import WriteGuard
from app.storage.typed_rows import Digests
from app.storage.types import (
    EngineName,
    ExclusiveConnection,
    FileKind,
    Replicas,
    RowsOfCopy,
    SharedCounts,
    SharedJobs,
    StorageError,
    Watch,
    Writer,
)

if TYPE_CHECKING:
    import sqlalchemy

    from app.storage.postgresql.migration import PostgreSQLMigration

WAIT_SECONDS = 10.0


class PostgreSQLStorage:
    """The database that a URL names on a server; making one of these connects to nothing.

    ``path`` is where files of this machine are that are about it; there is none of that very name.
    """

    engine_name: EngineName = "postgresql"

    def __init__(self, url: str, path: Path) -> None:
        self.url = url
        self.path = path.absolute()
        self._guard = WriteGuard()

    def process_lock(self) -> AdvisoryLock:
        """The lock between servers and operators; see `locks`."""
        return AdvisoryLock(self.url, self._guard)

    # -- said of it as a whole

    def note(self) -> str:
        """What is noted with the table of the installation; see `note`."""
        with as_storage_errors(), closing(connect(self.url)) as driver:
            return note.read(driver)

    def set_note(self, text: str) -> None:
        """Write it, in a transaction of its own; durable when this returns."""
        with as_storage_errors(), closing(connect(self.url)) as driver:
            note.write(driver, text)

    # -- from outside

    def file_kind(self) -> FileKind:
        """Whether there are tables: "missing" where there is a database and nothing in it.

        Raises Refused where the server is too old or no place for this, and StorageError.
        """
        return outside.kind(self.url)

    def find_misplacement(self) -> Refused | None:
        """None: a server is the place."""
        return None

    def find_refusal(self) -> Refused | None:
        """Why the role may not make or change tables there; or None."""
        return outside.find_refusal(self.url)

    def left_behind(self) -> list[Path]:
        """Nothing is beside a database on a server."""
        return []

    companions = writes_beside = left_behind

    def size_bytes(self) -> int:
        """How large it is, as the server says."""
        with as_storage_errors(), closing(connect(self.url)) as driver:
            row = driver.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0

    def missing_bytes(self) -> int:
        """Nothing: the server looks after its files."""
        return 0

    def holds_the_same_as(self, other: Path) -> bool:
        """False: pages of a server are not compared."""
        return False

    def journal_mode(self) -> str:
        """Nothing that could be chosen here: the server has one log."""
        return ""

    def mount_kind(self) -> str:
        """Unknown: the files are on the server."""
        return ""

    def is_locked(self) -> bool:
        """Whether another session writes at this moment."""
        return outside.is_locked(self.url)

    def explained(self, error: BaseException) -> DaemonError:
        """The sentence for what the server answered, or what SQLAlchemy made of it."""
        return errors.explained(error, self.url)

    def is_own(self, error: BaseException) -> bool:
        """Whether the driver of PostgreSQL raised it."""
        return errors.is_of_driver(error)

    def is_of_the_place(self, error: BaseException) -> bool:
        """Whether an error is about the server, its disk or a lock."""
        return errors.is_of_the_place(error)

    # -- the server

    def engine_version(self) -> str:
        """The version of the server, as "15.18"."""
        with as_storage_errors(), closing(connect(self.url)) as driver:
            return f"{driver.info.server_version // 10000}.{driver.info.server_version % 10000}"

    def find_too_old(self) -> Refused | None:
        """Why that version cannot be used, or None; also where the server cannot be asked."""
        return outside.find_too_old(self.url)

    def find_doubt(self, journal_mode: str) -> Refused | None:
        """None is known."""
        return None

    # -- opened

    def engine_for_serving(self) -> sqlalchemy.Engine:
        """A pooled engine for threads; see `serving`."""
        from app.storage.postgresql import serving

        self._guard.forget()
        return serving.engine_for_serving(self.url, self._guard)

    def engine_for_glances(self) -> None:
        """Whatever is asked goes through a network."""

    def engine_for_programs(self) -> sqlalchemy.Engine:
        """SQLAlchemy's own way to speak to the server; see `serving`."""
        from app.storage.postgresql import serving

        return serving.engine_for_programs(self.url)

    def shared_writer(self) -> Writer:
        """What writes for all threads; see `serving`."""
        from app.storage.postgresql import serving

        return serving.PostgreSQLWriter(self.url, self._guard)

    def full_text(self) -> FullText:
        """What finds rows by their terms; see `full_text`."""
        return PostgreSQLFullText()

    def shared_counts(self) -> SharedCounts | None:
        """What all processes count together; see `shared_counts`."""
        from app.storage.postgresql.shared_counts import PostgreSQLCounts

        return PostgreSQLCounts(self.url)

    def shared_jobs(self) -> SharedJobs:
        """Which jobs are this process's; see `shared_jobs`."""
        from app.storage.postgresql.shared_jobs import PostgreSQLJobs

        return PostgreSQLJobs(self.url)

    def replicas(self, urls: Sequence[str]) -> Replicas:
        """Standbys of the server; see `replicas`."""
        from app.storage.postgresql.replicas import StandbyReplicas

        return StandbyReplicas(self.url, urls)

    def watch(self) -> Watch:
        """What tells whether someone has committed; see `serving`."""

        return PostgreSQLWatch(self.url)

    @contextmanager
    def migration_connection(self, wait_seconds: float = WAIT_SECONDS) -> Iterator[PostgreSQLMigration]:
        """One open transaction with the lock of those who write; see `migration`."""
        from app.storage.postgresql import migration

        with as_storage_errors(), migration.migration_connection(self.url, wait_seconds=wait_seconds) as one:
            yield one

    @contextmanager
    def looking(self, wait_seconds: float = WAIT_SECONDS) -> Iterator[PostgreSQLConnection]:
        """A connection that sees one state and changes nothing."""
        with as_storage_errors(), closing(connect(self.url, application_name="daemon (look)")) as driver:
            driver.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield PostgreSQLConnection(driver)

    peek = looking

    def alone(self) -> AbstractContextManager[PostgreSQLConnection]:
        """As `looking`."""
        return self.looking()

    def reading_rows(self) -> AbstractContextManager[RowsOfCopy]:
        """No private copy is a database on a server."""
        self._of_files_only()

    def changing_rows(self) -> AbstractContextManager[RowsOfCopy]:
        """No private copy is a database on a server."""
        self._of_files_only()

    @contextmanager
    def exclusive(self, wait_seconds: float = WAIT_SECONDS) -> Iterator[ExclusiveConnection]:
        """The live database, to be exchanged by its name; see `exchange`."""
        from app.storage.postgresql import exchange

        with exchange.exchange(self.url, self.process_lock) as held:
            yield held

    def server_major(self) -> int:
        """The major version of the server."""
        return int(self.engine_version().partition(".")[0])

    # -- copied

    def find_no_backup(self) -> Refused | None:
        """Why pg_dump or pg_restore cannot be used here; None where they can."""
        from app.storage.postgresql import programs

        major = self.server_major()
        for name in ("pg_dump", "pg_restore"):
            if programs.find_program(name, major) is None:
                return Refused(programs.refusal(name, major), hint=programs.install_hint(major))
        return None

    def opening_once(self) -> AbstractContextManager[None]:
        """While this lasts, a dump is restored once; see `scratch_databases.kept`."""
        from app.storage.postgresql import scratch_databases

        return scratch_databases.kept(self.url)

    def find_unprovable(self) -> Refused | None:
        """Why a dump cannot be restored into a scratch database; None where it can."""
        from app.storage.postgresql import scratch_databases

        return scratch_databases.find_no_createdb(self.url)

    def copy_online(
        self, target: Path, progress: OnPages | None = None, *, wait_seconds: float = WAIT_SECONDS
    ) -> Digests:
        """Dump one committed state into the new file ``target``; see `dump`."""
        from app.storage.postgresql import dump

        return dump.dump(self.url, target, progress)

    def copy_unseen(
        self, target: Path, progress: OnPages | None = None, *, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        """The same: looking changes nothing on a server."""
        self.copy_online(target, progress, wait_seconds=wait_seconds)

    @contextmanager
    def private_copy(self, folder: Path) -> Iterator[str]:
        """A scratch database beside it, which a dump is restored into; see `scratch_databases`."""
        from app.storage.postgresql import scratch_databases

        copy = folder / "daemon.dump"
        self.copy_unseen(copy)
        with scratch_databases.restored(self.url, copy, is_changed=True) as name:
            url = scratch_databases.url_of(self.url, name)
            note_copy(url)
            try:
                yield url
            finally:
                forget_copy(url)

    def clear_leftovers(self) -> int:
        """Drop scratch databases that killed processes left; see `scratch_databases`."""
        from app.storage.postgresql import scratch_databases

        try:
            return scratch_databases.clear_leftovers(self.url)
        except StorageError as error:
            raise self.explained(error) from error

    def copy_into_live(
        self, source: Path, progress: OnPages | None = None, *, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        """A database on a server is restored from a dump."""
        self._of_files_only()

    def make_self_contained(self) -> str:
        """Nothing is beside it."""
        return ""

    def rewrite(self) -> None:
        """Nothing: a dump holds rows, and no pages."""

    def set_journal_mode(self, mode: str) -> None:
        """The server has one log."""
        self._of_files_only()

    def _of_files_only(self) -> NoReturn:
        raise Refused(
            f"{in_words(self.url)} is on a server of PostgreSQL, where that is not done with files.",
            hint="docs/postgresql.md says what is done instead.",
        )
