"""Accounts over HTTP: the first one by its token, login by password, one's own account and its password."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app import clock
from app.accounts import account_rules, users
from app.accounts.audit import Actor
from app.accounts.login import Token as IssuedToken
from app.accounts.users import User
from app.server import login as logins
from app.server.login import WantedAccount
from app.server.state import ServerState
from app.web.answers import reply
from app.web.bodies import WrongMediaType, check_is_json, form_fields, optional_text_member, parse_object
from app.web.deps import ServerOf, account_of, body_of_account, client_of, intake_of
from app.web.json_bodies import ModelBody, RawBody, body_of_anybody
from app.web.models.accounts import Account, ChangedAccount, ChangedPassword, Login, Registration, Token
from app.web.models.base import checked
from app.web.operation import ACCOUNT, NOT_ASKED, operation, read_operation, router_of

router = router_of("accounts", "/auth")
LoginForm = Annotated[
    bytes, Depends(RawBody(Login, body_of_anybody, media_type="application/x-www-form-urlencoded"))
]
ChangedAccountBody = Annotated[ChangedAccount, Depends(ModelBody(ChangedAccount, body_of_account))]
ChangedPasswordBody = Annotated[ChangedPassword, Depends(ModelBody(ChangedPassword, body_of_account))]
RegistrationBody = Annotated[bytes, Depends(RawBody(Registration, body_of_anybody))]


@router.post("/login", **operation("login", Token, 401, 429, who=NOT_ASKED))
async def login(request: Request, server: ServerOf, body: LoginForm) -> Response:
    """Give a token for the form fields ``username`` and ``password``."""
    form = await _form(request, body)
    intake_of(request).let_go()  # who waits for a turn holds nothing that others need
    token = await logins.log_in(server, form.username, form.password, client_of(request, server).origin)
    return reply(request, _as_json(token), is_public=False)


@router.post("/register", **operation("register", Account, 403, 409, 429, who=NOT_ASKED, status=201))
async def register(request: Request, server: ServerOf, body: RegistrationBody) -> Response:
    """Create the first account, an admin's, with the one-time token of the start. Closed otherwise."""
    check_is_json(request)
    members = parse_object(body)
    offered = request.headers.get("x-claim-token") or optional_text_member(members, "claim_token")
    await logins.check_claim(server, offered, client_of(request, server).origin)
    wanted = checked(Registration, members)
    account = WantedAccount(wanted.username, wanted.email, wanted.password, wanted.full_name)
    user = await logins.register(server, offered or "", account)
    return reply(request, public_account(user), is_public=False, status=201, headers={"Location": "me"})


@router.get("/me", **read_operation("me", Account, who=ACCOUNT))
def me(request: Request, server: ServerOf) -> Response:
    """Return the account of the caller."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
    return reply(request, public_account(user), is_public=False)


@router.patch("/me", **operation("me_change", Account, who=ACCOUNT))
def change_me(request: Request, server: ServerOf, body: ChangedAccountBody) -> Response:
    """Change one's own full name."""
    with server.supervisor.writing() as connection:
        user, actor = account_of(request, server, connection)
        if "full_name" in body.model_fields_set and body.full_name != user.full_name:
            account_rules.check_profile(user.username, user.email, body.full_name)
            user = users.change_full_name(connection, user, body.full_name, clock.now(), actor)
    return reply(request, public_account(user), is_public=False)


@router.post("/password", **operation("password_change", Token, 429, who=ACCOUNT))
async def change_password(request: Request, server: ServerOf, body: ChangedPasswordBody) -> Response:
    """Give oneself another password. Every login ends; the answer holds the token of a new one."""
    intake_of(request).let_go()
    user, actor = await run_in_threadpool(_account, request, server)
    token = await logins.change_password(
        server, user, body.current_password, body.new_password, actor, end_keys=body.end_keys
    )
    return reply(request, _as_json(token), is_public=False)


@router.post("/logout-everywhere", **operation("logout_everywhere", None, who=ACCOUNT, status=204))
def log_out_everywhere(request: Request, server: ServerOf) -> Response:
    """End every login of one's own account, this one too. API keys go on."""
    with server.supervisor.writing() as connection:
        user, actor = account_of(request, server, connection)
        users.end_tokens(connection, user, clock.now(), actor)
    return Response(None, 204, {"Cache-Control": "no-store"})


def _account(request: Request, server: ServerState) -> tuple[User, Actor]:
    with server.supervisor.reading() as connection:
        return account_of(request, server, connection)


def _as_json(token: IssuedToken) -> dict[str, object]:
    return {"access_token": token.text, "token_type": "bearer", "expires_in": token.expires_in_seconds}


def public_account(user: User) -> dict[str, object]:
    """Return what a person may see of their own account."""
    return {
        "id": user.id,
        "username": user.username,
        "full_name": user.full_name,
        "email": user.email,
        "is_active": user.is_active,
        "is_admin": user.is_admin,
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
