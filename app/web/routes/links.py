"""One-time links over HTTP: what one opens, and another password by one. Anyone who has the text may."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from app import clock
from app.accounts.one_time_links import INVITATION
from app.server import links
from app.web.answers import reply
from app.web.deps import ServerOf, client_of, intake_of
from app.web.json_bodies import ModelBody, body_of_anybody
from app.web.models.accounts import LinkHelp, OpenedLink, ResetPassword, SentLink
from app.web.operation import NOT_ASKED, operation, read_operation, router_of

router = router_of("accounts", "/auth")
HELP = (
    'What is behind the # of this address is a token of one use. POST /auth/link with {"token": "..."} says '
    'what it is for. An invitation: POST /auth/register with {"username", "email", "password", '
    '"invitation"}. Another password: POST /auth/password/reset with {"token", "new_password"}.'
)

SentLinkOf = Annotated[SentLink, Depends(ModelBody(SentLink, body_of_anybody))]
ResetPasswordOf = Annotated[ResetPassword, Depends(ModelBody(ResetPassword, body_of_anybody))]


@router.get("/link", **read_operation("link_help", LinkHelp, who=NOT_ASKED))
def help_with_link(request: Request) -> Response:
    """Say what to do with a link. Its token is in the fragment, which is never sent."""
    return reply(request, {"detail": HELP}, is_public=True)


@router.post("/link", **operation("link_open", OpenedLink, 403, 429, who=NOT_ASKED))
async def look_at_link(request: Request, server: ServerOf, body: SentLinkOf) -> Response:
    """Say what a token of one use is for. It is not used up."""
    intake_of(request).let_go()
    link, username = await links.look_at(server, body.token, client_of(request, server).origin)
    value = {
        "purpose": link.purpose,
        "role": link.role if link.purpose == INVITATION else None,
        "username": username,
        "expires_at": clock.rfc3339(link.expires_at),
    }
    return reply(request, value, is_public=False)


@router.post("/password/reset", **operation("password_reset", None, 403, 429, who=NOT_ASKED, status=204))
async def reset_password(request: Request, server: ServerOf, body: ResetPasswordOf) -> Response:
    """Choose another password with an admin's link, which is used up. Every session of the account ends."""
    intake_of(request).let_go()
    await links.reset_password(server, body.token, body.new_password, client_of(request, server).origin)
    return Response(None, 204, {"Cache-Control": "no-store"})
