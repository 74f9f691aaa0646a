"""Storage protocol, on either engine: does a database answer alike, and is a migration all or nothing?"""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, PrimaryKeyConstraint, Table, Text
from sqlalchemy.exc import DBAPIError

from app.errors import Busy, UnknownDatabase
from app.storage.engine import StorageEngine
from app.storage.registry import storage_for
from app.storage.types import Mark, MigrationConnection, Soundness, StorageError
from app.upgrade.versions.releases import APPLICATION_ID
from tests.databases import Databases, outside
from tests.storage.conftest import StartProcess, thing, until, words_of

TABLES = MetaData()
Table(
    "people",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("name", Text, unique=True),
    Column("kind", Text),
)
Table("pairs", TABLES, Column("a b", Text), Column("b", Integer), PrimaryKeyConstraint("b", "a b"))
Table("notes", TABLES, Column("id", Integer, primary_key=True), Column("owner", ForeignKey("people.id")))
Index("by_kind", TABLES.tables["people"].c.kind)
ROWS = (
    "INSERT INTO people VALUES (1, 'ben', NULL), (9, 'ann', 'a')",
    "INSERT INTO notes VALUES (1, 9), (2, 77)",
    "INSERT INTO pairs VALUES ('x', 2), ('y', 1)",
)
MIGRATE = """
    import sys
    from app.storage.registry import storage_for
    with storage_for(sys.argv[1]).migration_connection(30) as migration:
        migration.execute("CREATE TABLE new (a INTEGER)")
        migration.execute("ALTER TABLE thing ADD COLUMN more TEXT")
        migration.execute("UPDATE thing SET word = 'changed', more = word")
        migration.execute("CREATE INDEX by_more ON thing (more)")
        print("changed", flush=True)
        if input() == "commit":
            migration.commit_durably()
            print("done", flush=True)
            input()
"""


@pytest.fixture
def people(url: str) -> StorageEngine:
    """A database of people, of whom a note names one that is not there."""
    with storage_for(url).migration_connection() as migration:
        TABLES.create_all(migration.connection)
        migration.commit_durably()
    with outside(url) as connection:
        for statement in ROWS:
            connection.execute(sqlalchemy.text(statement))
    return storage_for(url)


# -- what is asked of an open database -----------------------------------------------------------------------


def test_what_a_database_is(people: StorageEngine) -> None:
    with people.looking() as database:
        assert database.engine_name == people.engine_name
        assert database.mark() == Mark(APPLICATION_ID, 600)
        assert database.tables() == ("database_versions", "notes", "pairs", "people", "thing")
        assert database.columns("NOTES") == ("id", "owner")
        assert database.columns("none") == ()
        assert database.primary_key("pairs") == ("b", "a b")
        assert database.has("table", "People")
        assert database.has("index", "BY_KIND")
        assert not database.has("index", "people")
        assert database.page_bytes() in (4096, 8192)
        assert {"people", "notes"} <= set(database.schema().tables)
        assert database.schema().indexes["by_kind"].columns == ("kind",)


def test_what_it_holds(people: StorageEngine) -> None:
    with people.looking() as database:
        assert database.count("pairs") == 2
        assert database.rows("SELECT name FROM people WHERE id = :id", {"id": 9}) == [("ann",)]
        assert list(database.each_row("SELECT id FROM people ORDER BY id")) == [(1,), (9,)]
        assert database.as_written("people", ("name", "none")) == [("ben", None), ("ann", None)]
        assert len(database.row_numbers("people") or ()) == 2


def test_a_digest_of_all_rows_and_of_some(people: StorageEngine) -> None:
    with people.looking() as database:
        whole = database.digest("people", ("id", "name"))
        numbers = database.row_numbers("people") or ()
        assert whole.rows == 2
        assert database.digest("people", ("id", "name"), numbers[::-1]) == whole
        assert database.digest("people", ("id", "name"), numbers[:1]).rows == 1
        assert database.digest("people", ("id", "kind")) != whole


def test_whether_it_is_sound(people: StorageEngine) -> None:
    with people.looking() as database:
        assert database.soundness() == Soundness()
        assert [orphan.sentence() for orphan in database.orphans()] == [
            "notes, row 2: owner names a row of people that is not there"
        ]
        assert database.orphans_count() == 1
        assert database.unusable_objects() == []


def test_looking_changes_nothing(people: StorageEngine) -> None:
    with people.looking() as database, pytest.raises(StorageError):
        database.rows("DELETE FROM people")
    with people.looking() as database:
        assert database.count("people") == 2


def test_what_is_not_there_is_an_error_of_the_protocol(people: StorageEngine) -> None:
    with people.looking() as database, pytest.raises(StorageError) as raised:
        database.count("none")
    assert (raised.value.reason, raised.value.is_of_the_place) == ("statement", False)
    assert people.is_own(raised.value.orig)


def test_a_row_against_a_constraint_is_told_from_other_faults(people: StorageEngine) -> None:
    insert = "INSERT INTO people (id, name) VALUES (:id, :name)"
    for statement, reason in ((insert, "rows"), ("INSERT INTO none VALUES (1)", "statement")):
        with people.migration_connection() as migration, pytest.raises(StorageError) as raised:
            migration.execute(statement, {"id": 3, "name": "ann"})
        assert raised.value.reason == reason


def test_a_note_is_of_the_whole_database(people: StorageEngine) -> None:
    with people.migration_connection() as migration:  # whose table has the note on a server
        migration.execute("CREATE TABLE installation (id INTEGER PRIMARY KEY)")
        migration.commit_durably()
    assert people.note() == ""
    people.set_note("it's moved: é")
    assert people.note() == "it's moved: é"
    people.set_note("")
    assert people.note() == ""


# -- a migration ---------------------------------------------------------------------------------------------


def test_killed_before_the_commit_nothing_is_left_of_it(
    url: str, storage: StorageEngine, other_process: StartProcess
) -> None:
    migration = other_process(MIGRATE, url)
    assert migration.hears() == "changed"
    migration.kill()
    assert words_of(url) == ["word 0", "word 1", "word 2"]
    with storage.migration_connection(30) as later:  # its lock is gone with it
        assert not later.has("table", "new")
        assert later.columns("thing") == ("id", "word")


def test_killed_after_the_commit_all_of_it_is_there(url: str, other_process: StartProcess) -> None:
    migration = other_process(MIGRATE, url)
    migration.hears()
    migration.tell("commit")
    assert migration.hears() == "done"
    migration.kill()
    assert words_of(url) == ["changed"] * 3


def test_whatever_raises_rolls_back(url: str, storage: StorageEngine) -> None:
    def raises() -> None:
        with storage.migration_connection() as migration:
            migration.execute("DROP TABLE thing")
            migration.execute("CREATE TABLE other (a INTEGER)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        raises()
    with storage.migration_connection() as migration:
        migration.execute("DELETE FROM thing")  # and no one commits
    assert words_of(url) == ["word 0", "word 1", "word 2"]


def test_an_interruption_inside_a_statement_rolls_back_and_comes_out_as_it_is(
    url: str, storage: StorageEngine
) -> None:
    """SQLAlchemy then closes the connection, and refuses to be asked to roll back."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    def interrupted() -> None:
        with storage.migration_connection() as migration:
            migration.execute("DELETE FROM thing")
            sqlalchemy.event.listen(migration.connection.engine, "before_cursor_execute", stop)
            migration.connection.execute(sqlalchemy.delete(thing))

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(words_of(url)) == 3


@pytest.mark.parametrize("statement", ["COMMIT", "END", "ROLLBACK", "BEGIN"])
def test_no_step_can_end_the_transaction(url: str, storage: StorageEngine, statement: str) -> None:
    def through_storage(migration: MigrationConnection) -> None:
        migration.execute(statement)

    def through_sqlalchemy(migration: MigrationConnection) -> None:
        migration.connection.execute(sqlalchemy.text(statement))

    for way in (through_storage, through_sqlalchemy):
        with storage.migration_connection() as migration:
            migration.execute("DELETE FROM thing")
            with pytest.raises((StorageError, RuntimeError, DBAPIError)):
                way(migration)
    assert len(words_of(url)) == 3


def test_neither_can_sqlalchemy(url: str, storage: StorageEngine) -> None:
    def commits() -> None:
        with storage.migration_connection() as migration:
            migration.connection.execute(sqlalchemy.delete(thing))
            migration.connection.commit()

    with pytest.raises(RuntimeError, match="commit_durably"):
        commits()
    assert len(words_of(url)) == 3


def test_savepoints_are_allowed(url: str, storage: StorageEngine) -> None:
    with storage.migration_connection() as migration:
        savepoint = migration.connection.begin_nested()
        migration.connection.execute(sqlalchemy.delete(thing))
        savepoint.rollback()
        with migration.connection.begin_nested():
            migration.connection.execute(sqlalchemy.update(thing).values(word="new"))
        migration.commit_durably()
    assert words_of(url) == ["new"] * 3


def test_only_one_at_a_time(storage: StorageEngine) -> None:
    entered = threading.Event()

    def second() -> None:
        with storage.migration_connection(30):
            entered.set()

    waiting = threading.Thread(target=second)
    with storage.migration_connection():
        with pytest.raises(Busy), storage.migration_connection(0.1):
            pass
        waiting.start()
        assert not entered.wait(0.1)
    until(entered.is_set)
    waiting.join()


def test_statements_are_told_as_they_run(storage: StorageEngine) -> None:
    told: list[str] = []
    with storage.migration_connection() as migration:
        migration.tell_statements(told.append)
        migration.execute("UPDATE thing SET word = 'a'")
        migration.connection.execute(sqlalchemy.update(thing).values(word="b"))
        migration.tell_statements(None)
        migration.execute("UPDATE thing SET word = 'c'")
    updates = [statement for statement in told if statement.startswith("UPDATE")]
    assert len(updates) == 2


def test_an_index_is_made_anew(people: StorageEngine) -> None:
    with people.migration_connection() as migration:
        migration.rebuild_indexes(["by_kind"])
        assert migration.has("index", "by_kind")
        assert migration.soundness() == Soundness()
        migration.commit_durably()


def test_where_there_is_no_database_nothing_is_made(databases: Databases, tmp_path: Path) -> None:
    url = databases.place(tmp_path)
    if databases.name == "postgresql":
        url += "_of_none"
    with pytest.raises(UnknownDatabase), storage_for(url).migration_connection():
        pass
    assert list(tmp_path.iterdir()) == []
