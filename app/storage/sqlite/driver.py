"""SQLite driver. What of it is ours: an error in words that are not UTF-8 is an error of SQLite too.

Python decodes SQLite's message before it raises; a name in a damaged schema that is not UTF-8 gives a
UnicodeDecodeError there, which no handler of sqlite3.Error sees. Every connection of this project is made
here.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable
from typing import Any, cast

_OF_A_SCHEMA = b"malformed database schema"

# Before 3.12 this is spelled otherwise; the meaning is the same: the driver begins and ends nothing.
_AUTOCOMMIT: dict[str, Any] = {"isolation_level": None}
if sys.version_info >= (3, 12):
    _AUTOCOMMIT["autocommit"] = True


class Cursor(sqlite3.Cursor):
    """A cursor that raises sqlite3.Error for whatever SQLite says."""

    def execute(self, sql: str, parameters: Any = (), /) -> Cursor:
        """Run one statement."""
        try:
            super().execute(sql, parameters)
        except UnicodeDecodeError as error:
            raise in_readable_words(error) from None
        return self

    def executemany(self, sql: str, seq_of_parameters: Iterable[Any], /) -> Cursor:
        """Run one statement with each of these parameters."""
        try:
            super().executemany(sql, seq_of_parameters)
        except UnicodeDecodeError as error:
            raise in_readable_words(error) from None
        return self


class Connection(sqlite3.Connection):
    """A connection whose cursors are ours."""

    def cursor(self, factory: Any = Cursor) -> Any:
        """A cursor of ours unless another one is asked for."""
        return super().cursor(factory)

    def execute(self, sql: str, parameters: Any = (), /) -> Cursor:
        """Run one statement with a cursor of its own; Python's own way makes none of ours."""
        cursor: Cursor = self.cursor()
        return cursor.execute(sql, parameters)

    def executemany(self, sql: str, seq_of_parameters: Iterable[Any], /) -> Cursor:
        """Run one statement with each of these parameters, with a cursor of its own."""
        cursor: Cursor = self.cursor()
        return cursor.executemany(sql, seq_of_parameters)


def open_database(address: str, **options: Any) -> sqlite3.Connection:
    """A connection to ``address`` (a URI, or ":memory:") in which the driver begins and ends nothing."""
    made = sqlite3.connect(
        address, uri=address.startswith("file:"), factory=Connection, **_AUTOCOMMIT, **options
    )
    return cast("sqlite3.Connection", made)


def in_readable_words(error: UnicodeDecodeError) -> sqlite3.DatabaseError:
    """The error of SQLite whose message could not be decoded, with U+FFFD for what is not UTF-8."""
    words = error.object.decode("utf-8", "replace")
    if error.object.startswith(_OF_A_SCHEMA):
        raised: sqlite3.DatabaseError = sqlite3.DatabaseError(words)
        raised.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raised.sqlite_errorname = "SQLITE_CORRUPT"
        return raised
    raised = sqlite3.OperationalError(words)
    raised.sqlite_errorcode = sqlite3.SQLITE_ERROR
    raised.sqlite_errorname = "SQLITE_ERROR"
    return raised
