"""Kinds of the installation and of everyone (endpoints). What does an admin see of them, and decide?

A kind that is taken out of use keeps its entries: no stranger is shown them, and no one writes any, until it
is in use again. One that has entries, deleted ones too, is not removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from app import clock
from app.accounts import audit
from app.accounts.audit import COMMAND_LINE, Actor
from app.accounts.people import PEOPLE
from app.entries import endpoints as kinds
from app.entries import store
from app.entries.endpoints import Endpoint
from app.errors import Conflict, NotFound
from app.tables import endpoints, kind_versions

HINT = "GET /api/v1/admin/endpoints lists them; on the machine: daemon kind all"


def list_all(connection: Connection, after_id: int, most: int) -> list[dict[str, Any]]:
    """Return kinds by id, at most so many, with whose own each is; None: the installation's."""
    row, person = endpoints.c, PEOPLE.c
    query = (
        select(*row, row.is_public.label("is_open"), person.username.label("owner"))
        .select_from(endpoints.outerjoin(PEOPLE, person.id == row.user_id))
        .where(row.id > after_id)
        .order_by(row.id)
        .limit(most)
    )
    return [_view(found) for found in connection.execute(query)]


def get_one(connection: Connection, endpoint_id: int) -> dict[str, Any]:
    """Return one of them; raises NotFound."""
    found = list_all(connection, endpoint_id - 1, 1)
    if not found or found[0]["id"] != endpoint_id:
        raise NotFound(f"There is no kind {endpoint_id}.", hint=HINT)
    return found[0]


def set_active(
    connection: Connection, endpoint_id: int, is_active: bool | None, actor: Actor = COMMAND_LINE
) -> dict[str, Any]:
    """Put a kind in use or take it out; None: the other way round. Raises NotFound.

    Writes endpoints and audit_logs; of someone else's own kind the owner is told.
    """
    found = _found(connection, endpoint_id)
    wanted = not found.is_active if is_active is None else is_active
    if wanted != found.is_active:
        values = {"is_active": int(wanted), "updated_at": clock.stored(clock.now())}
        kinds.change_endpoint(connection, found.id, values)
        _note(connection, audit.UPDATE, found, actor, {"name": found.name, "is_active": wanted})
    return get_one(connection, endpoint_id)


def remove(connection: Connection, endpoint_id: int, actor: Actor = COMMAND_LINE) -> None:
    """Remove a kind of someone's own, or one that an older server made, of which there is no entry.

    Raises NotFound, and Conflict for one that comes with Daemon or has entries. Writes endpoints,
    kind_versions and audit_logs; the owner is told.
    """
    found = _found(connection, endpoint_id)
    if found.is_built_in:
        raise Conflict(f"{found.name} comes with Daemon, and stays.", hint="Take it out of use.")
    if store.has_entries(connection, found.id):
        raise Conflict(
            f"There are entries of {found.name}, deleted ones perhaps: nothing was removed.",
            hint="Take it out of use, or erase them first.",
        )
    connection.execute(delete(kind_versions).where(kind_versions.c.endpoint_id == found.id))
    kinds.remove_endpoint(connection, found.id)
    _note(connection, audit.DELETE, found, actor, {"name": found.name})


def _found(connection: Connection, endpoint_id: int) -> Endpoint:
    found = kinds.find_by_id(connection, endpoint_id)
    if found is None:
        raise NotFound(f"There is no kind {endpoint_id}.", hint=HINT)
    return found


def _note(
    connection: Connection, action: str, found: Endpoint, actor: Actor, said: dict[str, object]
) -> None:
    now = clock.now()
    audit.record(connection, action, "endpoints", found.id, now=now, new_values=said, **vars(actor))
    if found.user_id is None or found.user_id == actor.user_id:
        return
    told = {**said, "did": action}
    audit.record(
        connection, audit.ADMIN_CHANGE, "users", found.user_id, now=now, new_values=told, **vars(actor)
    )


def _view(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    found = kinds.endpoint_of(row)
    return {
        "id": found.id,
        "name": found.name,
        "owner": row.owner,
        "title": found.title,
        "description": found.description,
        "is_active": found.is_active,
        "is_public": found.is_public,
        "is_built_in": found.is_built_in,
        "created_at": None if found.created_at is None else clock.rfc3339(found.created_at),
    }


def as_rows(found: Sequence[dict[str, Any]]) -> list[tuple[object, ...]]:
    """Return them as a table's rows: id, name, whose, in use, public."""
    words = {True: "yes", False: "no"}
    return [
        (one["id"], one["name"], one["owner"] or "-", words[one["is_active"]], words[one["is_public"]])
        for one in found
    ]
