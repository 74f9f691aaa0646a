"""Is what happened folded by the minute, bounded anyone who causes it, and written once?"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, insert, select

from app.accounts import audit, audit_memory
from app.accounts.audit import Actor
from app.accounts.audit_memory import MOST_OF_ONE, MOST_OF_STRANGERS, MOST_ROWS, AuditMemory
from app.tables import audit_logs, users


def refuse(memory: AuditMemory, now: datetime, network: str, user_id: int = 1) -> None:
    actor = Actor(None, network, "curl")
    memory.remember(audit.LOGIN_REFUSED, "users", user_id, now, actor=actor, part=network)


def test_what_is_alike_in_a_minute_is_one_row(now: datetime) -> None:
    memory = AuditMemory()
    for second in (0, 1, 30, 52):
        refuse(memory, now + timedelta(seconds=second), "192.0.2.1")
    refuse(memory, now + timedelta(seconds=53), "192.0.2.1")  # 05:07:00
    refuse(memory, now, "192.0.2.2")
    assert sorted((row.actor.ip_address, row.count) for row in memory.take()) == [
        ("192.0.2.1", 1),
        ("192.0.2.1", 4),
        ("192.0.2.2", 1),
    ]
    assert len(memory) == 0


def test_a_minute_is_written_when_it_is_over_and_once(now: datetime) -> None:
    memory = AuditMemory()
    refuse(memory, now, "192.0.2.1")
    assert memory.take(now.replace(second=59)) == []
    assert len(memory.take(now.replace(second=0) + timedelta(minutes=1))) == 1
    assert memory.take() == []


@pytest.mark.parametrize(
    ("action", "most"), [(audit.LOGIN_REFUSED, MOST_OF_STRANGERS), (audit.READ, MOST_OF_ONE)]
)
def test_beside_so_many_of_one_account_the_others_are_only_counted(
    now: datetime, action: str, most: int
) -> None:
    memory = AuditMemory()
    for number in range(most + 30):
        memory.remember(action, "users", 1, now, actor=Actor(None, f"n{number}"), part=f"n{number}")
    rows = memory.take()
    others = [row for row in rows if row.about.get("others")]
    assert len(rows) == most + 1
    assert [(row.record_id, row.count, row.actor.ip_address) for row in others] == [(1, 30, None)]


def test_strangers_leave_room_for_what_people_do(now: datetime) -> None:
    memory = AuditMemory()
    for number in range(2 * MOST_ROWS):
        refuse(memory, now, "192.0.2.1", user_id=number + 1)
    assert (len(memory), memory.dropped) == (MOST_ROWS // 2, 2 * MOST_ROWS - MOST_ROWS // 2)
    memory.remember(audit.READ, "users", 1, now, part="ideas")
    assert len(memory) == MOST_ROWS // 2 + 1


def test_what_could_not_be_written_is_remembered_as_far_as_there_is_room(now: datetime) -> None:
    memory = AuditMemory()
    refuse(memory, now, "192.0.2.1")
    refuse(memory, now, "192.0.2.2")
    rows = memory.take()
    refuse(memory, now, "192.0.2.1")
    memory.put_back(rows)
    assert sum(row.count for row in memory.take()) == 3
    memory.put_back(rows * MOST_ROWS)
    assert (len(memory), memory.dropped) == (MOST_ROWS, MOST_ROWS)


def test_the_row_tells_how_often_and_of_an_account_that_is_gone_no_name(
    connection: Connection, now: datetime
) -> None:
    connection.execute(insert(users).values(id=1, username="ann", email="a@x", hashed_password="x"))
    memory = AuditMemory()
    for user_id in (1, 1, 2):
        memory.remember(
            audit.KEY_USE, "api_keys", 7, now, actor=Actor(user_id, "192.0.2.1", "curl"), api_key_id=7
        )
    audit_memory.write(connection, memory.take())
    rows = connection.execute(select(audit_logs).order_by(audit_logs.c.id)).all()
    assert [(row.user_id, json.loads(row.new_values), row.api_key_id) for row in rows] == [
        (1, {"count": 2}, 7),
        (None, {"count": 1}, 7),
    ]
    assert rows[0].created_at == "2026-03-04 05:06:07"
