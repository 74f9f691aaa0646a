"""Webhook deliveries (outgoing queue). What is still to be sent to which webhook, what became of the rest?

Each event becomes one row for each webhook that wants it, in the transaction that takes it from the outbox:
so it is sent at least once, whatever happens, and is known again by its id. Tries come ever later; after the
last one the webhook is off.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, insert, or_, select, update

from app import clock
from app.accounts.people import PEOPLE
from app.entries import webhooks as hooks
from app.entries.webhook_events import IS_TOLD, OF_A_LOOK, PREFIX, PUBLISHED, RESTORED
from app.errors import NotFound
from app.ids import new_id
from app.prepared_statements import PreparedQuery
from app.tables import webhook_deliveries, webhook_events, webhooks

WAITS = (5, 30, 120, 600, 3_600, 14_400, 43_200)
"""Seconds after each try that failed; the one after the last of them is the last."""

KEPT = timedelta(days=30)
GONE = 410
_CLEARED_AT_ONCE = 500
_EVENT, _SENT, _HOOK = webhook_events.c, webhook_deliveries.c, webhooks.c
_TOLD = PreparedQuery(select(_EVENT.id).where(IS_TOLD).limit(1))


@dataclass(frozen=True)
class Due:
    """A delivery that is to be tried now, and where."""

    id: int
    webhook_id: int
    url: str
    stored_secret: str
    attempts: int
    body: bytes

    @property
    def message_id(self) -> str:
        """What a receiver knows it again by: the same at every try."""
        return f"msg_{self.id}"


@dataclass(frozen=True)
class Tried:
    """What came of a try: the status of the answer, or one word for why there was none."""

    status: int | None
    fault: str | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether the receiver has it."""
        return self.fault is None and self.status is not None and 200 <= self.status < 300


# -- from the outbox to the queue


def has_events(connection: Connection) -> bool:
    """Return whether anything is in the outbox."""
    return _TOLD.value(connection) is not None


def queue(connection: Connection, now: datetime) -> int:
    """Queue what is in the outbox for whoever wants it, one bounded step; returns how many events.

    Writes webhook_events and webhook_deliveries.
    """
    first = select(_EVENT.id).where(IS_TOLD).order_by(_EVENT.id).limit(OF_A_LOOK)
    ids = connection.execute(first).scalars().all()
    # taken before they are queued: of two processes at once only one has each
    taken = delete(webhook_events).where(_EVENT.id.in_(ids)).returning(*webhook_events.c)
    events = sorted(connection.execute(taken).mappings().all(), key=lambda each: int(each["id"]))
    owners = sorted({each["user_id"] for each in events})
    query = select(webhooks).where(_HOOK.user_id.in_(owners), _HOOK.is_active == 1)
    wanting = connection.execute(query.order_by(_HOOK.id)).mappings().all()
    rows = [
        _row(hook, name, event, now)
        for event in events
        for hook in wanting
        if hook["user_id"] == event["user_id"] and hook["created_at"] <= event["occurred_at"]
        for name in _names(event)
        if _wants(hook, name, event["kind"])
    ]
    if rows:  # in the order of their ids, too: many things happen within a second
        numbers = sorted(new_id(connection, webhook_deliveries) for _row_of in rows)
        numbered = [{"id": number, **row} for number, row in zip(numbers, rows, strict=True)]
        connection.execute(insert(webhook_deliveries), numbered)
    return len(ids)


def _names(event: RowMapping) -> list[str]:
    names = [event["event"].removeprefix(RESTORED)]
    if event["publishes"] == 1 and names != [PUBLISHED]:
        names.append(PUBLISHED)
    return [PREFIX + each for each in names]


def _wants(hook: RowMapping, name: str, kind: str) -> bool:
    events, kinds = hook["events"], hook["kinds"]
    return (events is None or name in json.loads(events)) and (kinds is None or kind in json.loads(kinds))


def _row(hook: RowMapping, name: str, event: RowMapping, now: datetime) -> dict[str, Any]:
    is_restored = event["event"].startswith(RESTORED)
    return {
        "webhook_id": hook["id"],
        "event": name,
        "kind": event["kind"],
        "entry_id": event["entry_id"],
        "occurred_at": event["occurred_at"],
        "state": "not_sent" if is_restored else "waiting",
        "attempts": 0,
        "next_attempt_at": None if is_restored else clock.stored(now),
        "last_fault": "restored" if is_restored else None,
    }


# -- the queue


def due(connection: Connection, now: datetime) -> list[Due]:
    """Return what is to be tried now, the longest due first: so many as are tried before the next look."""
    query = (
        select(webhook_deliveries, _HOOK.url, _HOOK.secret.label("stored_secret"))
        .join_from(webhook_deliveries, webhooks, _HOOK.id == _SENT.webhook_id)
        .join(PEOPLE, PEOPLE.c.id == _HOOK.user_id)
        .where(*(_SENT.next_attempt_at <= clock.stored(now), _HOOK.is_active == 1, PEOPLE.c.is_active == 1))
        .order_by(_SENT.next_attempt_at, _SENT.occurred_at, _SENT.id)
        .limit(OF_A_LOOK)
    )
    return [_due(row) for row in connection.execute(query).mappings()]


def _due(row: RowMapping) -> Due:
    said = {
        "type": row["event"],
        "timestamp": clock.rfc3339(row["occurred_at"]),
        "data": {"kind": row["kind"], "id": row["entry_id"]},
    }
    body = json.dumps(said, separators=(",", ":")).encode()
    return Due(row["id"], row["webhook_id"], row["url"], row["stored_secret"], row["attempts"], body)


def is_waiting(connection: Connection, one: Due) -> bool:
    """Return whether it is still to be sent: its entry may be erased since, or its webhook off."""
    there = select(_SENT.id).join_from(webhook_deliveries, webhooks, _HOOK.id == _SENT.webhook_id)
    there = there.where(_SENT.id == one.id, _SENT.state == "waiting", _HOOK.is_active == 1)
    return connection.execute(there).first() is not None


def send_again(
    connection: Connection, user_id: int, webhook_id: int, delivery_id: int, now: datetime
) -> dict[str, Any]:
    """Have something sent that was not, or once more, under the same id; return it as `listed` does.

    It waits where its webhook is off. Raises NotFound. Writes webhook_deliveries.
    """
    hook = hooks.get(connection, user_id, webhook_id)
    mine = (_SENT.id == delivery_id, _SENT.webhook_id == webhook_id)
    at = clock.stored(now) if hook["is_active"] else None
    values = {"state": "waiting", "attempts": 0, "next_attempt_at": at, "last_fault": None}
    connection.execute(update(webhook_deliveries).where(*mine).values(values))
    row = connection.execute(select(webhook_deliveries).where(*mine)).mappings().first()
    if row is None:
        raise NotFound("There is no such delivery.", hint="It is kept for thirty days.")
    return _view(row)


def settle(connection: Connection, one: Due, tried: Tried, now: datetime) -> bool:
    """Write down what came of a try; returns whether the webhook is off with it.

    Writes webhook_deliveries and webhooks.
    """
    attempts = one.attempts + 1
    is_last = attempts > len(WAITS) or tried.status == GONE or tried.fault == "secret_lost"
    wait = None if tried.is_accepted or is_last else now + timedelta(seconds=WAITS[attempts - 1])
    state = "delivered" if tried.is_accepted else "failed" if is_last else "waiting"
    values = {
        "state": state,
        "attempts": attempts,
        "next_attempt_at": None if wait is None else clock.stored(wait),
        "last_attempt_at": clock.stored(now),
        "last_status": tried.status,
        "last_fault": tried.fault,
    }
    connection.execute(update(webhook_deliveries).where(_SENT.id == one.id).values(values))
    hook = update(webhooks).where(_HOOK.id == one.webhook_id)
    if tried.is_accepted:
        connection.execute(hook.where(_HOOK.failed_count > 0).values(failed_count=0))
        return False
    connection.execute(hook.values(failed_count=_HOOK.failed_count + 1))
    if is_last:
        why = (
            "gone" if tried.status == GONE else tried.fault if tried.fault == "secret_lost" else "not_reached"
        )
        hooks.turn_off(connection, one.webhook_id, str(why), now)
    return is_last


def listed(
    connection: Connection, user_id: int, webhook_id: int, most: int, after: tuple[int, int] | None = None
) -> tuple[list[dict[str, Any]], tuple[int, int] | None]:
    """Return what was sent to one of a person's webhooks, the newest event first; and where to go on.

    ``after`` is such a place: seconds since 1970, and an id. Raises NotFound.
    """
    hooks.get(connection, user_id, webhook_id)
    query = select(webhook_deliveries).where(_SENT.webhook_id == webhook_id)
    if after is not None:
        at = clock.stored_second(after[0])
        query = query.where(or_(_SENT.occurred_at < at, and_(_SENT.occurred_at == at, _SENT.id < after[1])))
    rows = connection.execute(query.order_by(_SENT.occurred_at.desc(), _SENT.id.desc()).limit(most + 1))
    found = rows.mappings().all()
    place = None
    if len(found) > most:
        place = (clock.seconds_of_stored(found[most - 1]["occurred_at"]), int(found[most - 1]["id"]))
    return [_view(row) for row in found[:most]], place


def _view(row: RowMapping) -> dict[str, Any]:
    return {
        "id": f"msg_{row['id']}",
        "event": row["event"],
        "kind": row["kind"],
        "entry_id": row["entry_id"],
        "occurred_at": clock.rfc3339(row["occurred_at"]),
        "state": row["state"],
        "attempts": row["attempts"],
        "next_attempt_at": row["next_attempt_at"] and clock.rfc3339(row["next_attempt_at"]),
        "last_attempt_at": row["last_attempt_at"] and clock.rfc3339(row["last_attempt_at"]),
        "last_status": row["last_status"],
        "last_fault": row["last_fault"],
    }


def has_old(connection: Connection, now: datetime) -> bool:
    """Return whether anything is older than KEPT."""
    hooks_there = select(_HOOK.id).scalar_subquery()
    old = select(_SENT.id).where(
        _SENT.webhook_id.in_(hooks_there), _SENT.occurred_at < clock.stored(now - KEPT)
    )
    return connection.execute(old.limit(1)).first() is not None


def clear(connection: Connection, now: datetime) -> int:
    """Delete what is older than KEPT: one step of bounded cost; returns how many rows are gone."""
    before, gone = clock.stored(now - KEPT), 0
    for hook_id in connection.execute(select(_HOOK.id)).scalars().all():
        old = select(_SENT.id).where(_SENT.webhook_id == hook_id, _SENT.occurred_at < before)
        some = old.limit(_CLEARED_AT_ONCE)
        gone += connection.execute(delete(webhook_deliveries).where(_SENT.id.in_(some))).rowcount
    return gone
