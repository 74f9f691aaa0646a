"""Cleanup of deleted entries (retention). Which were deleted so long ago that they may be erased?

Nothing is erased by itself: an admin looks first, and then says how many are meant. Without DELETED_DAYS
deleted entries are kept for ever, and nothing may be cleared away.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from app import clock
from app.entries import endpoints as kinds
from app.entries.endpoints import NAME
from app.entries.entry import Origin
from app.entries.erase import erase
from app.errors import Conflict
from app.privacy.viewer import Viewer
from app.settings import Settings
from app.tables import data_entries, endpoints

STEP = 50


def limit_of(settings: Settings, now: datetime) -> datetime | None:
    """Return before when an entry must have been deleted to be cleared away; None: none may be."""
    return now - timedelta(days=settings.deleted_days) if settings.deleted_days else None


def count(connection: Connection, before: datetime | None) -> dict[str, int]:
    """Return how many may be cleared away, by kind. Reads all entries: not for every request."""
    if before is None:
        return {}
    query = (
        select(NAME.label("kind"), func.count().label("number"))
        .join_from(data_entries, endpoints, endpoints.c.id == data_entries.c.endpoint_id)
        .where(_is_due(before))
        .group_by(NAME)
        .order_by(NAME)
    )
    return {str(row.kind): int(row.number) for row in connection.execute(query)}


def check_count(connection: Connection, before: datetime | None, meant: int | None) -> int:
    """Return how many there are; raises Conflict where that is not the number that was ``meant``."""
    found = sum(count(connection, before).values())
    if meant != found:
        raise Conflict(
            f"Nothing was erased: {found} deleted entries may be cleared away.",
            hint=f"Look at them first, then say how many are meant: entries={found}",
        )
    return found


def clear_some(connection: Connection, viewer: Viewer, before: datetime, origin: Origin) -> int:
    """Erase a few of them, as `erase.erase` does; return how many. Writes what that writes."""
    query = select(data_entries.c.id, data_entries.c.endpoint_id).where(_is_due(before)).limit(STEP)
    rows = connection.execute(query).all()
    for row in rows:
        endpoint = kinds.find_by_id(connection, row.endpoint_id)
        assert endpoint is not None, "an entry has a kind"
        erase(connection, viewer, endpoint, row.id, origin=origin)
    return len(rows)


def _is_due(before: datetime) -> ColumnElement[bool]:
    """Deleted before then; where it is not known when, it is kept."""
    entry = data_entries.c
    is_deleted = or_(entry.is_active.is_(None), entry.is_active != 1)
    return and_(is_deleted, entry.updated_at < clock.stored(before))
