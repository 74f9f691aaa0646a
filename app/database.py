"""Database connections and transactions, for the rooms: `reading()`, and `writing()` with the only commit."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.errors import Busy, DaemonError
from app.full_text import FULL_TEXT
from app.known_commits import KnownCommits
from app.storage.engine import StorageEngine
from app.storage.registry import storage_for
from app.storage.types import REPLICAS, Watch, WriteJob

if TYPE_CHECKING:
    from app.settings import Settings

engine: sqlalchemy.Engine  # made when it is first asked for, see __getattr__
"""The configured database, for programs of the owner: `from app.database import engine`."""

_EPOCH_BITS = 32


class Database:
    """An open database. Making one connects to nothing; a missing file shows at the first use."""

    def __init__(self, storage: StorageEngine, replica_urls: Sequence[str] = ()) -> None:
        """Raises SettingsError where the engine has no replicas."""
        self.storage = storage
        self._replicas = storage.replicas(replica_urls) if replica_urls else None
        self.engine = storage.engine_for_serving()
        self._reader = self.engine.execution_options(reading=True)
        glances = storage.engine_for_glances()
        self._glances = None if glances is None else glances.execution_options(reading=True)
        self._glance: sqlalchemy.Connection | None = None
        self._glance_turn = threading.Lock()
        self._writer = storage.shared_writer()
        self._commits = KnownCommits(self._number_if_watched)
        self._writer.tell_of_commits(self._commits)
        self._full_text = storage.full_text()
        self._watch: Watch | None = None
        self._epoch = 0
        self._in_use = 0
        self._closing = False
        self._door = threading.Condition()
        self._watch_lock = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[sqlalchemy.Connection]:
        """A connection that sees one state of the database and cannot write.

        Raises Busy, Damaged, Refused or UnknownDatabase for errors of the file, the disk or a lock; others
        come out as SQLAlchemy raised them.
        """
        with self._using(), self._explaining(), self._reader.connect() as connection, connection.begin():
            connection.info[REPLICAS] = self._replicas
            connection.info[FULL_TEXT] = self._full_text
            yield connection

    @contextmanager
    def glancing(self) -> Iterator[sqlalchemy.Connection]:
        """The same for the thread that answers everyone, and for a question that takes no time.

        Raises Busy at once where `reading` would wait, and where the engine is no such one.
        """
        if self._glances is None or not self._glance_turn.acquire(blocking=False):
            raise Busy("This database is not asked in passing now.")
        is_sound = False
        try:
            with self._using(), self._explaining():
                self._glance = self._glance or self._glances.connect()  # it stays: that is half of the time
                with self._glance.begin():
                    is_sound = True
                    yield self._glance
        except DBAPIError as error:  # `reading` has the time to find out what it is
            is_sound = False
            raise Busy("This database is not asked in passing now.") from error
        finally:
            if not is_sound:
                self._end_glance()
            self._glance_turn.release()

    @contextmanager
    def writing(self) -> Iterator[sqlalchemy.Connection]:
        """A connection that holds the write lock; committed at the end, taken back when that raises.

        Several threads may share one commit, each of which returns when it is on the disk.

        Raises as `reading` does (Busy when the lock is not to be had), and sqlalchemy.exc.IntegrityError.
        When it has ended without an error, the change is on the disk.
        """
        with self._using(), self._explaining(), self._writer.writing() as connection:
            connection.info[FULL_TEXT] = self._full_text
            yield connection

    def write_each(self, jobs: Iterator[WriteJob]) -> list[WriteJob]:
        """Do each job as a block of `writing` would; they may share a commit. See `Writer.write_each`.

        Raises as `writing` does where none could be begun.
        """
        with self._using(), self._explaining():
            taken = self._writer.write_each(jobs)
        for job in taken:
            if job.error is not None:
                job.error = self._explained(job.error) or job.error
        return taken

    def generation(self) -> int:
        """A number that is another one after any commit by anyone; for throwing away what was cached.

        Costs a few microseconds. Raises as `reading` does.
        """
        with self._watch_lock:
            if self._watch is None:
                self._watch = self.storage.watch()
                self._epoch += 1  # each watch counts anew
            return (self._epoch << _EPOCH_BITS) + self._watch.commits()

    def find_changes(self, before: int, after: int) -> list[Any] | None:
        """Return what was changed between two generations (`snapshot_memory.RowChange`).

        None where more may have been changed than rows of the tables in NOT_COUNTED, or by someone else.
        """
        return self._commits.find_between(before, after)

    def _number_if_watched(self) -> int | None:
        """The generation, where anyone has asked for it before: others keep nothing."""
        if self._watch is None:
            return None
        try:
            return self.generation()
        except DaemonError:
            return None

    def checkpoint(self) -> None:
        """Fold a write-ahead log into the file, where that holds no one up. Raises as `reading` does."""
        with self._using(), self._explaining():
            self._writer.checkpoint()

    def scrub(self, tables: Sequence[str]) -> None:
        """See to it that nothing deleted from these tables is in the database any more; see `Writer.scrub`.

        Nor in a copy of it that is beside it on its server. Takes as long as writing the whole database does.
        Raises as `reading` does; Busy where someone uses such a copy: it is dropped when they are done.
        """
        with self._using(), self._explaining():
            self._writer.scrub(tables)
        if self.storage.clear_leftovers():
            raise Busy("A copy of the database is in use still.", hint="Try again in a moment.")

    @contextmanager
    def without_writers(self) -> Iterator[None]:
        """See to it that no one of this process writes or folds a log meanwhile; others may.

        For what has to write on a connection of its own. Raises Busy.
        """
        with self._using(), self._writer.paused():
            yield

    def break_off(self) -> None:
        """End writes that wait for another machine, and begin no more, because the process is to end."""
        self._writer.break_off()

    def close(self, wait_seconds: float = 0.0) -> None:
        """Wait until no one reads or writes, then close every connection; a later use opens it again.

        Meanwhile new uses raise Busy. What still runs after ``wait_seconds`` keeps its connection until it
        ends.
        """
        with self._door:
            self._closing = True
            self._door.wait_for(lambda: self._in_use == 0, timeout=wait_seconds)
        try:
            with self._watch_lock:
                if self._watch is not None:
                    self._watch.close()
                    self._watch = None
            if self._replicas is not None:
                self._replicas.close()
            with self._glance_turn:
                self._end_glance()
            self.engine.dispose()
            self._writer.close()  # last, since whoever closes a file last folds its log
        finally:
            with self._door:
                self._closing = False

    def _end_glance(self) -> None:
        connection, self._glance = self._glance, None
        if connection is not None:
            connection.close()
        if self._glances is not None:
            self._glances.dispose()

    @contextmanager
    def _using(self) -> Iterator[None]:
        with self._door:
            if self._closing:
                raise Busy("The database is being closed.", hint="Try again in a moment.")
            self._in_use += 1
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._door:
            self._in_use -= 1
            if self._closing:
                self._door.notify_all()

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeout as error:
            raise Busy(
                "Too many requests use the database at once.", hint="Try again in a moment."
            ) from error
        except (DBAPIError, PendingRollbackError) as error:
            explained = self._explained(error)
            if explained is None:
                raise
            raise explained from error

    def _explained(self, error: Exception) -> DaemonError | None:
        """What people are told of an error about the file, the server, the disk or a lock; else None."""
        if isinstance(error, PendingRollbackError):  # another statement after the one that found it lost
            return Busy(
                "The connection to the database was lost; nothing was written.", hint="Try again in a moment."
            )
        if isinstance(error, DBAPIError) and self.storage.is_of_the_place(error):
            return self.storage.explained(error)
        return None


def open_database(settings: Settings) -> Database:
    """The configured database; connects to nothing yet. Raises SettingsError for an engine not supported."""
    return Database(storage_for(settings.database_url), settings.database_replica_urls)


@lru_cache(maxsize=1)
def _configured() -> Database:
    from app.settings import load_settings

    return open_database(load_settings())


@lru_cache(maxsize=1)
def _engine_of_programs() -> sqlalchemy.Engine:
    return _configured().storage.engine_for_programs()


def __getattr__(name: str) -> sqlalchemy.Engine:
    if name == "engine":
        return _engine_of_programs()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
