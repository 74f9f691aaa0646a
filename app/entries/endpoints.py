"""Endpoint rows. Which kinds of entries are there, and of which may a viewer know? One row each.

A kind is the installation's, or a person's own. Names of own kinds are unique for their person: the column
``name``, which is unique for all, is then ``short_name@user_id``. A name means the own kind of whose entries
are asked for, before the installation's: a kind that was there first stays where it was.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from app import clock
from app.accounts.people import find_default_person
from app.entries import access, kinds
from app.ids import new_id, next_id
from app.privacy.viewer import Viewer
from app.snapshot_memory import LONGEST_NAME, remembered
from app.tables import data_entries, endpoints

STATEMENTS_KEPT = 256  # of those that depend on who asks

_FOUND = select(endpoints, access.IS_OPEN.label("is_open"))


NO_ONE = 0  # whose own kinds there are none
SECOND_ADDRESS = "~"
"""Before a name: the kind of that name, also where the address without is another one's (docs/api.md)."""


@dataclass(frozen=True)
class Endpoint:
    """One row of endpoints; ``schema_text`` as it is stored. Strangers may know of one that ``is_open``.

    ``name`` is what people call it. ``user_id`` is whose own kind it is, None for the installation's.
    """

    id: int
    name: str
    description: str | None = None
    schema_text: str = ""
    is_active: bool = False
    is_public: bool = False
    is_open: bool = False
    created_at: str | None = None
    created_by_id: int | None = None
    user_id: int | None = None
    is_built_in: bool = False
    title: str | None = None
    default_visibility: str | None = None
    example_text: str | None = None
    schema_version: int | None = None

    @property
    def own_schema(self) -> str | None:
        """The schema of its row; None for a built-in kind, whose file goes before that."""
        return None if self.is_built_in else self.schema_text

    @property
    def is_checked(self) -> bool:
        """Whether what is written to it must fit the schema of its row."""
        return self.schema_version is not None and not self.is_built_in


def default_of(row: Any) -> str | None:
    """Return the visibility of an entry that says none, where its kind is public; None: what that is.

    ``row`` is an endpoint, or has the columns name, user_id, is_shipped and default_visibility.
    """
    is_built_in = row.is_built_in if isinstance(row, Endpoint) else _is_built_in(row)
    return kinds.built_in()[row.name].default_visibility if is_built_in else row.default_visibility


def _is_built_in(row: Any) -> bool:
    return row.user_id is None and kinds.is_built_in(row.name, is_shipped=row.is_shipped == 1)


def find_endpoint(
    connection: Connection, viewer: Viewer, name: str, whose: int | None = None
) -> Endpoint | None:
    """Return the endpoint that a name means, if the viewer may know of it.

    ``whose`` own kinds count; None means the viewer's, for strangers those of the default person.
    """

    def read() -> Endpoint | None:
        person_id = _default_whose(connection, viewer) if whose is None else whose
        found = _first(connection, viewer, name, person_id)
        if found is None and name.startswith(SECOND_ADDRESS):
            found = _first(connection, viewer, name.removeprefix(SECOND_ADDRESS), person_id)
        return found

    if len(name) > LONGEST_NAME:
        return read()
    # That someone has written to a kind (`access`) is never taken back: who writes to it knew of it before.
    key = ("kind", viewer, name) if whose is None else ("kind", viewer, name, whose)
    return remembered(connection, key, read, while_writing=True)


def find_endpoint_of_entry(
    connection: Connection, viewer: Viewer, name: str, entry_id: int
) -> Endpoint | None:
    """Return the own kind of this name that an entry is of, if the viewer may know of it."""
    short = name.removeprefix(SECOND_ADDRESS)
    row = connection.execute(_of_entry(viewer), {"name": short, "entry_id": entry_id}).first()
    return endpoint_of(row) if row else None


def _default_whose(connection: Connection, viewer: Viewer) -> int:
    if viewer.user_id is not None:
        return viewer.user_id
    person = find_default_person(connection)
    return NO_ONE if person is None else person.id


def _first(connection: Connection, viewer: Viewer, name: str, user_id: int) -> Endpoint | None:
    rows = connection.execute(_of_name(viewer), {"name": name, "user_id": user_id}).all()
    return own_first(rows)


def own_first(rows: Iterable[Any]) -> Endpoint | None:
    """Return the own kind among the rows that a name means, or else the installation's."""
    found = sorted(rows, key=lambda row: row.user_id is None)
    return endpoint_of(found[0]) if found else None


def is_named(name: ColumnElement[str], user_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that a row is what a name means where the own kinds of a person count."""
    kind = endpoints.c
    is_shared = and_(kind.name == name, kind.user_id.is_(None))
    return or_(is_shared, and_(kind.short_name == name, kind.user_id == user_id))


@lru_cache(maxsize=STATEMENTS_KEPT)
def _of_name(viewer: Viewer) -> Select[Any]:
    is_it = is_named(bindparam("name"), bindparam("user_id", type_=Integer))
    return _FOUND.where(is_it, access.knows_kind(viewer))


@lru_cache(maxsize=STATEMENTS_KEPT)
def _of_entry(viewer: Viewer) -> Select[Any]:
    of_entry = select(data_entries.c.endpoint_id).where(data_entries.c.id == bindparam("entry_id"))
    is_it = and_(endpoints.c.id == of_entry.scalar_subquery(), endpoints.c.short_name == bindparam("name"))
    return _FOUND.where(is_it, access.knows_kind(viewer))


def known_endpoints(connection: Connection, viewer: Viewer) -> Iterator[Endpoint]:
    """Yield the installation's endpoints that the viewer may know of, and then the viewer's own, by id.

    For strangers the own ones are those of the default person, as an address without a name means theirs.
    """
    mine = endpoints.c.user_id == _default_whose(connection, viewer)
    query = _FOUND.where(access.knows_kind(viewer), or_(endpoints.c.user_id.is_(None), mine))
    in_order = query.order_by(endpoints.c.user_id.is_not(None), endpoints.c.id)
    return map(endpoint_of, connection.execute(in_order))


def own_endpoints(connection: Connection, user_id: int) -> list[Endpoint]:
    """Return the own kinds of a person, by id."""
    query = _FOUND.where(endpoints.c.user_id == user_id).order_by(endpoints.c.id)
    return [endpoint_of(row) for row in connection.execute(query)]


def find_own(connection: Connection, user_id: int, name: str) -> Endpoint | None:
    """Return a person's own kind of this name, in use or not."""
    is_it = and_(endpoints.c.user_id == user_id, endpoints.c.short_name == name)
    row = connection.execute(_FOUND.where(is_it)).first()
    return endpoint_of(row) if row else None


def count_own(connection: Connection, user_id: int) -> int:
    """Return how many kinds of their own a person has."""
    query = select(func.count()).select_from(endpoints).where(endpoints.c.user_id == user_id)
    return int(connection.execute(query).scalar_one())


def rows_of_entries_by(connection: Connection, user_id: int) -> list[dict[str, Any]]:
    """Return the rows, as they are stored, of a person's own kinds and those they have an entry of, by id.

    ``name`` is what people call it.
    """
    used = select(data_entries.c.endpoint_id).where(data_entries.c.created_by_id == user_id)
    theirs = or_(endpoints.c.id.in_(used), endpoints.c.user_id == user_id)
    query = select(endpoints).where(theirs).order_by(endpoints.c.id)
    rows = (dict(row._mapping) for row in connection.execute(query))
    return [row | {"name": row["short_name"] or row["name"]} for row in rows]


def find_named(connection: Connection, name: str) -> Endpoint | None:
    """Return the installation's endpoint of this name, no matter who may know of it."""
    is_it = and_(endpoints.c.name == name, endpoints.c.user_id.is_(None))
    row = connection.execute(_FOUND.where(is_it)).first()
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


def find_by_id(connection: Connection, endpoint_id: int) -> Endpoint | None:
    """Return an endpoint, no matter who may know of it."""
    row = connection.execute(_FOUND.where(endpoints.c.id == endpoint_id)).first()
    return endpoint_of(row) if row else None


NAME = func.coalesce(endpoints.c.short_name, endpoints.c.name)
"""What people call a kind, for a query."""


def find_name(connection: Connection, endpoint_id: int) -> str | None:
    """Return the name of the kind that an endpoint is for."""
    found = connection.execute(select(NAME).where(endpoints.c.id == endpoint_id)).scalar()
    return None if found is None else str(found)


def add_endpoint(connection: Connection, row: Mapping[str, Any], created_by_id: int | None) -> int:
    """Write a row of the installation's that another installation has; returns its id here."""
    endpoint_id = next_id(connection, endpoints)
    taken = ("name", "description", "schema", "is_active", "is_public", "created_at", "updated_at")
    values = {name: row.get(name) for name in taken}
    if values["schema"] is None:
        values["schema"] = "{}"
    connection.execute(insert(endpoints).values(id=endpoint_id, created_by_id=created_by_id, **values))
    return endpoint_id


def add_own_endpoint(connection: Connection, user_id: int, name: str, **values: object) -> int:
    """Write the row of a kind of a person's own; returns its id, which tells nothing of others' kinds."""
    endpoint_id = new_id(connection, endpoints)
    row = {"name": key_of(name, user_id), "short_name": name, "user_id": user_id, "created_by_id": user_id}
    connection.execute(insert(endpoints).values(id=endpoint_id, **row, **values))
    return endpoint_id


def change_endpoint(connection: Connection, endpoint_id: int, values: Mapping[str, object]) -> None:
    """Write new values of an endpoint's columns."""
    connection.execute(update(endpoints).where(endpoints.c.id == endpoint_id).values(dict(values)))


def remove_endpoint(connection: Connection, endpoint_id: int) -> None:
    """Delete the row of an endpoint, which no entry may name."""
    connection.execute(delete(endpoints).where(endpoints.c.id == endpoint_id))


def key_of(name: str, user_id: int) -> str:
    """Return what stands in the column ``name`` of a person's own kind."""
    return f"{name}@{user_id}"


def add_missing_endpoints(connection: Connection) -> tuple[str, ...]:
    """Add a public endpoint row of no one's for every kind file without one; return their names.

    Called when the server is ready.
    """
    there = set(connection.execute(select(endpoints.c.name)).scalars())
    missing = [kind for kind in kinds.built_in().values() if kind.name not in there]
    if missing:
        connection.execute(insert(endpoints), [_row_of(connection, kind) for kind in missing])
    return tuple(kind.name for kind in missing)


def _row_of(connection: Connection, kind: kinds.Kind) -> dict[str, object]:
    return {
        "id": next_id(connection, endpoints),
        "name": kind.name,
        "description": kind.description,
        "schema": "{}" if kind.since else json.dumps(kind.schema),  # the file goes before it
        "is_active": 1,
        "is_public": 1,
        "is_shipped": 1,
        "created_at": clock.stored(clock.now()),
    }


def endpoint_of(row: Any) -> Endpoint:
    """Return the endpoint of a row that has the columns of the table and ``is_open``."""
    return Endpoint(
        id=row.id,
        name=row.short_name or row.name,
        description=row.description,
        schema_text=row.schema if isinstance(row.schema, str) else "",
        is_active=row.is_active == 1,
        is_public=row.is_public == 1,
        is_open=row.is_open == 1,
        created_at=row.created_at,
        created_by_id=row.created_by_id,
        user_id=row.user_id,
        is_built_in=_is_built_in(row),
        title=row.title,
        default_visibility=row.default_visibility,
        example_text=row.example,
        schema_version=row.schema_version,
    )
