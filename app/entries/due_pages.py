"""Due pages (audit tail, times, wishes). Whose page may say something else than a moment ago?

Read as the search reads what is due (`search_due`), and for as long: by whom an entry is that was written or
came or went by itself, and who wishes something else of their page. What was changed for many is of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select

from app import clock
from app.accounts import audit_reading
from app.entries import search_due
from app.tables import data_entries, endpoints, page_wishes

WAIT = timedelta(seconds=5)  # that a wish may have waited for its commit
ENTRIES_MOST = 1_000  # in one look; where there are more, all pages are due


class DuePages(NamedTuple):
    """Whose pages are due, by ids, or whether all are, and the last line of the audit that was seen.

    ``wrote`` says of which kinds what was written was, by people's ids; ``wished`` who wishes something else.
    """

    wrote: Mapping[int, frozenset[str]]
    wished: tuple[int, ...]
    is_all: bool
    last_line: int


def since(connection: Connection, line: int, before: datetime, now: datetime) -> DuePages:
    """Return what is due since a line of the audit and a moment."""
    due = search_due.since(connection, line, before, now)
    if due.is_all or due.has_more or len(due.entry_ids) > ENTRIES_MOST:
        last = audit_reading.last_line(connection) if due.has_more else due.last_line
        return DuePages({}, (), True, last)
    wrote = _kinds_by_owner(connection, due.entry_ids)
    return DuePages(wrote, _who_wished(connection, before - WAIT), False, due.last_line)


def _kinds_by_owner(connection: Connection, entry_ids: tuple[int, ...]) -> dict[int, frozenset[str]]:
    found: dict[int, frozenset[str]] = {}
    if entry_ids:
        entry, kind = data_entries.c, endpoints.c
        query = select(entry.created_by_id, kind.name).where(entry.id.in_(entry_ids))
        query = query.where(kind.id == entry.endpoint_id, entry.created_by_id.is_not(None))
        for user_id, name in connection.execute(query.distinct()):
            found[user_id] = found.get(user_id, frozenset()) | {name}
    return found


def _who_wished(connection: Connection, before: datetime) -> tuple[int, ...]:
    """A wish leaves no line of the audit; a person has one row of them at most."""
    wish = page_wishes.c
    query = select(wish.user_id).where(wish.updated_at >= clock.stored(before))
    return tuple(connection.execute(query).scalars())
