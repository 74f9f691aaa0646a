"""Is an id found at the same cost, however many rows there are?"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, Table, create_engine, insert
from sqlalchemy.pool import NullPool

from app import ids, tables
from app.errors import Conflict


@pytest.mark.parametrize("table", [tables.users, tables.endpoints, tables.data_entries, tables.api_keys])
def test_a_free_id_is_found_at_the_end_of_an_index(table: Table) -> None:
    engine = create_engine("sqlite://", poolclass=NullPool)
    asked: list[str] = []
    with engine.connect() as connection:
        tables.metadata.create_all(connection)
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_trace_callback(asked.append)  # with the values in their places
        ids.next_id(connection, table)
        statements = [each for each in asked if not each.startswith("BEGIN")]
        asked.clear()
        ids.next_id(connection, table)
        assert len(asked) == 1, "where there is a counter, one statement counts and looks"
        plans = [
            str(row)
            for statement in statements
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
        ]
    assert len(statements) == 4, "one that finds no counter; a look, a counter, and the first time its row"
    # as many rows as there are people, kinds, and columns that may name a row
    small = {"users", "endpoints", "user_privacy_settings", "ids"}
    scanned = [plan for plan in plans if "SCAN" in plan and "CONSTANT" not in plan]
    assert [plan for plan in scanned if not any(f"SCAN {name}" in plan for name in small)] == []


def test_an_id_costs_the_same_however_many_rows_there_are() -> None:
    engine = create_engine("sqlite://", poolclass=NullPool)
    steps = []
    with engine.connect() as connection:
        tables.metadata.create_all(connection)
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        ids.next_id(connection, tables.data_entries)
        for _ in range(2):
            steps.append(steps_of(driver, lambda: ids.next_id(connection, tables.data_entries)))
            rows = range(10_000 * len(steps), 10_000 * len(steps) + 5_000)
            entry = insert(tables.data_entries)
            connection.execute(entry, [{"id": row, "endpoint_id": 1, "data": "{}"} for row in rows])
            audited = [{"action": "CREATE", "table_name": "data_entries", "record_id": row} for row in rows]
            connection.execute(insert(tables.audit_logs), audited)
        steps.append(steps_of(driver, lambda: ids.next_id(connection, tables.data_entries)))
    assert max(steps) <= 2 * min(steps), steps


def steps_of(driver: sqlite3.Connection, work: Callable[[], object]) -> int:
    """How many steps of SQLite's machine a work takes."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    driver.set_progress_handler(step, 1)
    work()
    driver.set_progress_handler(None, 1)
    return count


def test_an_id_is_given_once() -> None:
    engine = create_engine("sqlite://", poolclass=NullPool)
    with engine.connect() as connection:
        tables.metadata.create_all(connection)
        given = [ids.next_id(connection, tables.data_entries) for _ in range(3)]
        connection.execute(insert(tables.data_entries).values(id=2**60, endpoint_id=1, data="{}"))
        assert given == [1, 2, 3]
        assert ids.next_id(connection, tables.data_entries) == 4, "what no client can name counts for nothing"


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://", poolclass=NullPool)
    with engine.connect() as opened:
        tables.metadata.create_all(opened)
        yield opened


@pytest.mark.usefixtures("random_ids")
def test_what_people_are_shown_has_a_random_id_below_2_to_the_53(connection: Connection) -> None:
    given = [ids.new_id(connection, tables.finding_releases) for _ in range(300)]
    assert len(set(given)) == 300
    assert all(2**52 <= each < 2**53 - 2**32 for each in given)
    assert given != sorted(given)
    low = min(given) - 2**52
    assert low < 2**47, "from one end"
    assert max(given) > 2**53 - 2**47, "to the other"


@pytest.mark.usefixtures("random_ids")
def test_an_id_that_a_row_or_the_audit_names_is_not_given_again(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_row, erased, free = 2**52 + 1, 2**52 + 2, 2**52 + 3
    connection.execute(insert(tables.data_entries).values(id=of_row, endpoint_id=1, data="{}"))
    audited = {"action": "CREATE", "table_name": "data_entries", "record_id": erased}
    connection.execute(insert(tables.audit_logs).values(audited))
    drawn = iter([of_row, erased, of_row, free])
    monkeypatch.setattr(ids, "draw", lambda _: next(drawn))
    assert ids.new_id(connection, tables.data_entries) == free
    monkeypatch.setattr(ids, "draw", lambda _: erased)
    with pytest.raises(Conflict):
        ids.new_id(connection, tables.data_entries)
