"""Login at a provider (OpenID Connect) over HTTP: begin, come back, link it with one's account, end it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app import clock
from app.accounts import account_rules, login_identities, sessions
from app.accounts.id_token import refused
from app.accounts.oidc_attempts import GOOD_FOR, Attempt, Purpose
from app.server import links, oidc
from app.server.authenticate import check_account, check_confirmed, check_session
from app.server.oidc import Begun, CameBack
from app.server.state import ServerState
from app.web.answers import reply
from app.web.deps import ServerOf, account_of, caller_of, client_of, confirmed_account_of
from app.web.json_bodies import ModelBody, body_of_anybody
from app.web.models import oidc as model
from app.web.models.parameters import Text
from app.web.operation import ACCOUNT, NOT_ASKED, operation, read_operation, router_of
from app.web.routes.auth import token_as_json

router = router_of("accounts", "/auth/oidc")
COOKIE = "daemon_login"
OFFLINE = "offline_access"

Scope = Annotated[Text, Query(description="offline_access: a refresh token, too.")]
Given = Annotated[Text, Query(description="What the provider sends back.")]
JoinOf = Annotated[model.ProviderJoin, Depends(ModelBody(model.ProviderJoin, body_of_anybody))]
CodeOf = Annotated[model.ProviderCode, Depends(ModelBody(model.ProviderCode, body_of_anybody))]


@router.get("", **read_operation("oidc", model.Identities, who=ACCOUNT))
def list_identities(request: Request, server: ServerOf) -> Response:
    """Say whether a login at a provider is set up here, and which one comes in as oneself."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        found = login_identities.list_of(connection, user.id)
    value = {"issuer": server.oidc.issuer or None, "items": [each.as_json() for each in found]}
    return reply(request, value, is_public=False)


@router.delete("", **operation("oidc_unlink", None, 404, who=ACCOUNT, status=204))
def unlink(request: Request, server: ServerOf) -> Response:
    """Let no one of a provider come in as oneself any more. Asks for the password again; sessions go on."""
    with server.supervisor.writing() as connection:
        user, actor = confirmed_account_of(request, server, connection)
        login_identities.unlink(connection, user.id, clock.now(), actor)
    return Response(None, 204, {"Cache-Control": "no-store"})


@router.get(
    "/login",
    **operation("oidc_login", None, 404, 502, who=NOT_ASKED, status=302),
    response_class=Response,  # without a body
)
def log_in(server: ServerOf, scope: Scope = None) -> Response:
    """Go to the provider to log in there."""
    attempt = Attempt("login", clock.now().timestamp(), with_refresh=OFFLINE in (scope or "").split())
    begun = oidc.begin(server, attempt)
    answer = Response(None, 302, {"Location": begun.address, "Cache-Control": "no-store"})
    return _with_cookie(server, answer, begun.cookie)


@router.post("/link", **operation("oidc_link", model.ProviderLogin, 404, 409, 502, who=ACCOUNT))
def link(request: Request, server: ServerOf) -> Response:
    """Begin to link a login at the provider with one's account. Asks for the password again."""
    return _begun(request, server, "link")


@router.post("/confirm", **operation("oidc_confirm", model.ProviderLogin, 404, 409, 502, who=ACCOUNT))
def confirm(request: Request, server: ServerOf) -> Response:
    """Begin to type the password at the provider again, as dangerous acts ask."""
    return _begun(request, server, "confirm")


@router.post("/join", **operation("oidc_join", model.ProviderLogin, 403, 404, 429, 502, who=NOT_ASKED))
async def join(request: Request, server: ServerOf, body: JoinOf) -> Response:
    """Begin to make the account of someone who was invited, and who logs in at the provider."""
    server.oidc.check_is_on()
    await links.check_invitation(server, body.invitation, client_of(request, server).origin)
    account_rules.check_profile(body.username, body.email, body.full_name)
    attempt = Attempt("join", clock.now().timestamp(), **dict(body))
    return await run_in_threadpool(_answer, request, server, attempt)


@router.get(
    "/callback", **operation("oidc_callback", model.ProviderOutcome, 403, 404, 409, 429, 502, who=NOT_ASKED)
)
def come_back(
    request: Request, server: ServerOf, state: Given = None, code: Given = None, iss: Given = None
) -> Response:
    """Come back from the provider. What this browser began is done, once."""
    origin = client_of(request, server).origin
    cookie = request.cookies.get(_name(server))
    if not state or not code or not cookie:
        server.oidc.check_is_on()
        oidc.count_refusal(server, origin)
        raise refused()
    return _outcome(request, server, oidc.come_back(server, cookie, state, code, iss, origin))


@router.post(
    "/second-factor", **operation("oidc_code", model.ProviderOutcome, 401, 403, 404, 429, who=NOT_ASKED)
)
async def send_code(request: Request, server: ServerOf, body: CodeOf) -> Response:
    """Send the code of the second factor that a login at the provider waits for."""
    cookie, origin = request.cookies.get(_name(server)), client_of(request, server).origin
    if not cookie:
        server.oidc.check_is_on()
        raise refused()
    return _outcome(
        request, server, await run_in_threadpool(oidc.send_code, server, cookie, body.otp, origin)
    )


@router.post("/logout", **operation("oidc_logout", model.ProviderLogout, 404, 409, 502, who=ACCOUNT))
def log_out(request: Request, server: ServerOf) -> Response:
    """End the session of this request; the answer says where to log out at the provider, too."""
    with server.supervisor.writing() as connection:
        caller = caller_of(request, server, connection)
        _user, actor = check_account(caller)
        server.oidc.check_is_on()
        sessions.end(connection, check_session(caller), clock.now(), actor)
    return reply(request, {"end_session_url": oidc.end_session_url(server)}, is_public=False)


def _begun(request: Request, server: ServerState, purpose: Purpose) -> Response:
    """Begin what someone who is logged in wants; linking asks for the password, `confirm` is in its place."""
    with server.supervisor.reading() as connection:
        caller = caller_of(request, server, connection)
        user, _actor = check_account(caller) if purpose == "confirm" else check_confirmed(caller)
        session = check_session(caller)
    attempt = Attempt(purpose, clock.now().timestamp(), user_id=user.id, session_id=session.id)
    return _answer(request, server, attempt)


def _answer(request: Request, server: ServerState, attempt: Attempt) -> Response:
    begun: Begun = oidc.begin(server, attempt)
    answer = reply(request, {"authorization_url": begun.address}, is_public=False)
    return _with_cookie(server, answer, begun.cookie)


def _outcome(request: Request, server: ServerState, done: CameBack) -> Response:
    told = {} if done.token is None else token_as_json(done.token)
    value = {"purpose": done.purpose, "needs_code": done.cookie is not None, **told}
    return _with_cookie(server, reply(request, value, is_public=False), done.cookie)


def _name(server: ServerState) -> str:
    """What the cookie is called: with the prefix, no page of another host of this domain can set it."""
    return f"__Host-{COOKIE}" if _is_secure(server) else COOKIE


def _is_secure(server: ServerState) -> bool:
    return server.oidc.redirect_uri.startswith("https://")


def _with_cookie(server: ServerState, answer: Response, value: str | None) -> Response:
    """Have the browser keep ``value`` for as long as what was begun holds; None: forget it."""
    answer.set_cookie(
        _name(server),
        value or "",
        max_age=int(GOOD_FOR.total_seconds()) if value else 0,
        path="/",
        secure=_is_secure(server),
        httponly=True,
        samesite="lax",
    )
    return answer
