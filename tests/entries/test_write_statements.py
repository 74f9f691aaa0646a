"""Statements of a write: does a new entry ask and change the same few things, however much there is?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from app import clock
from app.accounts import claim
from app.accounts.users import NewUser
from app.database import Database, open_database
from app.entries import write
from app.privacy.viewer import Viewer
from app.tables import audit_logs, data_entries, metadata
from app.upgrade.operations.init import initialise
from tests.conftest import SettingsIn

ANN = Viewer("person", 1, "ann")
IDEA = {"content": "a garden in the evening", "meta": {"visibility": "public"}}
ROWS = 20_000
STATEMENTS_MOST = 9  # BEGIN, state, SAVEPOINT, id, entry, findings, audit, RELEASE, COMMIT


@pytest.fixture
def database(tmp_path: Path, settings_in: SettingsIn) -> Iterator[Database]:
    settings = settings_in(tmp_path, backup_enabled=False)
    initialise(settings)
    opened = open_database(settings)
    with opened.writing() as connection:
        new = NewUser("ann", "ann@example.org", "-", is_admin=True)
        assert claim.create_account(connection, new, clock.now()).id == ANN.user_id
    yield opened
    opened.close()


def create(database: Database) -> None:
    with database.writing() as connection:
        write.create(connection, ANN, "ideas", IDEA)


@contextmanager
def driver_of(database: Database) -> Iterator[sqlite3.Connection]:
    """The one connection that writes, before its turn."""
    with database.writing() as connection:
        driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    try:
        yield driver
    finally:
        driver.set_trace_callback(None)
        driver.set_progress_handler(None, 1)


def test_a_new_entry_takes_a_few_statements_that_go_by_an_index(database: Database) -> None:
    create(database)
    asked: list[str] = []
    with driver_of(database) as driver:
        driver.set_trace_callback(asked.append)
        create(database)
        driver.set_trace_callback(None)
    assert len(asked) <= STATEMENTS_MOST, asked
    written = [each.split()[2] for each in asked if each.startswith("INSERT")]
    assert sorted(written) == ["audit_logs", "data_entries", "text_findings"]
    with closing(sqlite3.connect(str(database.engine.url.database))) as owner:
        plans = [
            str(row)
            for statement in asked
            if statement.startswith(("SELECT", "UPDATE", "INSERT", "WITH"))
            for row in owner.execute(f"EXPLAIN QUERY PLAN {statement}")
        ]
    scanned = [plan for plan in plans if any(f"SCAN {table}" in plan for table in metadata.tables)]
    assert scanned == []


def test_a_new_entry_takes_the_same_work_however_much_there_is(database: Database) -> None:
    create(database)
    before = steps_of(database)
    with database.writing() as connection:
        fill(connection)
    create(database)  # what was remembered of before is asked again
    assert steps_of(database) <= 1.3 * before


def fill(connection: Connection) -> None:
    endpoint_id = connection.exec_driver_sql("SELECT id FROM endpoints WHERE name = 'ideas'").scalar_one()
    entry = {"endpoint_id": endpoint_id, "data": "{}", "is_active": 1, "created_by_id": ANN.user_id}
    connection.execute(insert(data_entries), [{**entry, "id": 1_000 + number} for number in range(ROWS)])
    audited = {"action": "CREATE", "table_name": "data_entries", "user_id": ANN.user_id}
    connection.execute(
        insert(audit_logs), [{**audited, "record_id": 1_000 + number} for number in range(ROWS)]
    )


def steps_of(database: Database) -> int:
    """How many steps of SQLite's machine a new entry takes."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    with driver_of(database) as driver:
        driver.set_progress_handler(step, 1)
        create(database)
    return count


def places(database: Database) -> list[int]:
    with closing(sqlite3.connect(str(database.engine.url.database))) as owner:
        return [place for (place,) in owner.execute("SELECT position FROM data_entries ORDER BY position")]


class NotToBe(Exception):
    """What takes a write back."""


def create_and_take_back(database: Database) -> None:
    with database.writing() as connection:
        write.create(connection, ANN, "ideas", IDEA)
        raise NotToBe


def test_the_place_of_a_new_entry_is_right_after_what_was_taken_back(database: Database) -> None:
    create(database)
    with pytest.raises(NotToBe):
        create_and_take_back(database)
    create(database)
    assert places(database) == [1, 2]


def test_the_place_of_a_new_entry_is_after_what_others_wrote(database: Database) -> None:
    create(database)
    with closing(sqlite3.connect(str(database.engine.url.database))) as owner, owner:
        owner.execute(
            "INSERT INTO data_entries (id, endpoint_id, data, is_active, visibility, position)"
            " SELECT 5, endpoint_id, data, 1, 'private', 1000 FROM data_entries"
        )
    create(database)
    create(database)
    assert places(database) == [1, 1000, 1001, 1002]
