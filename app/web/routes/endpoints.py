"""Which kinds of entries are there? To strangers only those that are public and in use."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from app.entries import read
from app.web.deps import ServerOf, caller_of
from app.web.models.entries import Kind, KindPage
from app.web.models.parameters import ActiveOnly, Name
from app.web.operation import ANYBODY, read_operation, router_of
from app.web.replies import reply_to

router = router_of("endpoints", "/api/v1/endpoints")


@router.get("", **read_operation("endpoints_list", KindPage, who=ANYBODY))
def endpoints(request: Request, server: ServerOf, active_only: ActiveOnly = True) -> Response:
    """List the kinds that the caller may know of."""
    generation = server.supervisor.generation()
    with server.supervisor.reading() as connection:
        caller = caller_of(request, server, connection)
        found = read.kinds(connection, caller.viewer)
    return reply_to(request, server, caller, generation, {"items": found, "next": None})


@router.get("/{name}", **read_operation("endpoints_get", Kind, 404, who=ANYBODY))
def endpoint(request: Request, server: ServerOf, name: Name) -> Response:
    """Describe one kind: what it is for, and the JSON Schema of what can be written."""
    generation = server.supervisor.generation()
    with server.supervisor.reading() as connection:
        caller = caller_of(request, server, connection)
        found = read.kind(connection, caller.viewer, name)
    return reply_to(request, server, caller, generation, found)
