"""What came in before the claim, over HTTP: its owner lists, publishes or deletes it. Never with a key."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection
from starlette.responses import Response

from app.entries import review
from app.entries.entry import Origin, invalid
from app.privacy.viewer import Viewer
from app.server.state import ServerState
from app.web.answers import reply
from app.web.bodies import check_is_json, parse_object
from app.web.deps import ServerOf, account_of, body_of_account

router = APIRouter(prefix="/api/v1/claim", tags=["accounts"])
ALL = "all"


async def _body(request: Request, server: ServerOf) -> bytes:
    return await body_of_account(request, server)


@router.get("/review", operation_id="claim_review")
def waiting(request: Request, server: ServerOf) -> Response:
    """List what was written before the first account and waits for a decision of its owner's."""
    with server.supervisor.reading() as connection:
        viewer, origin = _owner(request, server, connection)
        watch = partial(server.pending_audit.saw_read, viewer, origin)
        found = review.waiting(connection, viewer, watch=watch)
    return reply(request, {"items": found, "next": None}, is_public=False)


@router.post("/review", operation_id="claim_decide")
def decide(request: Request, server: ServerOf, body: Annotated[bytes, Depends(_body)]) -> Response:
    """Publish entries as they were meant to be shown, delete others; all of it or nothing."""
    check_is_json(request)
    to_publish, to_delete = _decision(parse_object(body))
    with server.supervisor.writing() as connection:
        viewer, origin = _owner(request, server, connection)
        deleted = review.delete(connection, viewer, to_delete, origin=origin)
        published = review.publish(connection, viewer, to_publish, origin=origin)
        left = len(review.waiting(connection, viewer))
    return reply(request, {"published": published, "deleted": deleted, "left": left}, is_public=False)


def _owner(request: Request, server: ServerState, connection: Connection) -> tuple[Viewer, Origin]:
    """Return who decides, logged in as a person; raises what ``account_of`` raises."""
    user, actor = account_of(request, server, connection)
    viewer = Viewer("admin" if user.is_admin else "person", user.id, user.username)
    return viewer, Origin(actor.ip_address, actor.user_agent)


def _decision(wanted: dict[str, object]) -> tuple[list[int] | None, list[int]]:
    """Return which to publish (None: all that are left) and which to delete; raises InvalidContent."""
    unknown = sorted(set(wanted) - {"publish", "delete"})
    if unknown or not wanted:
        raise invalid(f"/{unknown[0]}" if unknown else "", "publish and delete are what may be said here")
    to_publish = None if wanted.get("publish") == ALL else _ids(wanted, "publish")
    return to_publish, _ids(wanted, "delete")


def _ids(wanted: dict[str, object], name: str) -> list[int]:
    found = wanted.get(name, [])
    if not isinstance(found, list):
        raise invalid(f"/{name}", "must be a list of ids" + (' or "all"' if name == "publish" else ""))
    for place, each in enumerate(found):
        if not isinstance(each, int | float) or isinstance(each, bool) or each < 1 or each % 1:
            raise invalid(f"/{name}/{place}", "must be the id of an entry")
    return [int(each) for each in found]
