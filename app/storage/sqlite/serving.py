"""Serving engine (connection pool). How does the server use its database and learn of commits?"""

from __future__ import annotations

import itertools
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import URL, Dialect, event
from sqlalchemy.pool import QueuePool
from sqlalchemy.util import LRUCache

from app.errors import DaemonError
from app.storage.sqlite.connect import (
    connect,
    driver_connection,
    prepared,
    roll_back,
    set_and_check,
    trust_the_schema,
)
from app.storage.sqlite.errors import explained
from app.storage.sqlite.rows import replaced
from app.storage.types import STATE
from app.storage.written_state import CountedState

POOL_SIZE = 8
POOL_OVERFLOW = 40  # as many threads as the web framework runs
FULL = 2
STATEMENTS_KEPT = 1_000  # compiled
PAGES_IN_MEMORY = 8_192
"""So many changed pages (32 MiB) a transaction keeps in memory. Where it has more, SQLite writes some to the
file: from then on no one reads under a rollback journal, and the disk is waited for twice more. By itself it
does that from 2 MiB on, which is a bulk of some 500 entries."""
_EPOCHS = itertools.count(1)
_EPOCH_BITS = 32
EXTRA = 3  # with a rollback journal FULL can lose the last commit when the power fails


_COMPILED: LRUCache[Any, Any] = LRUCache(STATEMENTS_KEPT)
"""Statements by what they say, for all engines of this process: whoever asks first compiles for all."""


@lru_cache(maxsize=1)
def _dialect() -> Dialect:
    """The one dialect of all engines: by it `_COMPILED` knows whose statements it has."""
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect():  # what it asks of the library, it asks of a database in memory
        pass
    engine.dispose()
    return engine.dialect


def _add_functions(connection: Any, _record: object) -> None:
    add = _dialect().on_connect()
    if add is not None:
        add(connection)


def engine_for_writing(path: Path, *, wait_seconds: float) -> sqlalchemy.Engine:
    """An engine with one connection that stays, whose transactions take the write lock first."""
    engine = engine_for_serving(path, wait_seconds=wait_seconds, most_connections=1, folds_log=True)
    return engine.execution_options(writing=True)


def engine_for_serving(
    path: Path,
    *,
    wait_seconds: float,
    most_connections: int | None = None,
    states: States | None = None,
    folds_log: bool = False,
    reads_odd_text: bool = True,
) -> sqlalchemy.Engine:
    """A pooled engine on the existing file ``path``; opens nothing by itself.

    Keys are enforced, commits are synced, text that is not UTF-8 is read with U+FFFD; or an error, which
    takes half of the time where there is none (not ``reads_odd_text``). A connection begins
    by reading (BEGIN); with the execution option ``writing=True`` it takes the write lock first (BEGIN
    IMMEDIATE: a reader that turns writer fails at once, without waiting); with ``reading=True`` it cannot
    write, and `states` says which state of the database it sees. Connecting raises UnknownDatabase where
    there is no file; BEGIN and COMMIT raise DaemonErrors.
    """
    states = states or States(path)

    def opened() -> Any:
        return _opened(path, wait_seconds, folds_log=folds_log, reads_odd_text=reads_odd_text)

    pool = QueuePool(
        opened,
        pool_size=most_connections or POOL_SIZE,
        max_overflow=0 if most_connections else POOL_OVERFLOW,
        timeout=wait_seconds,
        reset_on_return=None,
        dialect=_dialect(),
    )
    engine = sqlalchemy.Engine(
        pool,
        _dialect(),
        URL.create("sqlite", database=str(path)),
        execution_options={"compiled_cache": _COMPILED},
        hide_parameters=True,  # what people write, and hashes, must not get into a log by way of an error
    )
    event.listen(pool, "connect", _add_functions)

    def begin(connection: sqlalchemy.Connection) -> None:
        options, info = connection.get_execution_options(), connection.info
        reading, writing = options.get("reading"), options.get("writing")
        before = states.now() if reading else None
        with _explaining(path):
            driver = driver_connection(connection)
            _begin(driver, reading, writing, info)
            info[STATE] = _written_state(driver, info) if writing else None
            if reading:
                _take_snapshot(driver)
        if before is not None and before == states.now():
            info[STATE] = before

    def commit(connection: sqlalchemy.Connection) -> None:
        with _explaining(path):
            _commit(driver_connection(connection))

    event.listen(engine, "begin", begin)
    event.listen(engine, "commit", commit)

    def taken_back(connection: sqlalchemy.Connection) -> None:
        forget_written(connection)
        roll_back(driver_connection(connection))

    event.listen(engine, "rollback", taken_back)
    event.listen(engine, "reset", _reset)
    event.listen(engine, "engine_disposed", lambda _engine: states.close())
    return engine


class SQLiteWrittenState(CountedState):
    """What the one connection that writes sees; SQLite itself counts what it changes."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        super().__init__()
        self._driver = driver
        (wait_milliseconds,) = driver.execute("PRAGMA busy_timeout").fetchone()
        self._waiting = f"PRAGMA busy_timeout = {wait_milliseconds}"

    def begin(self) -> None:
        """See whether others have committed; in a transaction that holds the write lock no one can."""
        self._begin_with(_take_snapshot(self._driver))

    def count(self) -> int:
        """How many rows were changed up to here, by triggers and foreign keys too."""
        return self._driver.total_changes

    def is_alone(self) -> bool:
        """Whether no one else has committed since the transaction began; asked after its end, at once."""
        self._driver.execute("PRAGMA busy_timeout = 0")
        try:
            return _take_snapshot(self._driver) == self.others
        except sqlite3.Error:
            return False
        finally:
            self._driver.execute(self._waiting)


def forget_written(connection: sqlalchemy.Connection) -> None:
    """See to it that nothing is believed that was read since a change which is taken back."""
    state = connection.info.get(STATE)
    if isinstance(state, SQLiteWrittenState):
        state.forget()


class SQLiteWatch:
    """A connection of its own that asks whether others have committed; for any thread, one at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with _explaining(path):
            # Never waits for a lock: anyone who asks may be the loop that answers everyone.
            opened = connect(path, "rw", wait_seconds=0.0, any_thread=True)
            self._connection = prepared(opened, _leave_the_log_alone)
            self._cursor = self._connection.cursor()

    def commits(self) -> int:
        """A number that is another one after a commit by anyone. Raises DaemonErrors."""
        try:  # plainly, and with one cursor: this is asked before every kept answer
            ((found,),) = self._cursor.execute(
                "PRAGMA data_version"
            ).fetchall()  # to its end: nothing stays open
        except sqlite3.Error as error:
            raise explained(error, self._path) from error
        return int(found)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


class States:
    """Numbers the states of a database, alike for every connection of this process and for no other one.

    SQLite tells one connection whether others have committed, and not which state a snapshot is of. So one
    that watches is asked before and after a snapshot is taken: where it saw no commit between the two, the
    snapshot is of the state that it saw.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._watch: SQLiteWatch | None = None
        self._epoch = 0

    def now(self) -> int | None:
        """The number of the present state; None where that cannot be told without waiting."""
        with self._lock:
            try:
                if self._watch is None:
                    self._watch = SQLiteWatch(self._path)
                    self._epoch = next(_EPOCHS)  # each watch counts anew
                return (self._epoch << _EPOCH_BITS) + self._watch.commits()
            except DaemonError:
                return None

    def close(self) -> None:
        """Let go of the file; the next question opens it again."""
        with self._lock:
            if self._watch is not None:
                self._watch.close()
                self._watch = None


@contextmanager
def _explaining(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise explained(error, path) from error


def _opened(path: Path, wait_seconds: float, *, folds_log: bool, reads_odd_text: bool) -> sqlite3.Connection:
    with _explaining(path):
        opened = connect(path, "rw", wait_seconds=wait_seconds, any_thread=True)
        return prepared(opened, lambda connection: _set_up(connection, folds_log, reads_odd_text))


def _set_up(connection: sqlite3.Connection, folds_log: bool, reads_odd_text: bool) -> None:
    """The one connection that writes alone folds a write-ahead log into the file.

    Where two did so at once, SQLite before 3.51.3 could lose what was committed.
    """
    set_and_check(connection, "foreign_keys", 1)
    (journal,) = connection.execute("PRAGMA journal_mode").fetchone()
    set_and_check(connection, "synchronous", FULL if journal == "wal" else EXTRA)
    if folds_log:
        set_and_check(connection, "secure_delete", 1)
        connection.execute(f"PRAGMA cache_spill = {PAGES_IN_MEMORY}")
    else:
        _leave_the_log_alone(connection)
    trust_the_schema(connection)
    connection.text_factory = replaced if reads_odd_text else str


def _leave_the_log_alone(connection: sqlite3.Connection) -> None:
    set_and_check(connection, "wal_autocheckpoint", 0)


def _begin(driver: sqlite3.Connection, reading: object, writing: object, info: dict[Any, Any]) -> None:
    if info.get("query_only") is not bool(reading):
        driver.execute(f"PRAGMA query_only = {int(bool(reading))}")
        info["query_only"] = bool(reading)
    driver.execute("BEGIN IMMEDIATE" if writing else "BEGIN")


def _written_state(driver: sqlite3.Connection, info: dict[Any, Any]) -> SQLiteWrittenState:
    state = info.get("written_state") or SQLiteWrittenState(driver)
    info["written_state"] = state
    state.begin()
    return state


def _take_snapshot(driver: sqlite3.Connection) -> int:
    """Begin to read, which BEGIN alone does not; a number that is another one after a commit by others."""
    return int(driver.execute("PRAGMA data_version").fetchall()[0][0])


def _commit(driver: sqlite3.Connection) -> None:
    if driver.in_transaction:
        driver.execute("COMMIT")


def _reset(driver: Any, record: Any, state: object) -> None:
    """A connection comes back to the pool: whatever is still open in it ends here."""
    written = record.info.get("written_state")
    if isinstance(written, SQLiteWrittenState):
        written.forget()
    roll_back(driver)
