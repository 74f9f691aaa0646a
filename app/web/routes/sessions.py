"""One's own sessions (logins): list them, refresh, log out, type the password again. Never with a key."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app import clock
from app.accounts import sessions
from app.accounts.sessions import Session
from app.server import login as logins
from app.server.authenticate import check_account, check_session
from app.web.answers import reply
from app.web.deps import ServerOf, body_of_account, caller_of, client_of, intake_of
from app.web.json_bodies import ModelBody, body_of_anybody
from app.web.models.accounts import Confirmation, Refresh, SessionPage, Stay, Token
from app.web.models.parameters import Id
from app.web.operation import ACCOUNT, NOT_ASKED, operation, read_operation, router_of
from app.web.parameters import id_of
from app.web.routes.auth import known_caller, token_as_json

router = router_of("accounts", "/auth")
HINT = "GET /auth/sessions lists your sessions."

RefreshOf = Annotated[Refresh, Depends(ModelBody(Refresh, body_of_anybody))]
StayOf = Annotated[Stay, Depends(ModelBody(Stay, body_of_anybody))]
ConfirmationOf = Annotated[Confirmation, Depends(ModelBody(Confirmation, body_of_account))]


@router.post("/refresh", **operation("session_refresh", Token, 401, 429, who=NOT_ASKED))
async def refresh(request: Request, server: ServerOf, body: RefreshOf) -> Response:
    """Give the next tokens of a session. A refresh token that comes a second time ends its session."""
    intake_of(request).let_go()
    token = await logins.refresh(server, body.refresh_token, client_of(request, server).origin)
    return reply(request, token_as_json(token), is_public=False)


@router.post("/confirm", **operation("session_confirm", None, 409, 429, who=ACCOUNT, status=204))
async def confirm(request: Request, server: ServerOf, body: ConfirmationOf) -> Response:
    """Type the password again, as dangerous acts ask; it holds for five minutes, in this session."""
    intake_of(request).let_go()
    caller = await run_in_threadpool(known_caller, request, server)
    await logins.confirm(server, caller, body.password, otp=body.otp)
    return _done()


@router.post("/stay", **operation("stay", None, 401, 403, 409, 429, who=NOT_ASKED, status=204))
async def stay(request: Request, server: ServerOf, body: StayOf) -> Response:
    """Undo that one leaves, by name and password; logging in works again then."""
    intake_of(request).let_go()
    origin = client_of(request, server).origin
    await logins.stay(server, body.username, body.password, origin, otp=body.otp)
    return _done()


@router.get("/sessions", **read_operation("sessions_list", SessionPage, who=ACCOUNT))
def list_sessions(request: Request, server: ServerOf) -> Response:
    """List one's own sessions that go on, the one used last first."""
    with server.supervisor.reading() as connection:
        caller = caller_of(request, server, connection)
        user, _actor = check_account(caller)
        found = sessions.list_sessions(connection, user.id, clock.now())
    current_id = None if caller.session is None else caller.session.id
    items = [as_json(each, is_current=each.id == current_id) for each in found]
    return reply(request, {"items": items, "next": None}, is_public=False)


@router.delete("/sessions/{session_id}", **operation("sessions_end", None, 404, who=ACCOUNT, status=204))
def end_session(request: Request, server: ServerOf, session_id: Id) -> Response:
    """End one of one's own sessions, and its tokens."""
    with server.supervisor.writing() as connection:
        user, actor = check_account(caller_of(request, server, connection))
        found = sessions.get_session(connection, id_of(session_id, hint=HINT), user.id)
        sessions.end(connection, found, clock.now(), actor)
    return _done()


@router.post("/logout", **operation("logout", None, 409, who=ACCOUNT, status=204))
def log_out(request: Request, server: ServerOf) -> Response:
    """End the session of this request, and its tokens."""
    with server.supervisor.writing() as connection:
        caller = caller_of(request, server, connection)
        _user, actor = check_account(caller)
        sessions.end(connection, check_session(caller), clock.now(), actor)
    return _done()


def as_json(found: Session, *, is_current: bool) -> dict[str, object]:
    """Return what a person is told of a session of theirs."""
    return {
        "id": found.id,
        "is_current": is_current,
        "can_refresh": found.has_refresh,
        "created_at": clock.rfc3339(found.created_at),
        "last_used_at": clock.rfc3339(found.last_used_at),
        "expires_at": clock.rfc3339(found.expires_at),
        "ip_address": found.ip_address,
        "user_agent": found.user_agent,
    }


def _done() -> Response:
    return Response(None, 204, {"Cache-Control": "no-store"})
