"""What admins see and decide of people and of their keys. Never with a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from app import clock
from app.accounts import api_keys, departure_rows, users
from app.entries.entry import LIMIT_DEFAULT, check_limit
from app.errors import NotFound
from app.web.answers import reply
from app.web.deps import ServerOf, account_of, admin_of, body_of_admin
from app.web.idempotency import carried_out_once
from app.web.json_bodies import ModelBody
from app.web.models import admin as model
from app.web.models.accounts import Account
from app.web.models.keys import MadeKey, NewKey
from app.web.models.parameters import Id, IdCursor, Limit
from app.web.operation import ADMIN, made_once, operation, read_operation, router_of
from app.web.parameters import id_in_cursor, id_of
from app.web.references import reference_to
from app.web.routes.auth import public_account
from app.web.routes.keys import as_json, made_key

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.accounts.api_keys import Key
    from app.accounts.users import User

router = router_of("admin")
PLACES = (("/api/v1/admin", ""), ("/admin", "_old"))
USERS_HINT, KEYS_HINT = "daemon user list", "daemon key list"
NewKeyOf = Annotated[NewKey, Depends(ModelBody(NewKey, body_of_admin))]
ChangedPersonOf = Annotated[model.ChangedPerson, Depends(ModelBody(model.ChangedPerson, body_of_admin))]


def list_users(
    request: Request, server: ServerOf, limit: Limit = LIMIT_DEFAULT, cursor: IdCursor = None
) -> Response:
    """List every account, by id."""
    most, after = check_limit(limit), 0 if cursor is None else id_in_cursor(cursor)
    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
        found = users.page_of_users(connection, after, most + 1)
    following = str(found[most - 1].id) if len(found) > most else None
    value = {"items": [public_account(each) for each in found[:most]], "next": following}
    return reply(request, value, is_public=False)


def get_user(request: Request, server: ServerOf, user_id: Id) -> Response:
    """Return one account."""
    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
        found = person(connection, user_id)
    return reply(request, public_account(found), is_public=False)


def change_user(request: Request, server: ServerOf, user_id: Id, body: ChangedPersonOf) -> Response:
    """Let a person in, or keep them out. What they wrote is kept, and shown to no one but admins."""
    return _let(request, server, user_id, body.is_active)


def toggle_user(request: Request, server: ServerOf, user_id: Id) -> Response:
    """Let a person in who was kept out, or the other way round."""
    return _let(request, server, user_id, None)


def list_keys(
    request: Request, server: ServerOf, limit: Limit = LIMIT_DEFAULT, cursor: IdCursor = None
) -> Response:
    """List everyone's keys that are not revoked, without their texts, oldest first."""
    most, after = check_limit(limit), 0 if cursor is None else id_in_cursor(cursor)
    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
        found = api_keys.list_keys(connection, after_id=after, most=most + 1)
    following = str(found[most - 1].id) if len(found) > most else None
    return reply(
        request, {"items": [_key(each) for each in found[:most]], "next": following}, is_public=False
    )


def create_key(request: Request, server: ServerOf, body: NewKeyOf) -> Response:
    """Make a key of one's own. Its text, ``key``, is told in this answer only."""
    with carried_out_once(request, server) as once, server.supervisor.writing() as connection:
        admin_of(request, server, connection)
        user, actor = account_of(request, server, connection)
        if (kept := once.kept(connection, user.id)) is not None:
            return kept
        made = made_key(connection, user, actor, body)
        location = {"Location": reference_to(request.scope, f"/auth/keys/{made['id']}")}
        answer = reply(request, made, is_public=False, status=201, headers=location)
        return once.keep(connection, user.id, answer)


def revoke_key(request: Request, server: ServerOf, key_id: Id) -> Response:
    """End anyone's key for good."""
    with server.supervisor.writing() as connection:
        actor = admin_of(request, server, connection)
        found = api_keys.get_key(connection, id_of(key_id, hint=KEYS_HINT))
        if not found.is_active:
            raise NotFound(f"There is no key {key_id}.", hint=KEYS_HINT)
        api_keys.revoke_key(connection, found, clock.now(), actor)
    return Response(None, 204, {"Cache-Control": "no-store"})


for at, old in PLACES:
    is_old = bool(old)
    router.get(
        f"{at}/users",
        **read_operation(f"admin_users{old}", model.AccountPage, who=ADMIN),
        deprecated=is_old,
    )(list_users)
    router.get(
        f"{at}/api-keys",
        **read_operation(f"admin_keys{old}", model.KeyOfAnybodyPage, who=ADMIN),
        deprecated=is_old,
    )(list_keys)
    router.post(
        f"{at}/api-keys",
        **made_once(operation(f"admin_key_create{old}", MadeKey, 409, who=ADMIN, status=201)),
        deprecated=is_old,
    )(create_key)
    router.delete(
        f"{at}/api-keys/{{key_id}}",
        **operation(f"admin_key_revoke{old}", None, 404, who=ADMIN, status=204),
        deprecated=is_old,
    )(revoke_key)

router.get("/api/v1/admin/users/{user_id}", **read_operation("admin_user", Account, 404, who=ADMIN))(get_user)
router.patch("/api/v1/admin/users/{user_id}", **operation("admin_user_change", Account, 404, 409, who=ADMIN))(
    change_user
)
router.put(
    "/admin/users/{user_id}/toggle",
    **operation("admin_user_toggle_old", Account, 404, 409, who=ADMIN),
    deprecated=True,
)(toggle_user)


def _let(request: Request, server: ServerOf, user_id: str, is_active: bool | None) -> Response:
    with server.supervisor.writing() as connection:
        actor = admin_of(request, server, connection)
        found = person(connection, user_id)
        wanted = not found.is_active if is_active is None else is_active
        if wanted != found.is_active or departure_rows.find(connection, found.id) is not None:
            users.set_active(connection, found.username, wanted, clock.now(), actor)
        changed = person(connection, user_id)
    return reply(request, public_account(changed), is_public=False)


def person(connection: Connection, user_id: str) -> User:
    """Return the account that a path names; raises NotFound."""
    found = users.find_user_by_id(connection, id_of(user_id, hint=USERS_HINT))
    if found is None:
        raise NotFound(f"There is no account {user_id}.", hint=USERS_HINT)
    return found


def _key(key: Key) -> dict[str, object]:
    return {**as_json(key), "user_id": key.user_id, "owner": key.owner}
