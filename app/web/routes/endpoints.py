"""Which kinds of entries are there? To strangers only those that are public and in use."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.entries import read
from app.web.deps import HouseOf, caller_of
from app.web.parameters import ActiveOnly
from app.web.replies import reply_to

router = APIRouter(prefix="/api/v1/endpoints", tags=["endpoints"])


@router.get("", operation_id="endpoints_list")
def endpoints(request: Request, house: HouseOf, active_only: ActiveOnly = True) -> Response:
    """List the kinds that the caller may know of."""
    generation = house.keeper.generation()
    with house.keeper.reading() as connection:
        caller = caller_of(request, house, connection)
        found = read.kinds(connection, caller.viewer)
    return reply_to(request, house, caller, generation, {"items": found, "next": None})


@router.get("/{name}", operation_id="endpoints_get")
def endpoint(request: Request, house: HouseOf, name: str) -> Response:
    """Describe one kind: what it is for, and the JSON Schema of what can be written."""
    generation = house.keeper.generation()
    with house.keeper.reading() as connection:
        caller = caller_of(request, house, connection)
        found = read.kind(connection, caller.viewer, name)
    return reply_to(request, house, caller, generation, found)
