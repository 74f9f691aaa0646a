"""One's own API keys: list, make, change and revoke. Never with a key."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from app import clock
from app.accounts import api_keys
from app.accounts.api_keys import Key, NewKey
from app.entries.entry import invalid
from app.errors import NotFound, UsageError
from app.web.answers import reply
from app.web.bodies import check_is_json, parse_object, text_member
from app.web.deps import ServerOf, account_of, body_of_account

if TYPE_CHECKING:
    from sqlalchemy import Connection

router = APIRouter(prefix="/auth/keys", tags=["accounts"])
ITEMS = 100
LARGEST_ID = 2**63 - 1
NEW_MEMBERS = frozenset({"name", "can_write", "expires_at"})
CHANGED_MEMBERS = frozenset({"can_write"})
_ID = re.compile(r"[1-9][0-9]{0,18}")


async def _body(request: Request, server: ServerOf) -> bytes:
    """Return the body, once it is known that the caller has logged in."""
    return await body_of_account(request, server)


Body = Annotated[bytes, Depends(_body)]
Cursor = Annotated[str | None, Query(description="The `next` of the page before.")]


@router.get("", operation_id="keys_list")
def list_keys(request: Request, server: ServerOf, cursor: Cursor = None) -> Response:
    """List one's own keys that are not revoked."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        after_id = 0 if cursor is None else id_in_cursor(cursor)
        found = api_keys.list_keys(connection, user.id, after_id=after_id, most=ITEMS + 1)
    following = str(found[ITEMS - 1].id) if len(found) > ITEMS else None
    value = {"items": [as_json(each) for each in found[:ITEMS]], "next": following}
    return reply(request, value, is_public=False)


@router.post("", operation_id="keys_create", status_code=201)
def create_key(request: Request, server: ServerOf, body: Body) -> Response:
    """Make a key. Its text, ``key``, is told in this answer only."""
    check_is_json(request)
    new = _new_key(parse_object(body))
    with server.supervisor.writing() as connection:
        user, actor = account_of(request, server, connection)
        made, text = api_keys.make_key(connection, user, new, clock.now(), actor)
    location = {"Location": f"keys/{made.id}"}  # beside the address of the list
    return reply(request, {**as_json(made), "key": text}, is_public=False, status=201, headers=location)


@router.get("/{key_id}", operation_id="keys_get")
def get_key(request: Request, server: ServerOf, key_id: str) -> Response:
    """Return one of one's own keys, without its text."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        found = _own_key(connection, key_id, user.id)
    return reply(request, as_json(found), is_public=False)


@router.patch("/{key_id}", operation_id="keys_change")
def change_key(request: Request, server: ServerOf, key_id: str, body: Body) -> Response:
    """Let a key write, or read only."""
    check_is_json(request)
    wanted = parse_object(body)
    _refuse_unknown(wanted, CHANGED_MEMBERS)
    with server.supervisor.writing() as connection:
        user, actor = account_of(request, server, connection)
        found = _own_key(connection, key_id, user.id)
        can_write = _flag(wanted, "can_write", found.can_write)
        if can_write != found.can_write:
            found = api_keys.let_write(connection, found, can_write, clock.now(), actor)
    return reply(request, as_json(found), is_public=False)


@router.delete("/{key_id}", operation_id="keys_revoke", status_code=204)
def revoke_key(request: Request, server: ServerOf, key_id: str) -> Response:
    """End a key for good."""
    with server.supervisor.writing() as connection:
        user, actor = account_of(request, server, connection)
        found = _own_key(connection, key_id, user.id)
        api_keys.revoke_key(connection, found, clock.now(), actor)
    return Response(None, 204, {"Cache-Control": "no-store"})


def _own_key(connection: Connection, key_id: str, user_id: int) -> Key:
    """Return a key of the person; raises NotFound for one that is revoked, as for one that never was."""
    found = api_keys.get_key(connection, _id_of(key_id), user_id)
    if not found.is_active:
        raise NotFound(f"There is no key {key_id}.", hint="GET /auth/keys lists your keys.")
    return found


def as_json(key: Key) -> dict[str, object]:
    """Return what a person is told of a key of theirs."""
    return {
        "id": key.id,
        "name": key.name,
        "can_write": key.can_write,
        "is_active": key.is_active,
        "expires_at": _moment(key.expires_at),
        "last_used": _moment(key.last_used),
        "created_at": _moment(key.created_at),
    }


def _moment(stored: object) -> str | None:
    return clock.rfc3339(stored) if isinstance(stored, str) else None


def _id_of(text: str) -> int:
    if not _ID.fullmatch(text) or int(text) > LARGEST_ID:
        raise NotFound("There is nothing at this address.", hint="GET /auth/keys lists your keys.")
    return int(text)


def id_in_cursor(text: str) -> int:
    """Return the id at which a list goes on; raises UsageError."""
    if not _ID.fullmatch(text) or int(text) > LARGEST_ID:
        raise UsageError("The cursor is not one of this list.", hint="Send the `next` of the page before.")
    return int(text)


def _new_key(wanted: dict[str, object]) -> NewKey:
    _refuse_unknown(wanted, NEW_MEMBERS)
    ends = wanted.get("expires_at")
    moment = clock.parse_stored(ends)
    if ends is not None and (moment is None or not _has_zone(str(ends))):
        raise invalid("/expires_at", "a moment with its zone is needed here, as 2030-01-31T12:00:00Z")
    return NewKey(text_member(wanted, "name"), _flag(wanted, "can_write", False), moment)


def _has_zone(text: str) -> bool:
    return datetime.fromisoformat(text.strip()).tzinfo is not None


def _flag(wanted: dict[str, object], name: str, otherwise: bool) -> bool:
    value = wanted.get(name, otherwise)
    if not isinstance(value, bool):
        raise invalid(f"/{name}", "true or false is needed here")
    return value


def _refuse_unknown(wanted: dict[str, object], known: frozenset[str]) -> None:
    unknown = sorted(set(wanted) - known)
    if unknown:
        raise invalid(f"/{unknown[0]}", "this member is not known here")
