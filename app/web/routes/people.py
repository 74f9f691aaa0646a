"""What admins decide about people: roles, invitations, links to another password. Never with a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from app import clock
from app.accounts import one_time_links, second_factor, users
from app.errors import NotFound
from app.web.answers import reply
from app.web.deps import ServerOf, admin_of, body_of_confirmed_admin, confirmed_admin_of
from app.web.idempotency import carried_out_once
from app.web.json_bodies import ModelBody
from app.web.models.accounts import (
    Account,
    ChangedRole,
    InvitationPage,
    MadeInvitation,
    NewInvitation,
    PasswordLink,
)
from app.web.models.parameters import Id
from app.web.operation import ADMIN, made_once, operation, read_operation, router_of
from app.web.parameters import id_of
from app.web.references import reference_to
from app.web.routes.auth import public_account

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.accounts.one_time_links import Link
    from app.accounts.users import Role, User

router = router_of("admin", "/api/v1/admin")
old_router = router_of("admin", "/admin")
HINT = "daemon user list"

ChangedRoleOf = Annotated[ChangedRole, Depends(ModelBody(ChangedRole, body_of_confirmed_admin))]

NewInvitationOf = Annotated[NewInvitation, Depends(ModelBody(NewInvitation, body_of_confirmed_admin))]


@router.put("/users/{user_id}/role", **operation("user_role", Account, 404, 409, who=ADMIN))
def set_role(request: Request, server: ServerOf, user_id: Id, body: ChangedRoleOf) -> Response:
    """Make a person an admin, a member or a reader. Asks for the password again."""
    with server.supervisor.writing() as connection:
        actor = confirmed_admin_of(request, server, connection)
        found = _person(connection, user_id)
        users.set_role(connection, found, users.role_named(body.role), clock.now(), actor)
        changed = _person(connection, user_id)
    return reply(request, public_account(changed), is_public=False)


@old_router.put(
    "/users/{user_id}/admin",
    **operation("user_admin_toggle_old", Account, 404, 409, who=ADMIN),
    deprecated=True,
)
def toggle_admin(request: Request, server: ServerOf, user_id: Id) -> Response:
    """Make a person an admin who is none, or an admin a member. Asks for the password again."""
    with server.supervisor.writing() as connection:
        actor = confirmed_admin_of(request, server, connection)
        found = _person(connection, user_id)
        wanted: Role = "member" if found.is_admin else "admin"
        users.set_role(connection, found, wanted, clock.now(), actor)
        changed = _person(connection, user_id)
    return reply(request, public_account(changed), is_public=False)


@router.post(
    "/users/{user_id}/password-link",
    **made_once(operation("user_password_link", PasswordLink, 404, 409, who=ADMIN, status=201)),
)
def offer_password(request: Request, server: ServerOf, user_id: Id) -> Response:
    """Make a link of one use with which a person chooses another password. Asks for the password again."""
    with carried_out_once(request, server) as once, server.supervisor.writing() as connection:
        actor = confirmed_admin_of(request, server, connection)
        if (kept := once.kept(connection, actor.user_id)) is not None:
            return kept
        found = _person(connection, user_id)
        made, text = one_time_links.offer_password(connection, found, clock.now(), actor)
        value = {"username": found.username, "expires_at": clock.rfc3339(made.expires_at)}
        answer = reply(request, {**value, **_told(request, text)}, is_public=False, status=201)
        return once.keep(connection, actor.user_id, answer)


@router.get("/invitations", **read_operation("invitations_list", InvitationPage, who=ADMIN))
def list_invitations(request: Request, server: ServerOf) -> Response:
    """List the invitations that have not been used and are not over."""
    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
        found = one_time_links.list_invitations(connection, clock.now())
    return reply(request, {"items": [_as_json(each) for each in found], "next": None}, is_public=False)


@router.post(
    "/invitations",
    **made_once(operation("invitations_create", MadeInvitation, 409, who=ADMIN, status=201)),
)
def invite(request: Request, server: ServerOf, body: NewInvitationOf) -> Response:
    """Invite someone, as what `role` says. Asks for the password again."""
    with carried_out_once(request, server) as once, server.supervisor.writing() as connection:
        actor = confirmed_admin_of(request, server, connection)
        if (kept := once.kept(connection, actor.user_id)) is not None:
            return kept
        made, text = one_time_links.invite(
            connection, users.role_named(body.role), body.days, body.label, clock.now(), actor
        )
        headers = {"Location": f"invitations/{made.id}"}
        value = {**_as_json(made), **_told(request, text)}
        answer = reply(request, value, is_public=False, status=201, headers=headers)
        return once.keep(connection, actor.user_id, answer)


@router.delete(
    "/invitations/{invitation_id}", **operation("invitations_end", None, 404, who=ADMIN, status=204)
)
def withdraw(request: Request, server: ServerOf, invitation_id: Id) -> Response:
    """End an invitation that has not been used."""
    with server.supervisor.writing() as connection:
        actor = admin_of(request, server, connection)
        found = one_time_links.get_invitation(
            connection, id_of(invitation_id, hint="daemon user invitations")
        )
        one_time_links.withdraw(connection, found, clock.now(), actor)
    return Response(None, 204, {"Cache-Control": "no-store"})


@router.delete(
    "/users/{user_id}/second-factor", **operation("user_second_factor_off", None, 404, who=ADMIN, status=204)
)
def turn_off_second_factor(request: Request, server: ServerOf, user_id: Id) -> Response:
    """Ask a person who has lost the second factor for the password alone. Asks for one's own again."""
    with server.supervisor.writing() as connection:
        actor = confirmed_admin_of(request, server, connection)
        second_factor.turn_off(connection, _person(connection, user_id), clock.now(), actor)
    return Response(None, 204, {"Cache-Control": "no-store"})


def _told(request: Request, text: str) -> dict[str, object]:
    """Return the text of a link; the address is relative: no word of a request says where people look."""
    return {"token": text, "link": f"{reference_to(request.scope, '/auth/link')}#{text}"}


def _as_json(found: Link) -> dict[str, object]:
    return {
        "id": found.id,
        "role": found.role,
        "label": found.label,
        "created_by_id": found.created_by_id,
        "created_at": clock.rfc3339(found.created_at),
        "expires_at": clock.rfc3339(found.expires_at),
    }


def _person(connection: Connection, user_id: str) -> User:
    found = users.find_user_by_id(connection, id_of(user_id, hint=HINT))
    if found is None:
        raise NotFound(f"There is no account {user_id}.", hint=HINT)
    return found
