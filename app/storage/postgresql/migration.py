"""How is a database on a server changed so that all of it happens, or nothing? One transaction, one commit.

The transaction takes the lock of those who write first, and ends with `commit_durably` or not at all: what a
step sends to the server is asked whether it would end the transaction.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import sqlalchemy
from sqlalchemy import event
from sqlalchemy.pool import NullPool

from app import interrupt
from app.database_urls import in_words
from app.errors import Refused
from app.storage.postgresql import mark as marks
from app.storage.postgresql import note, schema, sequences
from app.storage.postgresql.connection import PostgreSQLConnection, for_driver
from app.storage.postgresql.dialect import make_engine
from app.storage.postgresql.driver import commit_at_once, connect, load
from app.storage.postgresql.errors import as_storage_errors, explained, is_lost, is_of_driver
from app.storage.postgresql.numbers import SPACE, WRITING
from app.storage.schema import Schema, quoted
from app.storage.types import NOTHING, CommitUncertain, Mark, Parameters

_LOOK_SECONDS = 0.1
_CANCEL_SECONDS = 5.0
_ENDS_IT = re.compile(r"\s*(COMMIT|ROLLBACK(?!\s+TO)|END|ABORT|BEGIN|START|PREPARE\s+TRANSACTION)\b", re.I)


class PostgreSQLMigration(PostgreSQLConnection):
    """An open transaction that holds the lock of those who write, as SQLAlchemy and as the driver see it."""

    def __init__(self, connection: sqlalchemy.Connection, driver: psycopg.Connection[Any], url: str) -> None:
        super().__init__(driver)
        self.connection = connection
        self._url = url
        self._listener: Callable[[str], None] | None = None
        event.listen(connection, "before_cursor_execute", self._on_statement)

    @property
    def of_server(self) -> PostgreSQLMigration:
        """Itself: all of the database changes in one transaction."""
        return self

    @as_storage_errors()
    def execute(self, statement: str, parameters: Parameters = NOTHING) -> None:
        """Run a statement that changes something."""
        self._told(statement)
        self.driver.execute(for_driver(statement), parameters)

    def tell_statements(self, listener: Callable[[str], None] | None) -> None:
        """Have ``listener`` called with the text of each statement, its parameters left out."""
        self._listener = listener

    @as_storage_errors()
    def set_mark(self, mark: Mark) -> None:
        """Write the mark into the comment of the history's table."""
        self.driver.execute(marks.statement(mark).encode())

    @as_storage_errors()
    def hold_tables(self) -> None:
        """Lock every table against writing; who reads, and a dump does, goes on.

        Before a dump: the other way round, a dump that waits for a table and a step that waits for the dump
        would wait for each other.
        """
        names = ", ".join(map(quoted, self.tables()))
        if names:
            self.driver.execute(f"LOCK TABLE {names} IN EXCLUSIVE MODE".encode())

    @as_storage_errors()
    def set_note(self, text: str) -> None:
        """Write what is said of the whole database; see `note`."""
        self.driver.execute(note.statement(text).encode())

    @as_storage_errors()
    def make_schema(self, sheet: Schema) -> None:
        """Make the tables and indexes that a sheet says, in a database that has none of them."""
        for statement in schema.statements_of(sheet):
            self.driver.execute(statement.encode())

    @as_storage_errors()
    def count_on(self) -> None:
        """Let the sequence of each id go on above the highest that is there."""
        sequences.count_on(self.driver)

    def drop_triggers(self) -> list[str]:
        """Nothing has to rest: the server renames inside views and triggers by itself."""
        return []

    def create_again(self, statements: Iterable[str]) -> None:
        """Nothing rested."""

    @as_storage_errors()
    def rebuild_indexes(self, names: Iterable[str]) -> None:
        """Make these indexes anew from their tables."""
        for name in names:
            self.driver.execute(f"REINDEX INDEX {quoted(name)}".encode())

    def commit_durably(self) -> None:
        """Commit; when it returns, the server has it on its disk (and on its synchronous standby's).

        Raises Busy or Refused where it is certain that nothing was committed, CommitUncertain where only a
        look at the database can tell.
        """
        try:
            commit_at_once(self.driver)
            done = self.driver.execute("COMMIT").statusmessage
        except Exception as error:
            if not is_of_driver(error):
                raise
            if is_lost(error):
                raise CommitUncertain(
                    f"The connection to {in_words(self._url)} was lost at the commit; what is there has to be"
                    " looked at.",
                    hint="daemon status",
                ) from error
            raise explained(error, self._url) from error
        if done != "COMMIT":
            raise Refused(
                "The transaction had failed before its commit; nothing was changed.", hint="daemon status"
            )

    def _on_statement(
        self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> None:
        self._told(statement)

    def _told(self, statement: str) -> None:
        if _ENDS_IT.match(statement):
            raise RuntimeError("a step must not end the transaction that it is part of")
        if self._listener is not None:
            self._listener(statement)


@contextmanager
def migration_connection(url: str, *, wait_seconds: float) -> Iterator[PostgreSQLMigration]:
    """Hold the lock of those who write in one open transaction; roll back unless committed.

    Raises Busy, or what `explained` makes of the error.
    """
    load()
    engine = make_engine(lambda: connect(url), poolclass=NullPool)
    event.listen(engine, "commit", _refuse_to_commit)
    try:
        try:
            connection = engine.connect()
        except Exception as error:
            if not is_of_driver(error):
                raise
            raise explained(error, url) from error
        with connection:
            driver: psycopg.Connection[Any] = connection.connection.dbapi_connection  # type: ignore[assignment]
            _begin(driver, url, wait_seconds)
            with _broken_off_when_asked(driver):
                yield PostgreSQLMigration(connection, driver, url)
    finally:
        engine.dispose()


def _refuse_to_commit(connection: sqlalchemy.Connection) -> None:
    raise RuntimeError("a migration is committed by commit_durably() only; nothing was committed")


@contextmanager
def _broken_off_when_asked(driver: psycopg.Connection[Any]) -> Iterator[None]:
    """Have the server break off a long statement where the work in this thread is asked to stop."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals stop only what the main thread does
        return
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(_LOOK_SECONDS):
            if interrupt.is_asked_of_main():
                with suppress(psycopg.Error):
                    driver.cancel_safe(timeout=_CANCEL_SECONDS)

    watching = threading.Thread(target=watch, name="interrupt", daemon=True)
    watching.start()
    try:
        yield
    finally:
        is_over.set()
        watching.join()


def _begin(driver: psycopg.Connection[Any], url: str, wait_seconds: float) -> None:
    try:
        driver.execute("BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE")
        driver.execute(f"SET LOCAL lock_timeout = {max(1, round(wait_seconds * 1000))}".encode())
        driver.execute("SELECT pg_advisory_xact_lock(%s, %s)", (SPACE, WRITING))
        driver.execute("SET LOCAL lock_timeout = '30s'")
    except Exception as error:
        if not is_of_driver(error):
            raise
        raise explained(error, url) from error
