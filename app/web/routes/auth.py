"""Accounts over HTTP: the first one by its token, login by password, one's own account and its password."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app import clock
from app.accounts import account_rules, users
from app.accounts.token_grants import Token as IssuedToken
from app.accounts.users import User
from app.errors import Conflict
from app.server import links
from app.server import login as logins
from app.server.authenticate import Caller
from app.server.login import WantedAccount
from app.server.state import ServerState
from app.web.answers import reply
from app.web.bodies import WrongMediaType, check_is_json, form_fields, optional_text_member, parse_object
from app.web.deps import ServerOf, account_of, body_of_account, caller_of, client_of, intake_of
from app.web.json_bodies import ModelBody, RawBody, body_of_anybody
from app.web.models.accounts import Account, ChangedAccount, ChangedPassword, Login, Registration, Token
from app.web.models.base import checked, sent
from app.web.operation import ACCOUNT, NOT_ASKED, operation, read_operation, router_of

router = router_of("accounts", "/auth")
LoginForm = Annotated[
    bytes, Depends(RawBody(Login, body_of_anybody, media_type="application/x-www-form-urlencoded"))
]
ChangedAccountBody = Annotated[ChangedAccount, Depends(ModelBody(ChangedAccount, body_of_account))]
ChangedPasswordBody = Annotated[ChangedPassword, Depends(ModelBody(ChangedPassword, body_of_account))]
RegistrationBody = Annotated[bytes, Depends(RawBody(Registration, body_of_anybody))]


@router.post("/login", **operation("login", Token, 401, 403, 429, who=NOT_ASKED))
async def login(request: Request, server: ServerOf, body: LoginForm) -> Response:
    """Give a token for the form fields ``username`` and ``password``, and begin a session.

    With ``scope=offline_access`` also a refresh token: the session then goes on with `POST /auth/refresh`.
    """
    form = await _form(request, body)
    intake_of(request).let_go()  # who waits for a turn holds nothing that others need
    origin, with_refresh = client_of(request, server).origin, "offline_access" in form.scope.split()
    token = await logins.log_in(
        server, form.username, form.password, origin, otp=form.otp, with_refresh=with_refresh
    )
    return reply(request, token_as_json(token), is_public=False)


@router.post("/register", **operation("register", Account, 403, 409, 429, who=NOT_ASKED, status=201))
async def register(request: Request, server: ServerOf, body: RegistrationBody) -> Response:
    """Create the first account, an admin's, with the one-time token of the start. Closed otherwise.

    With an `invitation`, which is used up, the account of the person who was invited.
    """
    check_is_json(request)
    members = parse_object(body)
    invitation = optional_text_member(members, "invitation")
    if invitation is not None:
        return await _join(request, server, invitation, members)
    offered = request.headers.get("x-claim-token") or optional_text_member(members, "claim_token")
    await logins.check_claim(server, offered, client_of(request, server).origin)
    user = await logins.register(server, offered or "", _wanted(members))
    return reply(request, public_account(user), is_public=False, status=201, headers={"Location": "me"})


async def _join(
    request: Request, server: ServerState, invitation: str, members: dict[str, object]
) -> Response:
    origin = client_of(request, server).origin
    await links.look_at(server, invitation, origin)  # before anything is said of the rest
    user = await links.accept_invitation(server, invitation, _wanted(members), origin)
    return reply(request, public_account(user), is_public=False, status=201, headers={"Location": "me"})


def _wanted(members: dict[str, object]) -> WantedAccount:
    wanted = checked(Registration, members)
    return WantedAccount(wanted.username, wanted.email, wanted.password, wanted.full_name)


@router.get("/me", **read_operation("me", Account, who=ACCOUNT))
def me(request: Request, server: ServerOf) -> Response:
    """Return the account of the caller."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
    return reply(request, public_account(user), is_public=False)


@router.patch("/me", **operation("me_change", Account, 409, 429, who=ACCOUNT))
def change_me(request: Request, server: ServerOf, body: ChangedAccountBody) -> Response:
    """Change one's own full name and mail address."""
    user: User | None = None
    try:
        with server.supervisor.writing() as connection:
            user, actor = account_of(request, server, connection)
            wanted = {"full_name": user.full_name, "email": user.email, **sent(body)}
            if sent(body):
                account_rules.check_profile(user.username, wanted["email"], wanted["full_name"])
            changed = users.change_profile(connection, user, clock.now(), actor, **wanted)
    except Conflict:
        if user is not None:  # it tells that someone else has that address: not to be tried at will
            server.throttle.refuse(f"mail of {user.id}", "")
        raise
    return reply(request, public_account(changed), is_public=False)


@router.post("/password", **operation("password_change", Token, 429, who=ACCOUNT))
async def change_password(request: Request, server: ServerOf, body: ChangedPasswordBody) -> Response:
    """Give oneself another password. Every login ends; the answer holds the tokens of a new one."""
    intake_of(request).let_go()
    caller = await run_in_threadpool(known_caller, request, server)
    token = await logins.change_password(
        server, caller, body.current_password, body.new_password, otp=body.otp, end_keys=body.end_keys
    )
    return reply(request, token_as_json(token), is_public=False)


@router.post("/logout-everywhere", **operation("logout_everywhere", None, who=ACCOUNT, status=204))
def log_out_everywhere(request: Request, server: ServerOf) -> Response:
    """End every login of one's own account, this one too. API keys go on."""
    with server.supervisor.writing() as connection:
        user, actor = account_of(request, server, connection)
        users.end_tokens(connection, user, clock.now(), actor)
    return Response(None, 204, {"Cache-Control": "no-store"})


def known_caller(request: Request, server: ServerState) -> Caller:
    """Return who is asking, in a transaction of its own; raises what `authenticate` raises."""
    with server.supervisor.reading() as connection:
        return caller_of(request, server, connection)


def token_as_json(token: IssuedToken) -> dict[str, object]:
    """Return what someone is given who came in."""
    found: dict[str, object] = {
        "access_token": token.text,
        "token_type": "bearer",
        "expires_in": token.expires_in_seconds,
    }
    return found if token.refresh_text is None else {**found, "refresh_token": token.refresh_text}


def public_account(user: User) -> dict[str, object]:
    """Return what a person may see of their own account."""
    return {
        "id": user.id,
        "username": user.username,
        "full_name": user.full_name,
        "email": user.email,
        "is_active": user.is_active,
        "is_admin": user.is_admin,
        "role": user.role,
        "created_at": _moment(user.created_at),
        "last_login": _moment(user.last_login),
    }


def _moment(stored: object) -> str | None:
    return clock.rfc3339(stored) if isinstance(stored, str) else None


async def _form(request: Request, body: bytes) -> Login:
    fields = await form_fields(request, body)
    if fields is None:
        raise WrongMediaType(
            "The login is a form.", hint="curl -d 'username=NAME' -d 'password=PASSWORD' .../auth/login"
        )
    return checked(Login, fields)
