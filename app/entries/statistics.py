"""Statistics. How many entries of which kind are there, and how many are deleted? Counts alone."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, select

from app import __version__, clock
from app.accounts import users
from app.disk import free_bytes
from app.settings import Settings
from app.tables import data_entries, endpoints


@dataclass(frozen=True)
class KindCount:
    """How many entries of one kind are there, and how many deleted ones are kept."""

    kind: str
    active: int
    deleted: int


def count_by_kind(connection: Connection) -> list[KindCount]:
    """Return the counts of every kind, by name. Reads an index from end to end: not for every request."""
    there = func.sum(case((data_entries.c.is_active == 1, 1), else_=0))
    counted = (
        select(data_entries.c.endpoint_id, there.label("there"), func.count().label("total"))
        .group_by(data_entries.c.endpoint_id)
        .subquery()
    )
    query = (
        select(endpoints.c.name, counted.c.there, counted.c.total)
        .select_from(endpoints.outerjoin(counted, counted.c.endpoint_id == endpoints.c.id))
        .order_by(endpoints.c.name)
    )
    return [
        KindCount(str(row.name), int(row.there or 0), int(row.total or 0) - int(row.there or 0))
        for row in connection.execute(query)
    ]


def statistics_of(connection: Connection, settings: Settings) -> dict[str, Any]:
    """Return what is counted here: entries by kind, accounts, and the room on the disk of the database."""
    kinds = count_by_kind(connection)
    counted = {
        each.kind: {
            "active": each.active,
            "total": each.active + each.deleted,
            "deleted": each.deleted,
        }
        for each in kinds
    }
    active, deleted = sum(each.active for each in kinds), sum(each.deleted for each in kinds)
    return {
        "counted_at": clock.rfc3339(clock.now()),
        "endpoints": counted,
        "totals": {
            "active_entries": active,
            "total_entries": active + deleted,
            "deleted_entries": deleted,
            "endpoints_count": len(kinds),
            "users": users.count_users(connection),
        },
        "system": {
            "version": __version__,
            "python_version": platform.python_version(),
            "platform": platform.system(),
            "disk_free_bytes": _free_bytes(settings),
        },
    }


def _free_bytes(settings: Settings) -> int | None:
    try:
        return free_bytes(settings.database_path.parent)
    except OSError:
        return None
