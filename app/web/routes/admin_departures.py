"""Removing a person, as an admin: what the command `daemon user erase` does. Never with a key."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from app import clock
from app.accounts import departures, users
from app.entries.entry import invalid
from app.typed_commands import in_answer
from app.web.answers import reply
from app.web.deps import ServerOf, body_of_confirmed_admin, confirmed_admin_of
from app.web.json_bodies import ModelBody
from app.web.models import accounts
from app.web.models.parameters import Id
from app.web.operation import ADMIN, operation, router_of
from app.web.routes.admin_people import person
from app.web.routes.me import leaving_view

router = router_of("admin", "/api/v1/admin")
RemoveOf = Annotated[accounts.Remove, Depends(ModelBody(accounts.Remove, body_of_confirmed_admin))]


@router.post(
    "/users/{user_id}/departure",
    **operation("admin_user_remove", accounts.Leaving, 404, 409, who=ADMIN, status=202),
)
def remove(request: Request, server: ServerOf, user_id: Id, body: RemoveOf) -> Response:
    """Remove a person: at once kept out and out of sight, and erased in seven days, or now.

    ``username`` is theirs, said again: it is meant. Asks for the password again.
    """
    with server.supervisor.writing() as connection:
        actor = confirmed_admin_of(request, server, connection)
        found = person(connection, user_id)
        if body.username != found.username:
            raise invalid("/username", f"the name of account {found.id} is needed here: it is another")
        now = clock.now()
        users.set_active(connection, found.username, False, now, actor)  # so they cannot undo it themselves
        kept_out = person(connection, user_id)
        left = departures.leave(connection, kept_out, now, at_once=body.now, actor=actor)
        line = departures.line_of(connection, left)
    undo = in_answer("On the machine: daemon user keep NAME")
    value = leaving_view(server, left, line, undo=None if body.now else undo)
    return reply(request, value, is_public=False, status=202)
