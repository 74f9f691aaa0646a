"""How is a database changed so that all of it happens, or nothing? One transaction, one commit.

Python's driver and Alembic would each commit DDL statement by statement. Here BEGIN IMMEDIATE comes first,
and until someone calls `commit_durably` SQLite itself refuses whatever would end the transaction or weaken
it: COMMIT, ROLLBACK, ATTACH, and the pragmas that decide about journal, syncs and keys.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy
from sqlalchemy import URL, event
from sqlalchemy.pool import NullPool

from app import files
from app.storage.sqlite import rebuild
from app.storage.sqlite.connect import (
    connect,
    driver_connection,
    prepared,
    roll_back,
    set_and_check,
    stoppable,
    trust_the_schema,
)
from app.storage.sqlite.connection import SQLiteConnection
from app.storage.sqlite.errors import as_storage_errors, explained, find_refusal, was_not_written
from app.storage.sqlite.rows import kept
from app.storage.types import NOTHING, CommitUncertain, Mark, Parameters

EXTRA = 3  # of synchronous: in rollback-journal mode FULL can lose the last commit when the power fails
CACHE_KIBIBYTES = 65_536  # SQLite's own 2 MiB made the steps and checks of 200,000 entries a third slower
_PROTECTED_PRAGMAS = frozenset(
    {"journal_mode", "synchronous", "foreign_keys", "locking_mode", "writable_schema", "journal_size_limit"}
)


class SQLiteMigration(SQLiteConnection):
    """An open transaction that holds the write lock, as SQLAlchemy and as the driver see it."""

    of_server = None

    def __init__(self, connection: sqlalchemy.Connection, sqlite: sqlite3.Connection, path: Path) -> None:
        super().__init__(sqlite)
        self.connection = connection
        self.path = path

    @as_storage_errors()
    def execute(self, statement: str, parameters: Parameters = NOTHING) -> None:
        """Run a statement that changes something."""
        self.sqlite.execute(statement, parameters)

    def tell_statements(self, listener: Callable[[str], None] | None) -> None:
        """Have ``listener`` called with the text of each statement, its parameters filled in."""
        self.sqlite.set_trace_callback(listener)

    @as_storage_errors()
    def set_mark(self, mark: Mark) -> None:
        """Write the application id and the user version of the header."""
        self.sqlite.execute(f"PRAGMA application_id = {mark.application_id}")
        self.sqlite.execute(f"PRAGMA user_version = {mark.schema_number}")

    def hold_tables(self) -> None:
        """Nothing to be done: the write lock is of all tables."""

    def count_on(self) -> None:
        """Nothing: SQLite looks which is the highest."""

    @as_storage_errors()
    def drop_triggers(self) -> list[str]:
        """Drop every trigger and view; return the statements that make them again."""
        return rebuild.drop_triggers(self.sqlite)

    @as_storage_errors()
    def create_again(self, statements: Iterable[str]) -> None:
        """Run what `drop_triggers` returned."""
        rebuild.create_again(self.sqlite, statements)

    @as_storage_errors()
    def rebuild_indexes(self, names: Iterable[str]) -> None:
        """Make these indexes anew from their tables."""
        rebuild.rebuild_indexes(self.sqlite, names)

    def commit_durably(self) -> None:
        """Commit and sync the folder; when it returns, the change outlasts a power cut.

        Raises Busy or Refused (no space) when it is certain that nothing was committed, CommitUncertain when
        only a look at the file can tell.
        """
        self.sqlite.set_authorizer(None)
        try:
            self.sqlite.execute("COMMIT")
        except sqlite3.Error as error:
            if self.sqlite.in_transaction or was_not_written(error):
                raise explained(error, self.path) from error
            raise _uncertain(self.path, error) from error
        try:
            files.sync_folder(self.path.parent)
        except OSError as error:
            raise _uncertain(self.path, error) from error


@contextmanager
def migration_connection(path: Path, *, wait_seconds: float) -> Iterator[SQLiteMigration]:
    """Hold the write lock of the existing file ``path`` in one open transaction; roll back unless committed.

    Foreign keys are off, the journal mode is as it was found, text that is not UTF-8 is read with surrogate
    escapes (and cannot be written back by accident). Raises Busy, or what `explained` makes of the error.
    """
    engine = _engine(path, wait_seconds)
    try:
        with engine.connect() as connection:
            driver = driver_connection(connection)
            _begin_immediately(connection, path)
            driver.set_authorizer(_only_inside_a_transaction)
            try:
                yield SQLiteMigration(connection, driver, path)
            finally:
                _take_back(connection, driver)
    finally:
        engine.dispose()


def _take_back(connection: sqlalchemy.Connection, driver: sqlite3.Connection) -> None:
    with suppress(sqlite3.ProgrammingError):  # closed by SQLAlchemy, and with that rolled back already
        driver.set_authorizer(None)
        roll_back(driver)
    connection.rollback()


def _roll_back(connection: sqlalchemy.Connection) -> None:
    if not connection.invalidated:  # as after an interruption: closed, and with that rolled back
        roll_back(driver_connection(connection))


def _engine(path: Path, wait_seconds: float) -> sqlalchemy.Engine:
    engine = sqlalchemy.create_engine(
        URL.create("sqlite", database=str(path)),
        creator=lambda: _opened(path, wait_seconds),
        poolclass=NullPool,
        pool_reset_on_return=None,
    )
    event.listen(engine, "begin", lambda connection: driver_connection(connection).execute("BEGIN IMMEDIATE"))
    event.listen(engine, "commit", _refuse_to_commit)
    event.listen(engine, "rollback", _roll_back)
    return engine


def _begin_immediately(connection: sqlalchemy.Connection, path: Path) -> None:
    try:
        connection.begin()
    except sqlite3.Error as error:
        raise explained(error, path) from error


def _opened(path: Path, wait_seconds: float) -> sqlite3.Connection:
    try:
        opened = connect(path, "rw", wait_seconds=wait_seconds)
        return prepared(opened, lambda connection: _set_up(connection, path))
    except sqlite3.Error as error:
        raise explained(error, path) from error


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    """All of this must happen before BEGIN: inside a transaction SQLite ignores it without a word."""
    set_and_check(connection, "foreign_keys", 0)
    set_and_check(connection, "synchronous", EXTRA)
    set_and_check(connection, "cell_size_check", 1)
    trust_the_schema(connection)
    set_and_check(connection, "mmap_size", 0)
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
    _keep_temporary_files_at_home(connection, path.parent)
    connection.text_factory = kept
    stoppable(connection)
    _refuse_unwritable(path)


def _refuse_unwritable(path: Path) -> None:
    """SQLite opens such a file for reading, and takes BEGIN IMMEDIATE without a word."""
    refusal = find_refusal(path)
    if refusal is not None:
        raise refusal


def _keep_temporary_files_at_home(connection: sqlite3.Connection, folder: Path) -> None:
    """Let SQLite's temporary files be on the database's disk, which is checked for space; /tmp may be tiny.

    The environment variable SQLITE_TMPDIR is read once, when the library is loaded: too late here. Where the
    library was built without this pragma, temporary data stays in memory.
    """
    text = str(folder).replace("'", "''")
    with suppress(sqlite3.OperationalError):  # not writable: then nothing else here will work either
        connection.execute(f"PRAGMA temp_store_directory = '{text}'")
    became = connection.execute("PRAGMA temp_store_directory").fetchone()
    if became is None or became[0] != str(folder):
        connection.execute("PRAGMA temp_store = MEMORY")


def _refuse_to_commit(connection: sqlalchemy.Connection) -> None:
    raise RuntimeError("a migration is committed by commit_durably() only; nothing was committed")


def _only_inside_a_transaction(
    action: int, first: str | None, second: str | None, database: str | None, trigger: str | None
) -> int:
    """Refuse what would end the transaction or take its protection away (an authorizer of SQLite)."""
    if action in (sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH):
        return sqlite3.SQLITE_DENY
    changes = action == sqlite3.SQLITE_PRAGMA and second is not None
    if changes and str(first).lower() in _PROTECTED_PRAGMAS:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _uncertain(path: Path, error: Exception) -> CommitUncertain:
    return CommitUncertain(
        f"The commit to {path} ended with an error ({error}); only a look at the file tells what is there.",
        hint="daemon upgrade check",
    )
