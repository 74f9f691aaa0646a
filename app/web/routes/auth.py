"""Coming in over HTTP: the first account by its token, login by password, and who one is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from app import clock
from app.accounts.users import User
from app.entries.entry import invalid
from app.server import login as logins
from app.server.login import WantedAccount
from app.web.answers import reply
from app.web.bodies import (
    WrongMediaType,
    body_of,
    check_is_json,
    form_fields,
    optional_text_member,
    parse_object,
    text_member,
)
from app.web.deps import ServerOf, account_of, client_of, intake_of

router = APIRouter(prefix="/auth", tags=["accounts"])
Body = Annotated[bytes, Depends(body_of)]
MEMBERS = frozenset({"username", "email", "password", "full_name", "claim_token", "is_admin"})


@router.post("/login", operation_id="login")
async def login(request: Request, server: ServerOf, body: Body) -> Response:
    """Give a token for the form fields ``username`` and ``password``."""
    username, password = await _credentials(request, body)
    intake_of(request).let_go()  # who waits for a turn holds nothing that others need
    token = await logins.log_in(server, username, password, client_of(request, server).origin)
    value = {"access_token": token.text, "token_type": "bearer", "expires_in": token.expires_in_seconds}
    return reply(request, value, is_public=False)


@router.post("/register", operation_id="register", status_code=201)
async def register(request: Request, server: ServerOf, body: Body) -> Response:
    """Create the first account, an admin's, with the one-time token of the start. Closed otherwise."""
    check_is_json(request)
    members = parse_object(body)
    offered = request.headers.get("x-claim-token") or optional_text_member(members, "claim_token")
    await logins.check_claim(server, offered, client_of(request, server).origin)
    user = await logins.register(server, offered or "", _wanted_account(members))
    return reply(request, public_account(user), is_public=False, status=201, headers={"Location": "me"})


@router.get("/me", operation_id="me")
def me(request: Request, server: ServerOf) -> Response:
    """Return the account of the caller."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
    return reply(request, public_account(user), is_public=False)


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


async def _credentials(request: Request, body: bytes) -> tuple[str, str]:
    fields = await form_fields(request, body)
    if fields is None:
        raise WrongMediaType(
            "The login is a form.", hint="curl -d 'username=NAME' -d 'password=PASSWORD' .../auth/login"
        )
    return text_member(fields, "username"), text_member(fields, "password")


def _wanted_account(members: dict[str, object]) -> WantedAccount:
    """Return the account that a body describes; raises InvalidContent. ``is_admin`` counts for nothing."""
    unknown = sorted(set(members) - MEMBERS)
    if unknown:
        raise invalid(f"/{unknown[0]}", "this member is not known here")
    username, email = text_member(members, "username"), text_member(members, "email")
    password, full_name = text_member(members, "password"), optional_text_member(members, "full_name")
    return WantedAccount(username, email, password, full_name)
