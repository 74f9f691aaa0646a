"""Is the audit a chain in which every change of a row shows, and which outlives what is erased of it?"""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from app import clock, erasures
from app.accounts import audit, audit_verify, retention
from app.accounts.audit_verify import DOES_NOT_FOLLOW, PUT_BACK, PUT_IN, Verified
from app.accounts.retention import START
from app.erasures import OfToday
from app.tables import audit_anchors, audit_logs

DAY = timedelta(days=1)
SECRET = "what ann wrote of ben"


def write(connection: Connection, action: str, now: datetime, count: int = 1, record_id: int = 7) -> None:
    for _ in range(count):
        audit.record(
            connection,
            action,
            "data_entries" if action in audit.CHANGES else "users",
            record_id,
            now=now,
            user_id=1,
            new_values={"text": SECRET},
            ip_address="192.0.2.1",
            user_agent="a browser",
        )


def erase_values(connection: Connection) -> None:
    erasures.erase(OfToday(connection), 7)


def verified(connection: Connection) -> Verified:
    return audit_verify.verify(connection)


def clear_before(connection: Connection, before: datetime) -> None:
    at = START
    while (step := retention.find_step(connection, at, before)).cleared_to != at:
        retention.clear(connection, step)
        at = step.cleared_to


def rows(connection: Connection) -> list[Any]:
    return list(connection.execute(select(audit_logs).order_by(audit_logs.c.id)))


def mixed(connection: Connection, now: datetime) -> None:
    """Twelve rows: changes and events in turn, a day each."""
    for day in range(6):
        write(connection, audit.CREATE, now + day * DAY)
        write(connection, audit.LOGIN, now + day * DAY)


def test_a_chain_as_it_was_written_is_whole(connection: Connection, now: datetime) -> None:
    assert verified(connection).is_whole
    mixed(connection, now)
    found = verified(connection)
    assert found.is_whole
    assert (found.chained_count, found.unchained_count) == (12, 0)


CHANGES: tuple[dict[str, Any], ...] = (
    {"action": "DELETE"},
    {"record_id": 8},
    {"table_name": "elsewhere"},
    {"created_at": "2020-01-01 00:00:00"},
    {"api_key_id": 3},
    {"user_id": 2},
    {"ip_address": None},
    {"user_agent": "another"},
    {"new_values": "{}"},
    {"old_values": "{}"},
    {"salt": "0.0"},
    {"changes_hash": "0"},
    {"events_hash": "0"},
    {"values_digest": "0"},
    {"actor_digest": "0"},
)


def test_every_change_of_a_row_shows(connection: Connection, now: datetime) -> None:
    mixed(connection, now)
    for row, changed in itertools.product((1, 6, 11, 12), CHANGES):
        with connection.begin_nested() as change:
            connection.execute(update(audit_logs).where(audit_logs.c.id == row).values(changed))
            assert row in [fault.id for fault in verified(connection).faults], (row, changed)
            change.rollback()
    assert verified(connection).is_whole


def test_a_row_that_is_missing_shows_at_the_next(connection: Connection, now: datetime) -> None:
    mixed(connection, now)
    for row in range(1, 12):
        with connection.begin_nested() as change:
            connection.execute(delete(audit_logs).where(audit_logs.c.id == row))
            assert verified(connection).faults[0].what == DOES_NOT_FOLLOW
            change.rollback()


def test_rows_that_change_places_show(connection: Connection, now: datetime) -> None:
    mixed(connection, now)
    for before, after in ((3, 99), (5, 3), (99, 5)):
        connection.execute(update(audit_logs).where(audit_logs.c.id == before).values(id=after))
    assert not verified(connection).is_whole


def test_a_row_put_in_shows(connection: Connection, now: datetime) -> None:
    mixed(connection, now)
    row = {"action": "CREATE", "table_name": "users", "record_id": 1, "old_values": "null"}
    connection.execute(update(audit_logs).where(audit_logs.c.id == 12).values(id=13))
    connection.execute(insert(audit_logs).values({**row, "id": 12, "created_at": clock.stored(now)}))
    assert [(fault.id, fault.what) for fault in verified(connection).faults] == [(12, PUT_IN)]


def test_rows_from_before_the_chain_are_told_by_an_anchor(connection: Connection, now: datetime) -> None:
    old = {"action": "CREATE", "table_name": "users", "record_id": 1, "created_at": clock.stored(now)}
    connection.execute(insert(audit_logs), [old] * 3)
    assert verified(connection).unchained_count == 3
    mixed(connection, now)
    connection.execute(insert(audit_logs), [old] * 2)  # an older server, after a rollback
    assert verified(connection).is_whole
    mixed(connection, now)
    found = verified(connection)
    assert found.is_whole
    assert (found.chained_count, found.unchained_count) == (24, 5)
    said = connection.execute(select(audit_anchors).order_by(audit_anchors.c.id)).all()
    assert [(one.kind, one.first_id, one.last_id, one.rows_count) for one in said] == [
        ("start", 1, 3, 3),
        ("start", 16, 17, 2),
    ]


def test_erased_values_leave_no_text_and_no_salt_and_the_chain_whole(
    connection: Connection, now: datetime
) -> None:
    mixed(connection, now)
    write(connection, audit.CREATE, now, record_id=8)
    erase_values(connection)
    found = verified(connection)
    assert found.is_whole
    assert found.erased_count == 6
    for row in rows(connection):
        is_erased = (row.table_name, row.record_id) == ("data_entries", 7)
        assert (SECRET in (row.new_values or "")) is not is_erased
        assert row.salt.startswith(".") is is_erased
    before = rows(connection)
    erase_values(connection)
    assert rows(connection) == before


def test_values_that_come_back_show(connection: Connection, now: datetime) -> None:
    mixed(connection, now)
    erase_values(connection)
    connection.execute(update(audit_logs).where(audit_logs.c.id == 3).values(new_values='{"other": 1}'))
    assert [(fault.id, fault.what) for fault in verified(connection).faults] == [(3, PUT_BACK)]


def test_rows_from_before_the_chain_are_erased_too(connection: Connection, now: datetime) -> None:
    old = {"action": "UPDATE", "table_name": "data_entries", "record_id": 7, "new_values": f'"{SECRET}"'}
    connection.execute(insert(audit_logs).values({**old, "user_id": 1, "ip_address": "192.0.2.1"}))
    write(connection, audit.UPDATE, now)
    erase_values(connection)
    assert verified(connection).is_whole
    assert SECRET not in repr(rows(connection))


def test_retention_leaves_one_anchor_and_the_chain_whole(connection: Connection, now: datetime) -> None:
    for _ in range(3):
        mixed(connection, now)
        now += 6 * DAY
    for days in range(0, 20, 2):
        clear_before(connection, now - 18 * DAY + days * DAY)
        assert verified(connection).is_whole
    said = connection.execute(select(audit_anchors)).all()
    assert [(one.kind, one.rows_count) for one in said] == [("retention", 17)]  # the newest row stays
    found = verified(connection)
    assert (found.chained_count, found.cleared_count) == (19, 17)
    mixed(connection, now)
    assert verified(connection).is_whole


def test_events_of_odd_times_leave_anchors_that_grow_together(connection: Connection, now: datetime) -> None:
    for day in (0, 30, 1, 31, 2, 32, 3):
        write(connection, audit.CREATE, now)
        write(connection, audit.LOGIN, now + day * DAY)
    write(connection, audit.CREATE, now)
    clear_before(connection, now + 10 * DAY)
    assert verified(connection).is_whole
    assert len(connection.execute(select(audit_anchors)).all()) == 4
    clear_before(connection, now + 40 * DAY)
    assert verified(connection).is_whole
    assert [one.rows_count for one in connection.execute(select(audit_anchors))] == [7]
    write(connection, audit.LOGIN, now)
    assert verified(connection).is_whole


@pytest.mark.parametrize("row", [4, 6, 9])
def test_what_retention_did_not_take_shows(connection: Connection, now: datetime, row: int) -> None:
    mixed(connection, now)
    clear_before(connection, now + 2 * DAY)
    connection.execute(delete(audit_logs).where(audit_logs.c.id == {4: 3}.get(row, row)))
    assert not verified(connection).is_whole


def test_hashes_are_of_one_row_only(connection: Connection, now: datetime) -> None:
    """What is written at the same time about the same record is another link each, with another salt."""
    write(connection, audit.CREATE, now, 3)
    found = rows(connection)
    for one, other in itertools.combinations(found, 2):
        assert one.salt != other.salt
        assert one.changes_hash != other.changes_hash
