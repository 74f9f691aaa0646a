"""Webhook events (outbox). What has happened to entries that someone's webhooks are to be told of?

One row in the transaction of the change, and none where its owner has no webhook. Ids and kinds only: a
receiver asks the API for the rest, and is shown what its credential may see. What becomes public by the time
alone is seen by a job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import Connection, func, insert, or_, select, update

from app import clock
from app.accounts.people import PEOPLE
from app.entries.endpoints import NAME
from app.prepared_statements import PreparedStatement
from app.snapshot_memory import remembered
from app.tables import data_entries, endpoints, webhook_events, webhooks

CREATED, CHANGED, DELETED, PUBLISHED = "created", "changed", "deleted", "published"
PREFIX = "entry."
EVENTS = tuple(PREFIX + each for each in (CREATED, CHANGED, DELETED, PUBLISHED))
OF_A_LOOK = 200
_ADD = PreparedStatement(
    insert(webhook_events), *("user_id", "event", "publishes", "kind", "entry_id", "occurred_at")
)
_ENTRY, _HOOK = data_entries.c, webhooks.c


def listeners(connection: Connection) -> frozenset[int]:
    """Return which active people have a webhook that is on; mostly it was asked before."""

    def read() -> frozenset[int]:
        query = select(_HOOK.user_id).join_from(webhooks, PEOPLE, PEOPLE.c.id == _HOOK.user_id)
        query = query.where(_HOOK.is_active == 1, PEOPLE.c.is_active == 1).distinct()
        return frozenset(connection.execute(query).scalars())

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
    _add(connection, owner_id, event, kind, entry_id, clock.stored(clock.now()), publishes())


def note_all(
    connection: Connection,
    owner_id: int,
    event: str,
    entries: Iterable[tuple[str, int, bool]],
    now: datetime,
) -> None:
    """Note entries of someone as `note` does, with one statement: kind, id, and do strangers see it since?"""
    if owner_id in listeners(connection):
        at = clock.stored(now)
        rows = [_row(owner_id, event, kind, entry_id, at, is_seen) for kind, entry_id, is_seen in entries]
        _ADD.run_all(connection, rows)


def find_published(
    connection: Connection, since: datetime, until: datetime
) -> list[tuple[int, str, int, str]]:
    """Return which entries of people with webhooks became public by the time alone, after ``since``.

    Each as whose, kind, id and when. What was written after it was to be shown is not among them: the write
    saw it. The first OF_A_LOOK of them.
    """
    owners = listeners(connection)
    if not owners:
        return []
    query = (
        select(_ENTRY.created_by_id, NAME.label("kind"), _ENTRY.id, _ENTRY.shown_from)
        .join_from(data_entries, endpoints, endpoints.c.id == _ENTRY.endpoint_id)
        .where(
            *(_ENTRY.shown_from > clock.stored(since), _ENTRY.shown_from <= clock.stored(until)),
            *(_ENTRY.created_by_id.in_(sorted(owners)), _ENTRY.is_active == 1),
            *(_ENTRY.visibility == "public", endpoints.c.is_active == 1, endpoints.c.is_public == 1),
            func.coalesce(_ENTRY.updated_at, _ENTRY.created_at) <= _ENTRY.shown_from,
            or_(_ENTRY.shown_until.is_(None), _ENTRY.shown_until > _ENTRY.shown_from),
        )
        .order_by(_ENTRY.shown_from, _ENTRY.id)
        .limit(OF_A_LOOK)
    )
    return [tuple(row) for row in connection.execute(query).all()]


def note_published(connection: Connection, found: list[tuple[int, str, int, str]], until: datetime) -> None:
    """Note what `find_published` found, and up to when it was looked for. Writes webhook_events, webhooks."""
    for owner_id, kind, entry_id, at in found:
        _add(connection, owner_id, PUBLISHED, kind, entry_id, at, is_published=True)
    last = found[-1][3] if len(found) == OF_A_LOOK else clock.stored(until)
    connection.execute(update(webhooks).where(_HOOK.is_active == 1).values(published_until=last))


def published_until(connection: Connection) -> datetime | None:
    """Return up to when it was looked what became public; None where there is no webhook."""
    seen = func.min(func.coalesce(_HOOK.published_until, _HOOK.created_at))
    return clock.parse_stored(connection.execute(select(seen).where(_HOOK.is_active == 1)).scalar())


def _add(
    connection: Connection, owner_id: int, event: str, kind: str, entry_id: int, at: str, is_published: bool
) -> None:
    _ADD.run(connection, _row(owner_id, event, kind, entry_id, at, is_published))


def _row(
    owner_id: int, event: str, kind: str, entry_id: int, at: str, is_published: bool
) -> dict[str, object]:
    return {
        "user_id": owner_id,
        "event": event,
        "publishes": int(is_published),
        "kind": kind,
        "entry_id": entry_id,
        "occurred_at": at,
    }
