"""Is the audit read newest first, by what is wanted, at a cost that does not grow with it?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from app import clock
from app.accounts import audit, audit_reading
from app.accounts.audit_reading import ROWS_OF_A_LOOK, Wanted, look, window_query
from app.tables import audit_logs

ROW: dict[str, Any] = {"action": audit.UPDATE, "table_name": "data_entries", "record_id": 1}


def add(connection: Connection, *rows: dict[str, Any]) -> None:
    connection.execute(
        insert(audit_logs), [{"user_id": None, "created_at": None} | ROW | row for row in rows]
    )


def test_pages_are_newest_first_and_end(connection: Connection) -> None:
    add(connection, *[{}] * 5)
    first = look(connection, Wanted(), 2)
    second = look(connection, Wanted(), 2, first.next)
    third = look(connection, Wanted(), 2, second.next)
    assert (first.ids, second.ids, third.ids, third.next) == ((5, 4), (3, 2), (1,), None)
    assert look(connection, Wanted(), 5).next is None


def test_an_accounts_rows_are_those_by_it_and_about_it(connection: Connection) -> None:
    add(
        connection,
        {"user_id": 2},
        {"table_name": "users", "record_id": 2, "user_id": 1},
        {"table_name": "users", "record_id": 2, "user_id": 2},
        {"record_id": 2, "user_id": 1},
    )
    assert look(connection, Wanted(user_id=2), 10).ids == (3, 2, 1)
    assert look(connection, Wanted(user_id=2), 2).next == 2


def test_a_rare_action_is_found_in_looks_of_bounded_depth(connection: Connection) -> None:
    add(connection, {"action": audit.CLAIM}, *[{}] * (2 * ROWS_OF_A_LOOK))
    before, looks = None, 0
    while not (found := look(connection, Wanted(action=audit.CLAIM), 10, before)).ids:
        assert found.next is not None
        before, looks = found.next, looks + 1
    assert (found.ids, found.next, looks) == ((1,), None, 2)


def test_since_is_from_that_moment_on(connection: Connection, now: datetime) -> None:
    add(connection, *[{"created_at": clock.stored(now + timedelta(hours=hour))} for hour in range(5)])
    assert look(connection, Wanted(since=now + timedelta(hours=3)), 10).ids == (5, 4)
    assert look(connection, Wanted(since=now + timedelta(hours=9)), 10).ids == ()


@pytest.mark.only_on("sqlite")  # whose plan does not depend on how many rows there are
@pytest.mark.parametrize(
    "wanted", [Wanted(), Wanted(action="LOGIN"), Wanted(user_id=1), Wanted(user_id=1, action="LOGIN")]
)
def test_every_look_goes_by_an_index(connection: Connection, wanted: Wanted) -> None:
    query = window_query(wanted, 100, 5, 50).compile(connection)
    plan = connection.exec_driver_sql(
        f"EXPLAIN QUERY PLAN {query}", tuple(query.params[name] for name in query.positiontup or ())
    )
    steps = [str(row[3]) for row in plan]
    assert not [step for step in steps if step.startswith("SCAN audit_logs")], steps
    windows = [step for step in steps if "id>? AND " in step]  # so many ids, however many rows there are
    single = [step for step in steps if step.endswith("USING INTEGER PRIMARY KEY (rowid=?)")]
    assert len(windows) == (1 if wanted.user_id is None else 2)
    assert len(windows) + len(single) == len([step for step in steps if "audit_logs" in step]), steps


def test_rows_come_with_the_name_of_who_did_it(connection: Connection) -> None:
    from app.tables import users

    connection.execute(insert(users).values(id=1, username="ann", email="a@x", hashed_password="x"))
    add(connection, {"user_id": 1}, {"user_id": 9})
    assert [row.username for row in audit_reading.rows_of(connection, (2, 1, 99))] == [None, "ann"]
