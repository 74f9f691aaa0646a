"""Endpoint rows. Which kinds of entries are there, and of which may a viewer know? One row each."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, or_, select

from app import clock
from app.entries import access, kinds
from app.ids import next_id
from app.privacy.viewer import Viewer
from app.snapshot_memory import LONGEST_NAME, remembered
from app.tables import data_entries, endpoints

STATEMENTS_KEPT = 256  # of those that depend on who asks

_FOUND = select(endpoints, access.IS_OPEN.label("is_open"))


@dataclass(frozen=True)
class Endpoint:
    """One row of endpoints; ``schema_text`` as it is stored. Strangers may know of one that ``is_open``."""

    id: int
    name: str
    description: str | None = None
    schema_text: str = ""
    is_active: bool = False
    is_public: bool = False
    is_open: bool = False
    created_at: str | None = None
    created_by_id: int | None = None


def find_endpoint(connection: Connection, viewer: Viewer, name: str) -> Endpoint | None:
    """Return the endpoint of this name, if the viewer may know of it."""

    def read() -> Endpoint | None:
        row = connection.execute(_of_name(viewer), {"name": name}).first()
        return endpoint_of(row) if row else None

    if len(name) > LONGEST_NAME:
        return read()
    # That someone has written to a kind (`access`) is never taken back: who writes to it knew of it before.
    return remembered(connection, ("kind", viewer, name), read, while_writing=True)


@lru_cache(maxsize=STATEMENTS_KEPT)
def _of_name(viewer: Viewer) -> Select[Any]:
    return _FOUND.where(endpoints.c.name == bindparam("name"), access.knows_kind(viewer))


def known_endpoints(connection: Connection, viewer: Viewer) -> Iterator[Endpoint]:
    """Yield the endpoints that the viewer may know of, by id."""
    query = _FOUND.where(access.knows_kind(viewer)).order_by(endpoints.c.id)
    return map(endpoint_of, connection.execute(query))


def rows_of_entries_by(connection: Connection, user_id: int) -> list[dict[str, Any]]:
    """Return the rows, as they are stored, of all kinds that a person has an entry of, by id."""
    used = select(data_entries.c.endpoint_id).where(data_entries.c.created_by_id == user_id)
    query = select(endpoints).where(endpoints.c.id.in_(used)).order_by(endpoints.c.id)
    return [dict(row._mapping) for row in connection.execute(query)]


def find_named(connection: Connection, name: str) -> Endpoint | None:
    """Return the endpoint of this name, no matter who may know of it."""
    row = connection.execute(_FOUND.where(endpoints.c.name == name)).first()
    return endpoint_of(row) if row else None


def find_of_entry(connection: Connection, entry_id: int) -> Endpoint | None:
    """Return the endpoint of an entry, deleted or not, no matter who may know of it."""
    of_entry = select(data_entries.c.endpoint_id).where(data_entries.c.id == entry_id)
    row = connection.execute(_FOUND.where(endpoints.c.id == of_entry.scalar_subquery())).first()
    return endpoint_of(row) if row else None


def endpoints_of(
    connection: Connection, endpoint_ids: Collection[int], entry_ids: Collection[int]
) -> list[Endpoint]:
    """Return these endpoints, and those of these entries, by id."""
    of_entries = select(data_entries.c.endpoint_id).where(data_entries.c.id.in_(entry_ids))
    is_it = or_(endpoints.c.id.in_(endpoint_ids), endpoints.c.id.in_(of_entries))
    return [endpoint_of(row) for row in connection.execute(_FOUND.where(is_it).order_by(endpoints.c.id))]


def find_name(connection: Connection, endpoint_id: int) -> str | None:
    """Return the name of the kind that an endpoint is for."""
    found = connection.execute(select(endpoints.c.name).where(endpoints.c.id == endpoint_id)).scalar()
    return None if found is None else str(found)


def add_endpoint(connection: Connection, row: Mapping[str, Any], created_by_id: int | None) -> int:
    """Write a row that another installation has; returns its id here."""
    endpoint_id = next_id(connection, endpoints)
    taken = ("name", "description", "schema", "is_active", "is_public", "created_at", "updated_at")
    values = {name: row.get(name) for name in taken}
    if values["schema"] is None:
        values["schema"] = "{}"
    connection.execute(insert(endpoints).values(id=endpoint_id, created_by_id=created_by_id, **values))
    return endpoint_id


def add_missing_endpoints(connection: Connection) -> tuple[str, ...]:
    """Add a public endpoint row of no one's for every kind file without one; return their names.

    Called when the server is ready.
    """
    there = set(connection.execute(select(endpoints.c.name)).scalars())
    missing = [kind for kind in kinds.built_in().values() if kind.name not in there]
    for kind in missing:
        connection.execute(
            insert(endpoints).values(
                id=next_id(connection, endpoints),
                name=kind.name,
                description=kind.description,
                schema=json.dumps(kind.schema),
                is_active=1,
                is_public=1,
                created_at=clock.stored(clock.now()),
            )
        )
    return tuple(kind.name for kind in missing)


def endpoint_of(row: Any) -> Endpoint:
    """Return the endpoint of a row that has the columns of the table and ``is_open``."""
    return Endpoint(
        id=row.id,
        name=row.name,
        description=row.description,
        schema_text=row.schema if isinstance(row.schema, str) else "",
        is_active=row.is_active == 1,
        is_public=row.is_public == 1,
        is_open=row.is_open == 1,
        created_at=row.created_at,
        created_by_id=row.created_by_id,
    )
