"""Due pages (audit tail, times, wishes). Whose page may say something else than a moment ago?

Read as the search reads what is due (`search_due`), and for as long: by whom an entry is that was written or
came or went by itself, and who wishes something else of their page. What was changed for many is of all.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select

from app import clock
from app.accounts import audit_reading
from app.entries import search_due
from app.tables import data_entries, page_wishes

WAIT = timedelta(seconds=5)  # that a wish may have waited for its commit
ENTRIES_MOST = 1_000  # in one look; where there are more, all pages are due


class DuePages(NamedTuple):
    """Whose pages are due, by ids, or whether all are, and the last line of the audit that was seen."""

    user_ids: tuple[int, ...]
    is_all: bool
    last_line: int


def since(connection: Connection, line: int, before: datetime, now: datetime) -> DuePages:
    """Return what is due since a line of the audit and a moment."""
    due = search_due.since(connection, line, before, now)
    if due.is_all or due.has_more or len(due.entry_ids) > ENTRIES_MOST:
        return DuePages((), True, audit_reading.last_line(connection) if due.has_more else due.last_line)
    found = [*_owners(connection, due.entry_ids), *_who_wished(connection, before - WAIT)]
    return DuePages(tuple(dict.fromkeys(found)), False, due.last_line)


def _owners(connection: Connection, entry_ids: tuple[int, ...]) -> list[int]:
    if not entry_ids:
        return []
    entry = data_entries.c
    query = select(entry.created_by_id).where(entry.id.in_(entry_ids), entry.created_by_id.is_not(None))
    return list(connection.execute(query.distinct()).scalars())


def _who_wished(connection: Connection, before: datetime) -> list[int]:
    """A wish leaves no line of the audit; a person has one row of them at most."""
    wish = page_wishes.c
    query = select(wish.user_id).where(wish.updated_at >= clock.stored(before))
    return list(connection.execute(query).scalars())
