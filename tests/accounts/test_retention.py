"""Are old events cleared away in steps of bounded cost, and nothing else ever?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from app import clock
from app.accounts import audit, retention
from app.accounts.retention import ROWS_OF_A_STEP, START
from app.ids import next_id
from app.tables import audit_logs, users

DAY = timedelta(days=1)


def add(connection: Connection, action: str, created_at: object, count: int = 1, record_id: int = 1) -> None:
    row: dict[str, Any] = {"action": action, "table_name": "users", "record_id": record_id}
    connection.execute(insert(audit_logs), [{**row, "created_at": created_at}] * count)


def clear_all(connection: Connection, before: datetime) -> int:
    """Go on until a step finds nothing more; return how many steps it took."""
    at, steps = START, 0
    while (step := retention.find_step(connection, at, before)).cleared_to != at:
        retention.clear(connection, step)
        at, steps = step.cleared_to, steps + 1
    return steps


def left(connection: Connection) -> list[tuple[str, object]]:
    rows = connection.execute(select(audit_logs).order_by(audit_logs.c.id))
    return [(row.action, row.created_at) for row in rows]


def test_old_events_go_and_changes_stay(connection: Connection, now: datetime) -> None:
    old, new = clock.stored(now - 400 * DAY), clock.stored(now)
    kept = [(action, old) for action in audit.CHANGES]
    kept += [(action, new) for action in (*audit.CHANGES, *audit.EVENTS)]
    for action in audit.EVENTS:
        add(connection, action, old)
    for action, moment in kept:
        add(connection, action, moment)
    clear_all(connection, now - 365 * DAY)
    assert left(connection) == kept


ODD = [pytest.param(odd, marks=pytest.mark.only_on("sqlite")) for odd in (5, b"2020-01-01")]


@pytest.mark.parametrize("moment", [None, "", "some day", *ODD])
def test_rows_of_an_odd_moment_stay(connection: Connection, now: datetime, moment: object) -> None:
    add(connection, audit.LOGIN, moment)
    clear_all(connection, now)
    assert left(connection) == [(audit.LOGIN, moment)]


def test_a_step_is_bounded_and_kept_rows_are_not_looked_at_twice(
    connection: Connection, now: datetime
) -> None:
    old = clock.stored(now - 400 * DAY)  # all of one second, as an import writes them
    add(connection, audit.CREATE, old, 3 * ROWS_OF_A_STEP)
    add(connection, audit.LOGIN, old, ROWS_OF_A_STEP)
    first = retention.find_step(connection, START, now)
    assert first.ids == ()
    second = retention.find_step(connection, first.cleared_to, now)
    assert second.cleared_to == (old, 2 * ROWS_OF_A_STEP)
    assert clear_all(connection, now) == 4
    assert {action for action, _ in left(connection)} == {audit.CREATE}


@pytest.mark.only_on("sqlite")  # whose plan does not depend on how many rows there are
def test_a_step_goes_by_the_index_from_its_place_on(connection: Connection, now: datetime) -> None:
    said = []
    for one in retention.step_queries(("2026-01-01 00:00:00", 7), now):
        query = one.limit(500).compile(connection)
        values = tuple(query.params[name] for name in query.positiontup or ())
        said += [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)]
    by_index = "SEARCH audit_logs USING INDEX ix_audit_logs_created_at"
    assert said == [
        f"{by_index} (created_at=? AND rowid>?)",
        f"{by_index} (created_at>? AND created_at<?)",
    ]


def test_an_id_that_only_a_cleared_row_named_is_never_given_again(
    connection: Connection, now: datetime
) -> None:
    add(connection, audit.LOGIN, clock.stored(now - 400 * DAY), record_id=41)
    clear_all(connection, now)
    assert left(connection) == []
    assert next_id(connection, users) == 42
