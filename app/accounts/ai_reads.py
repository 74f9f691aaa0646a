"""Ledger of assistants. Which one has read what of whom? By names of fields, never a value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from app import clock
from app.accounts import people
from app.tables import ai_reads

KEPT = timedelta(days=30)
ROWS_OF_A_PERSON = 10_000
LONGEST = 100  # characters of what a client calls itself
FIELDS_NAMED = 50
_CLEARED_AT_ONCE = 500
_ROW = ai_reads.c


@dataclass(frozen=True)
class AiRead:
    """What one call of a tool read of one person.

    ``fields`` are the names of the members that were answered; ``hidden_count`` says how many of their values
    had a part that was not shown.
    """

    username: str
    read_at: datetime
    client: str | None
    client_version: str | None
    key_id: int | None
    tool: str
    kind: str | None
    fields: tuple[str, ...]
    entry_count: int
    hidden_count: int


def note(connection: Connection, reads: Sequence[AiRead]) -> set[int]:
    """Write what was read, in the caller's transaction, but of people who are gone; returns of whom."""
    known: dict[str, int | None] = {}
    for each in reads:
        if each.username not in known:
            known[each.username] = _id_of(connection, each.username)
    rows = [_row(each, owner) for each in reads if (owner := known[each.username]) is not None]
    if rows:
        connection.execute(insert(ai_reads), rows)
    return {row["user_id"] for row in rows}


def _row(one: AiRead, user_id: int) -> dict[str, Any]:
    names = [name[:LONGEST] for name in one.fields[:FIELDS_NAMED]]
    return {
        "user_id": user_id,
        "read_at": clock.stored(one.read_at),
        "client": one.client and one.client[:LONGEST],
        "client_version": one.client_version and one.client_version[:LONGEST],
        "key_id": one.key_id,
        "tool": one.tool,
        "kind": one.kind and one.kind[:LONGEST],
        "fields": json.dumps(names),
        "entry_count": one.entry_count,
        "hidden_count": one.hidden_count,
    }


def _id_of(connection: Connection, username: str) -> int | None:
    named = people.people_named(connection, username)
    found = [one for one in named if one.username == username] or named
    return found[0].id if len(found) == 1 else None


def listed(
    connection: Connection, user_id: int, most: int, before: int | None = None
) -> tuple[list[dict[str, Any]], int | None]:
    """Return what was read of a person, newest first, and the id before which to go on, if there is more."""
    query = select(ai_reads).where(_ROW.user_id == user_id).order_by(_ROW.id.desc()).limit(most + 1)
    if before is not None:
        query = query.where(_ROW.id < before)
    rows = connection.execute(query).all()
    found = [_view(row._mapping) for row in rows[:most]]
    return found, rows[most - 1].id if len(rows) > most else None


def _view(row: Any) -> dict[str, Any]:
    names = ("client", "client_version", "key_id", "tool", "kind", "entry_count", "hidden_count")
    told = {name: row[name] for name in names}
    return {"read_at": clock.rfc3339(row["read_at"]), **told, "fields": json.loads(row["fields"])}


def has_old(connection: Connection, now: datetime) -> bool:
    """Return whether anything is older than KEPT."""
    old = select(_ROW.id).where(_ROW.read_at < clock.stored(now - KEPT)).limit(1)
    return connection.execute(old).first() is not None


def clear(connection: Connection, now: datetime, touched: Sequence[int] = ()) -> int:
    """Remove what is older than KEPT, and of ``touched`` people what is beyond ROWS_OF_A_PERSON.

    A bounded step; returns how many rows are gone.
    """
    old = select(_ROW.id).where(_ROW.read_at < clock.stored(now - KEPT)).limit(_CLEARED_AT_ONCE)
    gone = connection.execute(delete(ai_reads).where(_ROW.id.in_(old))).rowcount
    for user_id in touched:
        kept = select(_ROW.id).where(_ROW.user_id == user_id).order_by(_ROW.id.desc())
        last = connection.execute(kept.offset(ROWS_OF_A_PERSON).limit(1)).scalar()
        if last is not None:
            beyond = select(_ROW.id).where(_ROW.user_id == user_id, _ROW.id <= last).limit(_CLEARED_AT_ONCE)
            gone += connection.execute(delete(ai_reads).where(_ROW.id.in_(beyond))).rowcount
    return gone
