"""Does an open database answer what the protocol asks, and does each error come as the protocol's own?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import Busy, Damaged, Failed, Refused
from app.storage import failures
from app.storage.sqlite.connection import SQLiteConnection, driver_of
from app.storage.sqlite.ddl import definitions
from app.storage.sqlite.errors import storage_error
from app.storage.sqlite.storage import SQLiteStorage
from app.storage.types import Mark, Reason, Soundness, StorageError

SCHEMA = """
CREATE TABLE people (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, kind TEXT);
CREATE TABLE pairs ("a b" TEXT, b INTEGER, PRIMARY KEY (b, "a b")) WITHOUT ROWID;
CREATE TABLE notes (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES people (id), twice AS (owner * 2));
CREATE VIRTUAL TABLE found USING fts5 (words);
CREATE INDEX by_kind ON people (kind);
INSERT INTO people VALUES (9, 'ann', 'a'), (1, 'ben', NULL);
INSERT INTO notes VALUES (1, 9), (2, 77);
INSERT INTO pairs VALUES ('x', 2), ('y', 1);
PRAGMA application_id = 7;
PRAGMA user_version = 300;
"""


@pytest.fixture
def path(folder: Path) -> Path:
    with closing(sqlite3.connect(folder / "daemon.db")) as connection:
        connection.executescript(SCHEMA)
    return folder / "daemon.db"


@pytest.fixture
def database(path: Path) -> Iterator[SQLiteConnection]:
    with SQLiteStorage(path).looking() as connection:
        yield connection


def test_what_a_database_is(database: SQLiteConnection) -> None:
    assert database.mark() == Mark(7, 300)
    assert [table for table in database.tables() if not table.startswith("found_")] == [
        "notes",
        "pairs",
        "people",
    ]
    assert database.columns("NOTES") == ("id", "owner", "twice")
    assert database.columns("none") == ()
    assert database.primary_key("pairs") == ("b", "a b")
    assert database.has("table", "People")
    assert database.has("index", "BY_KIND")
    assert not database.has("index", "people")
    assert database.page_bytes() == 4096
    assert "people" in database.schema().tables


def test_what_it_holds(database: SQLiteConnection) -> None:
    assert database.count("pairs") == 2
    assert database.counters() == {"people": 9}
    assert database.rows("SELECT name FROM people WHERE id = :id", {"id": 9}) == [("ann",)]
    assert list(database.each_row("SELECT id FROM people ORDER BY id")) == [(1,), (9,)]
    assert database.as_written("people", ("name", "none")) == [("ben", None), ("ann", None)]
    assert database.row_numbers("people") == (1, 9)
    assert database.row_numbers("pairs") is None


def test_whether_it_is_sound(database: SQLiteConnection) -> None:
    assert database.soundness() == Soundness()
    assert [orphan.sentence() for orphan in database.orphans()] == [
        "notes, row 2: owner names a row of people that is not there"
    ]
    assert database.orphans_count() == 1


def test_every_method_raises_the_error_of_the_protocol(database: SQLiteConnection) -> None:
    database.sqlite.close()
    for ask in (database.schema, database.mark, database.tables, database.orphans, database.counters):
        with pytest.raises(StorageError) as raised:
            ask()
        assert isinstance(raised.value.orig, sqlite3.ProgrammingError)
        assert raised.value.reason == "statement"


def test_an_error_within_a_look_comes_out_as_the_protocol_s(path: Path) -> None:
    with pytest.raises(StorageError, match="no such table"), SQLiteStorage(path).looking() as connection:
        driver_of(connection).execute("SELECT * FROM none")


@pytest.mark.parametrize(
    ("code", "reason", "is_of_the_place", "is_damage"),
    [
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "busy", True, False),
        (sqlite3.SQLITE_FULL, "full", True, False),
        (sqlite3.SQLITE_IOERR_FSYNC, "disk", True, False),
        (sqlite3.SQLITE_READONLY_ROLLBACK, "not_opened", True, False),
        (sqlite3.SQLITE_CORRUPT_INDEX, "damaged", True, True),
        (sqlite3.SQLITE_NOTADB, "not_a_database", True, True),
        (sqlite3.SQLITE_INTERRUPT, "interrupted", False, False),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, "rows", False, False),
        (sqlite3.SQLITE_ERROR, "statement", False, False),
    ],
)
def test_the_reason_in_a_word_of_every_engine(
    code: int, reason: Reason, is_of_the_place: bool, is_damage: bool
) -> None:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    found = storage_error(error)
    assert (found.reason, found.is_of_the_place, found.is_damage) == (reason, is_of_the_place, is_damage)
    assert str(found) == "as SQLite says it"
    assert found.orig is error


def test_one_explainer_for_errors_of_the_system_and_of_the_database(path: Path) -> None:
    def of_code(code: int) -> StorageError:
        error = sqlite3.OperationalError("as SQLite says it")
        error.sqlite_errorcode = code
        return storage_error(error)

    outcome = "nothing was changed"
    assert isinstance(failures.explained(of_code(sqlite3.SQLITE_BUSY), path, outcome), Busy)
    assert isinstance(failures.explained(of_code(sqlite3.SQLITE_CORRUPT), path, outcome), Damaged)
    assert isinstance(failures.explained(OSError(28, "full"), path, outcome), Refused)
    assert failures.explained(of_code(sqlite3.SQLITE_ERROR), path, outcome) is None
    assert failures.explained(KeyError("a fault of ours"), path, outcome) is None
    known = Failed("known already")
    assert failures.explained(known, path, outcome) is known


def test_the_definitions_of_columns_word_for_word() -> None:
    text = """CREATE TABLE "t, (" (
        id INTEGER PRIMARY KEY, -- the key, of course
        "a, b" VARCHAR(10) DEFAULT 'x, y)' /* (, */ NOT NULL,
        [C] NUMERIC (4, 2) CHECK (c IN (1, 2)), `d``e`,
        FOREIGN KEY (id) REFERENCES other (id)
    )"""
    found = definitions(text)
    assert found["id"] == "id INTEGER PRIMARY KEY"
    assert found["a, b"] == """"a, b" VARCHAR(10) DEFAULT 'x, y)' /* (, */ NOT NULL"""
    assert found["c"] == "[C] NUMERIC (4, 2) CHECK (c IN (1, 2))"
    assert found["d`e"] == "`d``e`"
