"""How is an SQLite file opened? Never made by accident, never in a transaction that no one began.

Python's own transaction control is off everywhere (it begins none for DDL, and its old form is leaving the
language): every BEGIN, COMMIT and ROLLBACK of this project is written out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from app import interrupt
from app.storage.sqlite.driver import open_database
from app.storage.sqlite.rows import replaced
from app.storage.sqlite.unusable import read_what_can_be_read

if TYPE_CHECKING:
    import sqlalchemy

WAIT_SECONDS = 20.0
_STEPS_BETWEEN_QUESTIONS = 100_000  # of SQLite's machine: some milliseconds


def connect(
    path: Path, mode: Literal["ro", "rw"], *, wait_seconds: float = WAIT_SECONDS, any_thread: bool = False
) -> sqlite3.Connection:
    """A connection to the existing file ``path``; raises sqlite3.OperationalError where there is none.

    Even with ``mode="ro"`` SQLite may write beside a database in WAL mode; `looking` never does.
    """
    return open_database(
        f"{path.absolute().as_uri()}?mode={mode}",
        timeout=wait_seconds,
        check_same_thread=not any_thread,
        cached_statements=256,
    )


def prepared(
    connection: sqlite3.Connection, prepare: Callable[[sqlite3.Connection], None]
) -> sqlite3.Connection:
    """The connection after ``prepare``; closed when that raises."""
    try:
        prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def stoppable(connection: sqlite3.Connection) -> None:
    """Let a statement of this connection that takes long be broken off where the work is asked to stop."""
    connection.set_progress_handler(interrupt.is_asked, _STEPS_BETWEEN_QUESTIONS)


def set_and_check(connection: sqlite3.Connection, pragma: str, value: int) -> None:
    """Set a pragma and read it back: SQLite ignores many of them silently when the moment is wrong."""
    connection.execute(f"PRAGMA {pragma} = {value}")
    became = connection.execute(f"PRAGMA {pragma}").fetchone()
    if became is None or became[0] != value:
        raise sqlite3.OperationalError(f"PRAGMA {pragma} stayed {became and became[0]}, not {value}")


def trust_the_schema(connection: sqlite3.Connection) -> None:
    """Let what the owner built use every function and virtual table of this library, JSON and full text too.

    With ``trusted_schema`` off, SQLite before 3.41 refuses an index on ``json_extract`` as "malformed", so
    that a sound database looks damaged. The pragma guards against functions with side effects in a schema
    made by someone else; none is registered on a connection of ours, and extensions are not loaded.
    """
    set_and_check(connection, "trusted_schema", 1)


@contextmanager
def opened_alone(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a private copy that needs no sibling, for reading; makes no file. Raises sqlite3.Error.

    Where SQLite cannot parse a part of the schema, the rest is there, as for `looking`.
    """
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(open_database(address)) as connection:
        trust_the_schema(connection)
        stoppable(connection)
        connection.execute("PRAGMA cell_size_check=ON")
        connection.text_factory = replaced
        read_what_can_be_read(connection)
        yield connection


def roll_back(connection: sqlite3.Connection) -> None:
    """End the open transaction, if SQLite has not done so by itself already (as it does on a full disk)."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def begin_to_read(connection: sqlite3.Connection) -> None:
    """Read one state from here to the end of the transaction, whatever is committed meanwhile."""
    connection.execute("BEGIN")
    # BEGIN alone takes no snapshot; this does, and needs no schema: that may be one which cannot be read.
    connection.execute("PRAGMA main.schema_version").fetchone()


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """`begin_to_read`, for as long as this lasts."""
    try:
        begin_to_read(connection)
        yield
    finally:
        roll_back(connection)


def driver_connection(connection: sqlalchemy.Connection) -> sqlite3.Connection:
    """The sqlite3 connection below an SQLAlchemy one."""
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)
