"""One's own API keys: list, make, change and revoke. Never with a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from app import clock
from app.accounts import api_keys
from app.accounts.api_keys import Key, NewKey
from app.accounts.key_scope import new_scope
from app.entries.key_kinds import check_scope
from app.errors import NotFound
from app.privacy.viewer import Viewer
from app.web.answers import reply
from app.web.deps import ServerOf, account_of, body_of_account
from app.web.idempotency import carried_out_once
from app.web.json_bodies import ModelBody
from app.web.models import keys as model
from app.web.models.parameters import Id, IdCursor
from app.web.operation import ACCOUNT, made_once, operation, read_operation, router_of
from app.web.parameters import id_in_cursor, id_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.accounts.audit import Actor
    from app.accounts.users import User

router = router_of("accounts", "/auth/keys")
ITEMS = 100
HINT = "GET /auth/keys lists your keys."

NewKeyOf = Annotated[model.NewKey, Depends(ModelBody(model.NewKey, body_of_account))]
ChangedKeyOf = Annotated[model.ChangedKey, Depends(ModelBody(model.ChangedKey, body_of_account))]


@router.get("", **read_operation("keys_list", model.KeyPage, who=ACCOUNT))
def list_keys(request: Request, server: ServerOf, cursor: IdCursor = None) -> Response:
    """List one's own keys that are not revoked."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        after_id = 0 if cursor is None else id_in_cursor(cursor)
        found = api_keys.list_keys(connection, user.id, after_id=after_id, most=ITEMS + 1)
    following = str(found[ITEMS - 1].id) if len(found) > ITEMS else None
    value = {"items": [as_json(each) for each in found[:ITEMS]], "next": following}
    return reply(request, value, is_public=False)


@router.post("", **made_once(operation("keys_create", model.MadeKey, 409, who=ACCOUNT, status=201)))
def create_key(request: Request, server: ServerOf, body: NewKeyOf) -> Response:
    """Make a key. Its text, ``key``, is told in this answer only."""
    with carried_out_once(request, server) as once, server.supervisor.writing() as connection:
        user, actor = account_of(request, server, connection)
        if (kept := once.kept(connection, user.id)) is not None:
            return kept
        made = made_key(connection, user, actor, body)
        location = {"Location": f"keys/{made['id']}"}  # beside the address of the list
        answer = reply(request, made, is_public=False, status=201, headers=location)
        return once.keep(connection, user.id, answer)


def made_key(connection: Connection, user: User, actor: Actor, body: model.NewKey) -> dict[str, object]:
    """Make a key of that person's; return what they are told of it, with its text."""
    can_write = body.can_write if "can_write" in body.model_fields_set else None
    scope = new_scope(can_write=can_write, verbs=body.verbs, kinds=body.kinds, level=body.privacy_level)
    check_scope(connection, Viewer("person", user.id, user.username), scope)
    new = NewKey(body.name, scope, body.expires_at)
    made, text = api_keys.make_key(connection, user, new, clock.now(), actor)
    return {**as_json(made), "key": text}


@router.get("/{key_id}", **read_operation("keys_get", model.Key, 404, who=ACCOUNT))
def get_key(request: Request, server: ServerOf, key_id: Id) -> Response:
    """Return one of one's own keys, without its text."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        found = _own_key(connection, key_id, user.id)
    return reply(request, as_json(found), is_public=False)


@router.patch("/{key_id}", **operation("keys_change", model.Key, 404, 409, who=ACCOUNT))
def change_key(request: Request, server: ServerOf, key_id: Id, body: ChangedKeyOf) -> Response:
    """Let a key write, or read only."""
    with server.supervisor.writing() as connection:
        user, actor = account_of(request, server, connection)
        found = _own_key(connection, key_id, user.id)
        if body.can_write not in (None, found.scope.can_write):
            found = api_keys.let_write(connection, found, body.can_write, clock.now(), actor)
    return reply(request, as_json(found), is_public=False)


@router.delete("/{key_id}", **operation("keys_revoke", None, 404, who=ACCOUNT, status=204))
def revoke_key(request: Request, server: ServerOf, key_id: Id) -> Response:
    """End a key for good."""
    with server.supervisor.writing() as connection:
        user, actor = account_of(request, server, connection)
        found = _own_key(connection, key_id, user.id)
        api_keys.revoke_key(connection, found, clock.now(), actor)
    return Response(None, 204, {"Cache-Control": "no-store"})


def _own_key(connection: Connection, key_id: str, user_id: int) -> Key:
    """Return a key of the person; raises NotFound for one that is revoked, as for one that never was."""
    found = api_keys.get_key(connection, id_of(key_id, hint=HINT), user_id)
    if not found.is_active:
        raise NotFound(f"There is no key {key_id}.", hint=HINT)
    return found


def as_json(key: Key) -> dict[str, object]:
    """Return what a person is told of a key of theirs."""
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        **key.scope.as_json(),
        "is_active": key.is_active,
        "expires_at": _moment(key.expires_at),
        "last_used": _moment(key.last_used),
        "created_at": _moment(key.created_at),
    }


def _moment(stored: object) -> str | None:
    return clock.rfc3339(stored) if isinstance(stored, str) else None
