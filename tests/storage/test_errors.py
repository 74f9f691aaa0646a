"""Does every error of SQLite become one sentence of the right kind?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from app.errors import Busy, DaemonError, Damaged, Failed, Refused, UnknownDatabase
from app.storage.sqlite.errors import explained, is_busy, is_of_the_place, was_not_written
from tests.storage.conftest import make_database

KINDS: list[tuple[int, type[DaemonError], str]] = [
    (sqlite3.SQLITE_BUSY, Busy, "Another program holds"),
    (sqlite3.SQLITE_BUSY_SNAPSHOT, Busy, "Another program holds"),
    (sqlite3.SQLITE_LOCKED, Busy, "Another program holds"),
    (sqlite3.SQLITE_FULL, Refused, "no space left"),
    (sqlite3.SQLITE_IOERR_WRITE, Refused, "no space left"),
    (sqlite3.SQLITE_IOERR_SHMSIZE, Refused, "no space left"),
    (sqlite3.SQLITE_IOERR_SHMMAP, Refused, "no space left"),
    (sqlite3.SQLITE_IOERR_READ, Refused, "could not read or write"),
    (sqlite3.SQLITE_IOERR_FSYNC, Refused, "could not read or write"),
    (sqlite3.SQLITE_NOTADB, UnknownDatabase, "is not an SQLite database"),
    (sqlite3.SQLITE_CORRUPT, Damaged, "is damaged"),
    (sqlite3.SQLITE_CORRUPT_INDEX, Damaged, "is damaged"),
    (sqlite3.SQLITE_CANTOPEN, Refused, "could not be opened for writing"),
    (sqlite3.SQLITE_READONLY, Refused, "could not be opened for writing"),
    (sqlite3.SQLITE_READONLY_ROLLBACK, Refused, "could not be opened for writing"),
    (sqlite3.SQLITE_ERROR, Failed, "SQLite says"),
    (sqlite3.SQLITE_CONSTRAINT_UNIQUE, Failed, "SQLite says"),
]


def error_with(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("the words of SQLite")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(("code", "kind", "words"), KINDS)
def test_one_sentence_each(folder: Path, code: int, kind: type[DaemonError], words: str) -> None:
    path = make_database(folder / "daemon.db")
    for error in (error_with(code), OperationalError("SELECT 1", {}, error_with(code))):
        told = explained(error, path)
        assert type(told) is kind
        assert words in told.message
        assert str(path) in told.message
        assert told.message.endswith(".")
        assert told.hint
        assert "SELECT" not in told.message
        assert is_of_the_place(error) == (kind is not Failed)
        assert is_busy(error) == (kind is Busy)


def test_a_missing_file_and_a_missing_folder(folder: Path) -> None:
    for path in (folder / "none.db", folder / "none" / "none.db"):
        told = explained(error_with(sqlite3.SQLITE_CANTOPEN), path)
        assert isinstance(told, UnknownDatabase)
        assert told.message == f"There is no database at {path}."


def test_an_error_that_python_made_itself_is_about_the_question(folder: Path) -> None:
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(sqlite3.ProgrammingError) as caught,
    ):
        connection.execute("SELECT ?", ())
    assert not is_of_the_place(caught.value)
    assert isinstance(explained(caught.value, folder / "daemon.db"), Failed)


def test_after_which_error_at_commit_it_is_certain_that_nothing_counts() -> None:
    certain = [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE]
    open_ = [
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_DIR_FSYNC,
        sqlite3.SQLITE_IOERR_DELETE,
        sqlite3.SQLITE_IOERR_SHMMAP,
        sqlite3.SQLITE_IOERR_TRUNCATE,
    ]
    assert all(was_not_written(error_with(code)) for code in certain)
    assert not any(was_not_written(error_with(code)) for code in open_)
