"""Kinds over HTTP: which are there, and those of one's own.

To strangers only those that are public and in use. One's own are changed by who logs in, never with a key.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.responses import Response

from app.entries import own_kinds, read
from app.web.answers import reply
from app.web.deps import ServerOf, account_of, body_of_account, caller_of
from app.web.idempotency import carried_out_once
from app.web.json_bodies import ModelBody
from app.web.models.entries import ChangedKind, Kind, KindPage, KindVersionPage, NewKind
from app.web.models.parameters import ActiveOnly, Name
from app.web.operation import ACCOUNT, ANYBODY, made_once, operation, read_operation, router_of
from app.web.replies import reply_to

router = router_of("endpoints", "/api/v1/endpoints")

NewKindOf = Annotated[NewKind, Depends(ModelBody(NewKind, body_of_account))]
ChangedKindOf = Annotated[ChangedKind, Depends(ModelBody(ChangedKind, body_of_account))]


@router.get("", **read_operation("endpoints_list", KindPage, who=ANYBODY))
def endpoints(request: Request, server: ServerOf, active_only: ActiveOnly = True) -> Response:
    """List the kinds that the caller may know of."""
    generation = server.supervisor.generation()
    with server.supervisor.reading() as connection:
        caller = caller_of(request, server, connection)
        found = read.kinds(connection, caller.viewer)
    return reply_to(request, server, caller, generation, {"items": found, "next": None})


@router.post("", **made_once(operation("endpoints_create", Kind, 409, who=ACCOUNT, status=201)))
def create_kind(request: Request, server: ServerOf, body: NewKindOf) -> Response:
    """Make a kind of one's own: private, unless it is said otherwise."""
    said = body.said()
    name = said.pop("name")
    with carried_out_once(request, server) as once, server.supervisor.writing() as connection:
        user, actor = account_of(request, server, connection)
        if (kept := once.kept(connection, user.id)) is not None:
            return kept
        made = own_kinds.create_kind(connection, user.id, name, said, actor)
        location = {"Location": f"endpoints/{quote(name, safe='')}"}  # beside the address of the list
        answer = reply(request, made, is_public=False, status=201, headers=location)
        return once.keep(connection, user.id, answer)


@router.get("/{name}", **read_operation("endpoints_get", Kind, 404, who=ANYBODY))
def endpoint(request: Request, server: ServerOf, name: Name) -> Response:
    """Describe one kind: what it is for, and the JSON Schema of what can be written."""
    generation = server.supervisor.generation()
    with server.supervisor.reading() as connection:
        caller = caller_of(request, server, connection)
        found = read.kind(connection, caller.viewer, name)
    return reply_to(request, server, caller, generation, found)


@router.patch("/{name}", **operation("endpoints_change", Kind, 404, 409, who=ACCOUNT))
def change_kind(request: Request, server: ServerOf, name: Name, body: ChangedKindOf) -> Response:
    """Change a kind of one's own; another schema or example is another version of it."""
    with server.supervisor.writing() as connection:
        user, actor = account_of(request, server, connection)
        changed = own_kinds.change_kind(connection, user.id, name, body.said(), actor)
    return reply(request, changed, is_public=False)


@router.delete("/{name}", **operation("endpoints_delete", None, 404, 409, who=ACCOUNT, status=204))
def delete_kind(request: Request, server: ServerOf, name: Name) -> Response:
    """Remove a kind of one's own, of which there is no entry."""
    with server.supervisor.writing() as connection:
        user, actor = account_of(request, server, connection)
        own_kinds.remove_kind(connection, user.id, name, actor)
    return Response(None, 204, {"Cache-Control": "no-store"})


@router.get("/{name}/versions", **read_operation("endpoints_versions", KindVersionPage, 404, who=ACCOUNT))
def kind_versions(request: Request, server: ServerOf, name: Name) -> Response:
    """List the schemas that a kind of one's own has had, the first one first."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        found = own_kinds.versions_of(connection, user.id, name)
    return reply(request, {"items": found, "next": None}, is_public=False)
