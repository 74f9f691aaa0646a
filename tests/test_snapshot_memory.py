"""Snapshot memory: nothing is read twice of one state, and nothing of another state is ever answered?"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from app import clock, snapshot_memory
from app.accounts import claim, users
from app.accounts.users import NewUser
from app.database import Database, open_database
from app.entries import read, write
from app.entries.question import Question
from app.entries.strangers import NO_MEMORY
from app.entries.view_memory import ViewMemory
from app.privacy.viewer import STRANGER, Viewer
from app.snapshot_memory import STATES_MOST, VALUES_MOST, remembered
from app.storage import types
from app.storage.sqlite import serving
from app.upgrade.operations.init import initialise
from tests.conftest import SettingsIn

STATEMENTS_MOST = 2
QUESTIONS = {
    "a list": Question("ideas"),
    "a list of someone": Question("ideas", owner="ann"),
    "an entry": Question("ideas", entry_id=1),
}


@pytest.fixture(params=["delete", "wal"])
def database(tmp_path: Path, settings_in: SettingsIn, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database of ann, who has one public idea."""
    settings = settings_in(tmp_path, backup_enabled=False)
    initialise(settings)
    with closing(sqlite3.connect(settings.database_path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {request.param}")
    opened = open_database(settings)
    with opened.writing() as writing:
        ann = claim.create_account(
            writing, NewUser("ann", "ann@example.org", "-", is_admin=True), clock.now()
        )
        content = {"content": "call 030 1234567", "meta": {"visibility": "public", "title": "first"}}
        write.create(writing, Viewer("person", ann.id, "ann"), "ideas", content)
    yield opened
    opened.close()


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        said.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield said
    event.remove(database.engine, "before_cursor_execute", note)


def answer(database: Database, question: Question, memory: ViewMemory = NO_MEMORY) -> object:
    with database.reading() as connection:
        asked = question.asked_by(STRANGER, "public_full")
        return (read.item if asked.entry_id else read.page)(connection, asked, memory=memory)


def owner(database: Database) -> sqlite3.Connection:
    path = database.engine.url.database
    assert path is not None
    return sqlite3.connect(path, isolation_level=None)


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_a_stranger_is_answered_with_two_statements(database: Database, question: Question) -> None:
    first = answer(database, question)
    with counted(database) as statements:
        assert answer(database, question) == first
    assert 1 <= len(statements) <= STATEMENTS_MOST, statements


@pytest.mark.parametrize("asked", ["a list", "an entry"])  # a name is looked up besides, whoever has it
def test_and_by_no_more_where_nothing_is_known_of_this_state(database: Database, asked: str) -> None:
    question = QUESTIONS[asked]
    memory = ViewMemory(1_000_000)
    for _ in range(2):  # with views and without
        with closing(owner(database)) as connection:
            connection.execute("UPDATE users SET last_login = hex(randomblob(8))")  # always another
        with counted(database) as statements:
            answer(database, question, memory)
        assert 1 <= len(statements) <= STATEMENTS_MOST, statements


def test_an_entry_of_someone_else_of_whom_nothing_is_known_is_read_by_two_statements(
    database: Database,
) -> None:
    with database.writing() as writing:
        ben = claim.create_account(
            writing, NewUser("ben", "ben@example.org", "-", is_admin=False), clock.now()
        )
        content = {"content": "hers", "meta": {"visibility": "public", "title": "second"}}
        second = write.create(writing, Viewer("person", ben.id, "ben"), "ideas", content)
    answer(database, QUESTIONS["an entry"])
    with counted(database) as statements:
        assert answer(database, Question("ideas", entry_id=second.id))
    assert 1 <= len(statements) <= STATEMENTS_MOST, statements


CHANGES = {
    "a kind is closed": "UPDATE endpoints SET is_public = 0 WHERE name = 'ideas'",
    "a person is deactivated": "UPDATE users SET is_active = 0",
    "a person has another name": "UPDATE users SET username = 'eve', username_key = 'eve'",
    "a rule hides a field": (
        "INSERT INTO data_privacy_rules (endpoint_name, field_path, field_name, privacy_level, is_active)"
        " VALUES ('ideas', 'meta.title', 'title', NULL, 1)"
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_another_process_changes_is_seen_by_the_next_question(database: Database, change: str) -> None:
    def ask() -> dict[str, object]:
        found: dict[str, object] = {}
        for name, question in QUESTIONS.items():
            try:
                found[name] = answer(database, question)
            except Exception as error:  # noqa: BLE001 - what is raised is an answer too
                found[name] = type(error)
        return found

    before = ask()
    assert ask() == before
    with closing(owner(database)) as connection:
        connection.execute(change)
    after = ask()
    assert after != before
    database.engine.dispose()  # connections that remember nothing
    assert ask() == after


def test_a_writer_sees_its_own_changes(database: Database) -> None:
    reads: list[int] = []

    def read_once(connection: Connection) -> Callable[[], int]:
        def count() -> int:
            reads.append(1)
            return int(connection.exec_driver_sql("SELECT count(*) FROM id_counters").scalar_one())

        return count

    with database.writing() as connection:
        assert remembered(connection, "ids", read_once(connection)) > 0
        connection.exec_driver_sql("DELETE FROM id_counters")
        assert remembered(connection, "ids", read_once(connection)) == 0
    with database.reading() as connection:
        for _ in range(3):
            assert remembered(connection, "ids", read_once(connection)) == 0
    assert len(reads) == 3


def test_the_memory_is_bounded(database: Database) -> None:
    with database.reading() as connection:
        for number in range(3 * VALUES_MOST):
            remembered(connection, number, lambda: None)
        assert len(snapshot_memory._values_of(connection) or ()) <= VALUES_MOST
    for _ in range(3 * STATES_MOST):
        with database.writing() as writing:
            writing.exec_driver_sql("UPDATE users SET last_login = CURRENT_TIMESTAMP")
        with database.reading() as connection:
            remembered(connection, "number", lambda: None)
    assert len(snapshot_memory._states) <= STATES_MOST


def test_connections_of_one_state_share_what_was_read_and_of_others_nothing(database: Database) -> None:
    assert snapshot_memory.STATE == types.STATE
    with database.reading() as one, database.reading() as other:
        states = [snapshot_memory.state_of(each) for each in (one, other)]
        assert states[0] == states[1] is not None
        assert remembered(one, "who", lambda: "one") == remembered(other, "who", lambda: "other") == "one"
    with closing(owner(database)) as connection:
        connection.execute("UPDATE users SET is_active = 0")
    with database.reading() as later:
        assert snapshot_memory.state_of(later) not in (None, *states)
        assert remembered(later, "who", lambda: "later") == "later"
    database.close()
    with database.reading() as reopened:
        assert remembered(reopened, "who", lambda: "reopened") == "reopened"


def test_a_snapshot_of_which_no_one_knows_the_state_remembers_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Someone commits between the look at the states and the snapshot."""
    take = serving._take_snapshot

    def interrupted(driver: sqlite3.Connection) -> None:
        with closing(owner(database)) as connection:
            connection.execute("UPDATE users SET last_login = hex(randomblob(8))")  # always another
        take(driver)

    monkeypatch.setattr(serving, "_take_snapshot", interrupted)
    with database.reading() as connection:
        assert snapshot_memory.state_of(connection) is None
        count = itertools.count()
        assert [remembered(connection, "n", count.__next__) for _ in range(3)] == [0, 1, 2]


# -- while writing


def name_of_ann(connection: Connection) -> object:
    """Ask for ann's account, as a request does that writes."""
    found = users.find_user_by_id(connection, 1)
    return found and found.username


def test_a_writer_asks_once_for_what_its_new_rows_do_not_change(database: Database) -> None:
    ann = Viewer("person", 1, "ann")
    with database.writing() as connection:
        assert name_of_ann(connection) == "ann"
        write.create(connection, ann, "ideas", {"content": "warm"})
    asked: list[str] = []
    event.listen(
        database._writer._engine,  # type: ignore[attr-defined]
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_rest: asked.append(statement),
    )
    for _ in range(3):
        with database.writing() as connection:
            assert name_of_ann(connection) == "ann"
            write.create(connection, ann, "ideas", {"content": "again"})
    assert not [each for each in asked if "hashed_password" in each or "FROM endpoints" in each]


def test_a_writer_sees_what_another_process_changed_and_what_it_changed_itself(database: Database) -> None:
    with database.writing() as connection:
        assert name_of_ann(connection) == "ann"
    with closing(owner(database)) as other:
        other.execute("UPDATE users SET username = 'eve'")
    with database.writing() as connection:
        assert name_of_ann(connection) == "eve"
        connection.exec_driver_sql("UPDATE users SET username = 'mia'")
        assert name_of_ann(connection) == "mia"
    with database.writing() as connection:
        assert name_of_ann(connection) == "mia"


def test_what_a_writer_read_of_a_change_that_was_taken_back_is_not_believed(database: Database) -> None:
    with database.writing() as connection:
        assert name_of_ann(connection) == "ann"

    def change_and_fail() -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("UPDATE users SET username = 'eve'")
            assert name_of_ann(connection) == "eve"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_and_fail()
    with database.writing() as connection:
        assert name_of_ann(connection) == "ann"


def test_a_trigger_of_the_owners_beside_a_new_row_counts(database: Database) -> None:
    with closing(owner(database)) as other:
        other.execute(
            "CREATE TRIGGER renames AFTER INSERT ON data_entries BEGIN UPDATE users SET username = 'eve'; END"
        )
    with database.writing() as connection:
        assert name_of_ann(connection) == "ann"
        write.create(connection, Viewer("person", 1, "ann"), "ideas", {"content": "new"})
        assert name_of_ann(connection) == "eve"
