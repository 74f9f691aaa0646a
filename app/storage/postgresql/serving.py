"""Serving engine (connection pool). How does the server use its database, and learn of commits?

A request reads one state (REPEATABLE READ), and the number of that state comes with its beginning, in one
question. A transaction that writes has the lock of those who write, so that what it read is still so when it
commits, as in SQLite; and it asks before it writes anything whether it may: see `write_guard`.
"""

from __future__ import annotations

import copy
import itertools
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import sqlalchemy
from psycopg.types.bool import BoolDumper
from sqlalchemy import event
from sqlalchemy.pool import QueuePool

from app.errors import Busy, DaemonError, Failed
from app.storage.postgresql.dialect import make_engine
from app.storage.postgresql.driver import connect, load
from app.storage.postgresql.errors import as_daemon_error, is_lost
from app.storage.postgresql.scrub import scrub
from app.storage.postgresql.write_guard import WriteGuard
from app.storage.postgresql.written_state import (
    OWNERS_TRIGGERS,
    PostgreSQLWrittenState,
    written_state_of,
)
from app.storage.types import STATE, CommitNotes, WriteJob

POOL_SIZE = 6
POOL_OVERFLOW = 12  # so that four processes, with the rest of each, have place in the usual 100 of a server
JOBS_MOST = 64  # in one transaction
WAIT_SECONDS = 10.0

BEGIN_READING = (
    b"BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_current_snapshot()::text"
)

Driver = psycopg.Connection[tuple[Any, ...]]


def engine_for_serving(url: str, guard: WriteGuard, most_connections: int | None = None) -> sqlalchemy.Engine:
    """A pooled engine; opens nothing by itself.

    With the execution option ``reading=True`` a connection sees one state, with ``writing=True`` it takes the
    lock of those who write first; without either, as programs of the owner have it, it is as the server is.
    A connection that was lost while it rested is replaced without a word. BEGIN and COMMIT raise
    DaemonErrors.
    """
    load()
    engine = make_engine(
        lambda: _opened(url, guard),
        poolclass=QueuePool,
        pool_size=most_connections or POOL_SIZE,
        max_overflow=0 if most_connections else POOL_OVERFLOW,
        pool_timeout=WAIT_SECONDS,
    )

    def begin(connection: sqlalchemy.Connection) -> None:
        try:
            _begin(connection, guard)
        except Exception as error:
            if not is_lost(error):
                raise as_daemon_error(error, url) from error
        else:
            return
        connection.invalidate()
        engine.dispose()  # those that rest beside it were lost with it
        try:
            _begin(connection, guard)
        except Exception as error:
            raise as_daemon_error(error, url) from error

    def commit(connection: sqlalchemy.Connection) -> None:
        try:
            is_committed = _commit(driver_connection(connection), is_writing=_is_writing(connection))
        except Exception as error:
            _forget_written(connection)
            if is_lost(error) and _is_writing(connection):
                raise _uncertain() from error
            raise as_daemon_error(error, url) from error
        written = connection.info.get(STATE)
        if not is_committed:
            _forget_written(connection)
        elif isinstance(written, PostgreSQLWrittenState):
            written.end()

    event.listen(engine, "begin", begin)
    event.listen(engine, "commit", commit)
    event.listen(engine, "rollback", _forget_written)
    event.listen(engine, "rollback_savepoint", lambda connection, *_: _forget_written(connection))
    event.listen(engine, "reset", _reset)
    return engine


def engine_for_programs(url: str) -> sqlalchemy.Engine:
    """An engine of SQLAlchemy's own dialect, which can inspect what is there; the driver commits."""

    def opened() -> Driver:
        driver = connect(url, application_name="daemon (program)")
        driver.autocommit = False
        driver.adapters.register_dumper(bool, BoolDumper)  # inspecting asks functions of the server
        return driver

    return sqlalchemy.create_engine("postgresql+psycopg://", creator=opened, hide_parameters=True)


def _is_writing(connection: sqlalchemy.Connection) -> bool:
    return bool(connection.get_execution_options().get("writing"))


def _begin(connection: sqlalchemy.Connection, guard: WriteGuard) -> None:
    driver, info = driver_connection(connection), connection.info
    info[STATE] = None
    if _is_writing(connection):
        info[STATE] = _begin_writing(driver, info, guard)
    elif connection.get_execution_options().get("reading"):
        info[STATE] = _number_of(begin_reading(driver), info)
    else:
        driver.execute("BEGIN TRANSACTION READ WRITE")


def _begin_writing(driver: Driver, info: dict[Any, Any], guard: WriteGuard) -> PostgreSQLWrittenState | None:
    """Begin to write; what knows the state that is seen, None where changes may have others behind them."""
    state = written_state_of(driver, info)
    if not state.begin(guard.begin(driver)):
        return state
    (has_triggers,) = driver.execute(OWNERS_TRIGGERS).fetchone() or (True,)
    return None if has_triggers else state


def _forget_written(connection: sqlalchemy.Connection) -> None:
    """See to it that nothing is believed that was read since a change which is taken back."""
    state = None if connection.invalidated else connection.info.get(STATE)
    if isinstance(state, PostgreSQLWrittenState):
        state.forget()


_numbers = itertools.count()


def _number_of(snapshot: str, info: dict[Any, Any]) -> int:
    """A number that is another one, on this connection, where the snapshot is."""
    told, number = info.get("snapshot", ("", 0))
    if told != snapshot:
        number = next(_numbers)
        info["snapshot"] = snapshot, number
    return int(number)


def begin_reading(driver: Driver) -> str:
    """Begin to read one state; return what tells it from every other."""
    cursor = driver.execute(BEGIN_READING)
    cursor.nextset()
    row = cursor.fetchone()
    return str(row[0]) if row else ""


class PostgreSQLWriter:
    """The one connection of a process that writes. Made when it is first used: most processes only read."""

    def __init__(self, url: str, guard: WriteGuard) -> None:
        self._url = url
        self._engine = engine_for_serving(url, guard, most_connections=1).execution_options(writing=True)
        self._turn = threading.Lock()
        self._used: Driver | None = None
        self._is_over = False

    @contextmanager
    def writing(self) -> Iterator[sqlalchemy.Connection]:
        """A connection that has the lock of those who write; committed at the end."""
        with self.paused():
            if self._is_over:
                raise Busy("The server is stopping; nothing was written.", hint="Try again in a moment.")
            try:
                with self._engine.connect() as connection, connection.begin():
                    self._used = driver_connection(connection)
                    yield connection
            finally:
                self._used = None

    def tell_of_commits(self, told: CommitNotes) -> None:
        """Nothing: other processes commit between any two looks, and no one can tell."""

    def write_each(self, jobs: Iterator[WriteJob]) -> list[WriteJob]:
        """Do each job as a block of `writing` would, in one transaction; see `Writer`."""
        taken: list[WriteJob] = []
        try:
            with self.writing() as connection:
                for job in itertools.islice(jobs, JOBS_MOST):
                    taken.append(job)
                    _do(connection, job, is_first=len(taken) == 1)
        except Exception as raised:
            error = as_daemon_error(raised, self._url)
            if not taken:
                raise
            for job in taken:  # where the commit fails, nothing of any of them is there
                job.error = job.error or (copy.copy(error) if isinstance(error, DaemonError) else error)
        return taken

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Keep the turn without writing; raises Busy where it does not come."""
        if not self._turn.acquire(timeout=WAIT_SECONDS):
            raise Busy("Too many requests write to the database at once.", hint="Try again in a moment.")
        try:
            yield
        finally:
            self._turn.release()

    def checkpoint(self) -> None:
        """Nothing: the server folds its log by itself."""

    def break_off(self) -> None:
        """Cut the connection that is in use, so that a commit does not wait for a standby that is away.

        Cancelled instead, it would be said to be done, and be on the primary only.
        """
        self._is_over = True
        used = self._used
        if used is not None:
            with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(used.fileno())) as cut:
                cut.shutdown(socket.SHUT_RDWR)

    def scrub(self, tables: Sequence[str]) -> None:
        """Write these tables anew from the rows that are there, with all their indexes.

        The files of before are removed by the server; its log (WAL), its replicas and archives keep what they
        have until they come to it. Raises Busy where someone holds a lock, or reads an older state: rows that
        may still be seen would be written anew too.
        """
        with self.paused(), self._engine.connect() as connection:
            driver = driver_connection(connection)
            try:
                scrub(driver, tables)
            except Exception as error:
                raise as_daemon_error(error, self._url) from error

    def close(self) -> None:
        """Let go of the connection."""
        self._engine.dispose()


def _do(connection: sqlalchemy.Connection, job: WriteJob, *, is_first: bool) -> None:
    """Do one job in a savepoint, to which it is taken back where it fails.

    Raises where the connection was lost with it: then nothing of the others is there either. The first one
    needs no savepoint, since there is nothing before it: where it fails, that is raised.
    """
    driver, state = driver_connection(connection), connection.info.get(STATE)
    counted = state.count() if isinstance(state, PostgreSQLWrittenState) else 0
    if not is_first:
        driver.execute(b"SAVEPOINT member")
    try:
        job.value = job.do(connection)
        if driver.info.transaction_status == psycopg.pq.TransactionStatus.INERROR:
            raise _has_failed()
    except Exception as error:
        job.error = error
        if is_first:
            raise
        _forget_written(connection)
        driver.execute(b"ROLLBACK TO member")
    if not is_first:
        driver.execute(b"RELEASE member")
        if isinstance(state, PostgreSQLWrittenState):
            state.end_savepoint(counted)


def driver_connection(connection: sqlalchemy.Connection) -> Driver:
    """The driver's connection below an SQLAlchemy one."""
    found: Driver = connection.connection.dbapi_connection  # type: ignore[assignment]
    return found


def _opened(url: str, guard: WriteGuard) -> Driver:
    try:
        driver = connect(url)
        guard.learn(driver)
    except Exception as error:
        raise as_daemon_error(error, url) from error
    return driver


def _commit(driver: Driver, *, is_writing: bool) -> bool:
    """Commit; whether there was anything to commit still."""
    if driver.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
        return False
    done = driver.execute("COMMIT").statusmessage
    if is_writing and done != "COMMIT":
        raise _has_failed()
    return True


def _reset(driver: Any, record: object, state: object) -> None:
    """A connection comes back to the pool: whatever is still open in it ends here."""
    with suppress(psycopg.OperationalError):  # lost: who is given it next finds that out, and gets another
        driver.rollback()


def _has_failed() -> DaemonError:
    return Failed("A statement of the transaction had failed; nothing was written.")


def _uncertain() -> DaemonError:
    return Busy(
        "The connection to the database was lost while it committed: whether it was written is not known.",
        hint="Look whether it is there before you send it again.",
    )
