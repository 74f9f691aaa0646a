"""Through which engine does the server use its database?"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import URL, event
from sqlalchemy.pool import QueuePool

from app.storage.sqlite_errors import explained
from app.storage.sqlite_open import connect, driver_connection, roll_back, set_and_check
from app.storage.sqlite_rows import replaced

POOL_SIZE = 8
POOL_OVERFLOW = 40  # as many threads as the web framework runs
FULL = 2


def engine_for_serving(path: Path, *, wait_seconds: float) -> sqlalchemy.Engine:
    """A pooled engine on the existing file ``path``; opens nothing by itself.

    Keys are enforced, commits are synced, text that is not UTF-8 is read with U+FFFD. A connection begins
    by reading (BEGIN); with the execution option ``writing=True`` it takes the write lock first (BEGIN
    IMMEDIATE: a reader that turns writer fails at once, without waiting); with ``reading=True`` it cannot
    write. Connecting raises UnknownDatabase where there is no file.
    """
    engine = sqlalchemy.create_engine(
        URL.create("sqlite", database=str(path)),
        creator=lambda: _opened(path, wait_seconds),
        poolclass=QueuePool,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=wait_seconds,
        pool_reset_on_return=None,
    )
    event.listen(engine, "begin", _begin)
    event.listen(engine, "commit", _commit)
    event.listen(engine, "rollback", _rollback)
    event.listen(engine, "reset", _reset)
    return engine


def _opened(path: Path, wait_seconds: float) -> sqlite3.Connection:
    try:
        connection = connect(path, "rw", wait_seconds=wait_seconds, any_thread=True)
    except sqlite3.Error as error:
        raise explained(error, path) from error
    set_and_check(connection, "foreign_keys", 1)
    set_and_check(connection, "synchronous", FULL)
    set_and_check(connection, "trusted_schema", 0)
    connection.text_factory = replaced
    return connection


def _begin(connection: sqlalchemy.Connection) -> None:
    options = connection.get_execution_options()
    driver = driver_connection(connection)
    driver.execute(f"PRAGMA query_only = {int(bool(options.get('reading')))}")
    driver.execute("BEGIN IMMEDIATE" if options.get("writing") else "BEGIN")


def _commit(connection: sqlalchemy.Connection) -> None:
    driver = driver_connection(connection)
    if driver.in_transaction:
        driver.execute("COMMIT")


def _rollback(connection: sqlalchemy.Connection) -> None:
    roll_back(driver_connection(connection))


def _reset(driver: Any, record: object, state: object) -> None:
    """A connection comes back to the pool: whatever is still open in it ends here."""
    roll_back(driver)
