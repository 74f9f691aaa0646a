"""Webhook events (outbox). What has happened to entries that someone's webhooks are to be told of?

One row in the transaction of the change, and none where its owner has no webhook. Ids and kinds only: a
receiver asks the API for the rest, and is shown what its credential may see.

What is public but not shown yet (its time comes, its kind is opened) has a row of its own until it is told: a
plan, whose id is the entry's with a minus. So what is still to be told is remembered, and whoever takes the
plan away, a write or the job that looks, is the one that tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Row,
    and_,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    update,
)

from app import clock
from app.accounts.people import PEOPLE
from app.entries.endpoints import NAME
from app.ids import keep_highest, next_id
from app.prepared_statements import PreparedQuery, PreparedStatement
from app.snapshot_memory import remembered
from app.tables import data_entries, endpoints, webhook_events, webhooks

CREATED, CHANGED, DELETED, PUBLISHED = "created", "changed", "deleted", "published"
PREFIX = "entry."
RESTORED = "restored:"
"""Before the name of an event of a backup that was put back: it is not sent by itself (`upgrade`)."""

EVENTS = tuple(PREFIX + each for each in (CREATED, CHANGED, DELETED, PUBLISHED))
OF_A_LOOK = 200
_COLUMNS = ("id", "user_id", "event", "publishes", "kind", "entry_id", "occurred_at")
_ADD = PreparedStatement(insert(webhook_events), *_COLUMNS)
_PLAN = PreparedStatement(insert(webhook_events), *_COLUMNS, unless_taken="id")
_ENTRY, _HOOK, _EVENT, _KIND = data_entries.c, webhooks.c, webhook_events.c, endpoints.c
_LISTENERS = PreparedQuery(
    select(_HOOK.user_id)
    .join_from(webhooks, PEOPLE, PEOPLE.c.id == _HOOK.user_id)
    .where(_HOOK.is_active == 1, PEOPLE.c.is_active == 1)
    .distinct()
)
IS_TOLD = _EVENT.id > 0
"""Of the outbox; what is below is planned."""

_UNPLAN = PreparedStatement(delete(webhook_events).where(_EVENT.id == bindparam("plan_id")))
_IS_OPEN = and_(_KIND.is_active == 1, _KIND.is_public == 1)
_PLANNED = select(_EVENT.occurred_at, _EVENT.publishes, _EVENT.event).where(_EVENT.id == bindparam("plan_id"))
_STATES = (
    select(_ENTRY.id, _ENTRY.is_active, _ENTRY.visibility, _ENTRY.shown_from, _ENTRY.shown_until)
    .add_columns(case((_IS_OPEN, 1), else_=0).label("is_open"))
    .join_from(data_entries, endpoints, _KIND.id == _ENTRY.endpoint_id)
)
_STATE = _STATES.where(_ENTRY.id == bindparam("entry_id"))
IDS_AT_ONCE = 500


class Happened(NamedTuple):
    """What happened to an entry: CREATED, CHANGED or DELETED; and whether strangers see it since."""

    event: str
    kind: str
    entry_id: int
    publishes: bool = False


def listeners(connection: Connection) -> frozenset[int]:
    """Return which active people have a webhook that is on; mostly it was asked before."""

    def read() -> frozenset[int]:
        return frozenset(row[0] for row in _LISTENERS.rows(connection))

    return remembered(connection, "webhook owners", read, while_writing=True)


def note(
    connection: Connection,
    owner_id: int | None,
    event: str,
    kind: str,
    entry_id: int,
    publishes: Callable[[], bool] = lambda: False,
) -> None:
    """Note what happened to an entry, in the caller's transaction, where its owner is to be told of it.

    ``publishes`` says whether strangers see it since; it is asked only then. Writes webhook_events.
    """
    if owner_id is None or owner_id not in listeners(connection):
        return
    now = clock.stored(clock.now())
    entry = connection.execute(_STATE, {"entry_id": entry_id}).first()
    if entry is not None and entry.is_open == 1:
        _tell_what_came(connection, owner_id, kind, entry_id, now)
    is_planned = _plan_again(connection, owner_id, kind, entry, entry_id, now)
    _add(connection, owner_id, event, kind, entry_id, now, not is_planned and publishes())


def note_all(connection: Connection, owner_id: int, happened: Iterable[Happened], now: datetime) -> None:
    """Note what happened to entries of someone as `note` does, in this order, with one statement.

    Each that was planned, or is to be, takes its own besides.
    """
    if owner_id not in listeners(connection):
        return
    given, at = list(happened), clock.stored(now)
    states, planned = _states_of(connection, [each.entry_id for each in given])
    rows = []
    for event, kind, entry_id, is_seen in given:
        entry = states.get(entry_id)
        if entry_id in planned and entry is not None and entry.is_open == 1:
            _tell_what_came(connection, owner_id, kind, entry_id, at)
        if entry_id in planned or _comes_at(entry, at):
            is_seen = not _plan_again(connection, owner_id, kind, entry, entry_id, at) and is_seen
        rows.append(_row(owner_id, event, kind, entry_id, at, is_seen))
    if rows:
        first = next_id(connection, webhook_events)
        _ADD.run_all(connection, [{**row, "id": first + number} for number, row in enumerate(rows)])
        keep_highest(connection, webhook_events)


def _states_of(connection: Connection, entry_ids: list[int]) -> tuple[dict[int, Row[Any]], set[int]]:
    """Return entries as they are now, by id, and which of them are planned."""
    states, planned = dict[int, Row[Any]](), set[int]()
    for begin in range(0, len(entry_ids), IDS_AT_ONCE):
        some = entry_ids[begin : begin + IDS_AT_ONCE]
        query = _STATES.where(_ENTRY.id.in_(some))
        states |= {row.id: row for row in connection.execute(query)}
        plans = select(_EVENT.entry_id).where(_EVENT.id.in_([-entry_id for entry_id in some]))
        planned |= set(connection.execute(plans).scalars())
    return states, planned


# -- plans


def plan(connection: Connection, user_ids: Iterable[int], now: datetime) -> None:
    """Plan what becomes public of these people by the time, where that is not done; writes webhook_events."""
    moment, planned = clock.stored(now), webhook_events.alias()
    coming = (
        select(
            *(-_ENTRY.id, _ENTRY.created_by_id, literal(PUBLISHED), literal(1, _EVENT.publishes.type)),
            *(NAME, _ENTRY.id, _ENTRY.shown_from),
        )
        .join_from(data_entries, endpoints, _KIND.id == _ENTRY.endpoint_id)
        .where(
            *(_ENTRY.shown_from > moment, _ENTRY.created_by_id.in_(sorted(user_ids))),
            *(_ENTRY.is_active == 1, _ENTRY.visibility == "public"),
            or_(_ENTRY.shown_until.is_(None), _ENTRY.shown_until > _ENTRY.shown_from),
            not_(exists().where(planned.c.id == -_ENTRY.id)),
        )
    )
    connection.execute(insert(webhook_events).from_select(_COLUMNS, coming))


def plan_anew(connection: Connection, user_id: int, now: datetime) -> None:
    """Plan it for someone who had no webhook that was on: what was planned once is nothing any more."""
    connection.execute(delete(webhook_events).where(_EVENT.user_id == user_id, not_(IS_TOLD)))
    plan(connection, [user_id], now)


def has_come(connection: Connection, now: datetime) -> bool:
    """Return whether a plan is to be looked at."""
    return connection.execute(_come(clock.stored(now)).limit(1)).first() is not None


def tell_what_came(connection: Connection, now: datetime) -> int:
    """Tell what has become public since the last look: one bounded step; returns how many plans it looked at.

    Writes webhook_events.
    """
    moment = clock.stored(now)
    found = connection.execute(_come(moment).order_by(_EVENT.occurred_at, _EVENT.id).limit(OF_A_LOOK)).all()
    for row in found:
        _look_at(connection, row, moment)
    return len(found)


def _come(moment: str) -> Any:
    """The plans whose time has come, with the entry as it is; without those that wait for a closed kind."""
    waits = and_(_EVENT.publishes == 0, not_(_IS_OPEN))
    return (
        select(
            *(_EVENT.id, _EVENT.user_id, _EVENT.event, _EVENT.publishes, _EVENT.entry_id, _EVENT.occurred_at),
            *(_ENTRY.is_active, _ENTRY.visibility, _ENTRY.shown_from, _ENTRY.shown_until),
            *(func.coalesce(NAME, _EVENT.kind).label("kind"), case((_IS_OPEN, 1), else_=0).label("is_open")),
        )
        .join_from(webhook_events, data_entries, _ENTRY.id == _EVENT.entry_id, isouter=True)
        .join(endpoints, _KIND.id == _ENTRY.endpoint_id, isouter=True)
        .where(not_(IS_TOLD), _EVENT.occurred_at <= moment, not_(func.coalesce(waits, false())))
    )


def _look_at(connection: Connection, row: Row[Any], moment: str) -> None:
    """Tell it, or let it wait for its kind, or for another time; or forget it."""
    of_it = update(webhook_events).where(_EVENT.id == row.id)
    if row.is_active != 1 or row.visibility != "public":
        _UNPLAN.run(connection, {"plan_id": row.id})
    elif (row.shown_from or "") > moment:  # changed by none of ours
        connection.execute(of_it.values(occurred_at=row.shown_from, publishes=1))
    elif row.is_open != 1:
        connection.execute(of_it.values(publishes=0))
    elif row.publishes == 1 or row.shown_until is None or row.shown_until > moment:
        at = row.occurred_at if row.publishes == 1 else moment
        _tell(connection, row.user_id, row.event, row.kind, row.entry_id, at)
    else:
        _UNPLAN.run(connection, {"plan_id": row.id})


def _tell(connection: Connection, owner_id: int, event: str, kind: str, entry_id: int, at: str) -> None:
    """Make an event of a plan, unless someone else has."""
    if _UNPLAN.run(connection, {"plan_id": -entry_id}):
        _add(connection, owner_id, event, kind, entry_id, at, is_published=True)


def _tell_what_came(connection: Connection, owner_id: int, kind: str, entry_id: int, now: str) -> None:
    """Tell what has become public before this write, and no look has seen yet."""
    planned = connection.execute(_PLANNED, {"plan_id": -entry_id}).first()
    if planned is not None and planned.occurred_at <= now:
        at = planned.occurred_at if planned.publishes == 1 else now
        _tell(connection, owner_id, planned.event, kind, entry_id, at)


def _plan_again(
    connection: Connection, owner_id: int, kind: str, entry: Row[Any] | None, entry_id: int, now: str
) -> bool:
    """Plan an entry as it is now; return whether it is public and not shown yet."""
    _UNPLAN.run(connection, {"plan_id": -entry_id})
    at = _comes_at(entry, now)
    if at:
        row = _row(owner_id, PUBLISHED, kind, entry_id, at, at > now)
        _PLAN.run(connection, {**row, "id": -entry_id})
    return bool(at)


def _comes_at(entry: Row[Any] | None, now: str) -> str:
    """Return when an entry is shown that is public and not shown yet (now: once its kind is); else ""."""
    if entry is None or entry.is_active != 1 or entry.visibility != "public":
        return ""
    at = max(entry.shown_from or "", now)
    is_over = entry.shown_until is not None and entry.shown_until <= at
    return "" if is_over or (at == now and entry.is_open == 1) else at


def _add(
    connection: Connection, owner_id: int, event: str, kind: str, entry_id: int, at: str, is_published: bool
) -> None:
    row = _row(owner_id, event, kind, entry_id, at, is_published)
    _ADD.run(connection, {**row, "id": next_id(connection, webhook_events)})


def _row(owner_id: int, event: str, kind: str, entry_id: int, at: str, is_published: bool) -> dict[str, Any]:
    return {
        "user_id": owner_id,
        "event": event,
        "publishes": int(is_published),
        "kind": kind,
        "entry_id": entry_id,
        "occurred_at": at,
    }
