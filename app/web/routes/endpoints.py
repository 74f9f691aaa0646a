"""Which kinds of entries are there? To strangers only those that are public and in use."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.entries import read
from app.web.deps import ServerOf, caller_of
from app.web.parameters import ActiveOnly
from app.web.replies import reply_to

router = APIRouter(prefix="/api/v1/endpoints", tags=["endpoints"])


@router.get("", operation_id="endpoints_list")
def endpoints(request: Request, server: ServerOf, active_only: ActiveOnly = True) -> Response:
    """List the kinds that the caller may know of."""
    generation = server.supervisor.generation()
    with server.supervisor.reading() as connection:
        caller = caller_of(request, server, connection)
        found = read.kinds(connection, caller.viewer)
    return reply_to(request, server, caller, generation, {"items": found, "next": None})


@router.get("/{name}", operation_id="endpoints_get")
def endpoint(request: Request, server: ServerOf, name: str) -> Response:
    """Describe one kind: what it is for, and the JSON Schema of what can be written."""
    generation = server.supervisor.generation()
    with server.supervisor.reading() as connection:
        caller = caller_of(request, server, connection)
        found = read.kind(connection, caller.viewer, name)
    return reply_to(request, server, caller, generation, found)
