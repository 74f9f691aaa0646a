"""What came in before the claim, over HTTP: its owner lists, publishes or deletes it. Never with a key."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection
from starlette.responses import Response

from app.entries import review
from app.entries.entry import Origin
from app.privacy.viewer import Viewer
from app.server.state import ServerState
from app.web.answers import reply
from app.web.deps import ServerOf, account_of, author_of, body_of_account
from app.web.json_bodies import ModelBody
from app.web.models.claim import Decided, Decision, WaitingPage
from app.web.operation import ACCOUNT, operation, read_operation, router_of

router = router_of("accounts", "/api/v1/claim")
DecisionOf = Annotated[Decision, Depends(ModelBody(Decision, body_of_account))]


@router.get("/review", **read_operation("claim_review", WaitingPage, who=ACCOUNT))
def waiting(request: Request, server: ServerOf) -> Response:
    """List what was written before the first account and waits for a decision of its owner's."""
    with server.supervisor.reading() as connection:
        viewer, origin = _owner(request, server, connection)
        watch = partial(server.pending_audit.saw_read, viewer, origin)
        found = review.waiting(connection, viewer, watch=watch)
    return reply(request, {"items": found, "next": None}, is_public=False)


@router.post("/review", **operation("claim_decide", Decided, 404, 409, who=ACCOUNT))
def decide(request: Request, server: ServerOf, body: DecisionOf) -> Response:
    """Publish entries as they were meant to be shown, delete others; all of it or nothing."""
    with server.supervisor.writing() as connection:
        author_of(request, server, connection)
        viewer, origin = _owner(request, server, connection)
        deleted = review.delete(connection, viewer, body.delete, origin=origin)
        published = review.publish(connection, viewer, body.publish, origin=origin)
        left = len(review.waiting(connection, viewer))
    return reply(request, {"published": published, "deleted": deleted, "left": left}, is_public=False)


def _owner(request: Request, server: ServerState, connection: Connection) -> tuple[Viewer, Origin]:
    """Return who decides, logged in as a person; raises what ``account_of`` raises."""
    user, actor = account_of(request, server, connection)
    viewer = Viewer("admin" if user.is_admin else "person", user.id, user.username)
    return viewer, Origin(actor.ip_address, actor.user_agent)
