"""Who is asking, and what may a route use to answer?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from app import clock
from app.accounts import api_keys, tokens, users
from app.accounts.api_keys import KeyUse
from app.accounts.audit import Actor
from app.accounts.users import User
from app.entries.entry import Origin
from app.errors import NotAllowed, NotAuthenticated, UsageError
from app.privacy.viewer import LOCAL, STRANGER, Viewer
from app.server.body_budget import Intake
from app.server.client_address import address_of, is_local_client
from app.server.state import ServerState
from app.web.bodies import body_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    Check = Callable[[Request, ServerState, Connection], object]

LOGIN_HINT = (
    "POST /auth/login with the form fields username and password, then send "
    "'Authorization: Bearer TOKEN'; an API key goes into X-API-Key."
)
CLAIM_HINT = (
    "Nobody has claimed this installation yet: its claim token was printed when the server started. "
    'POST /auth/register with {"username", "email", "password", "claim_token"}; then ' + LOGIN_HINT
)


@dataclass(frozen=True)
class Caller:
    """Who is asking: as the privacy room sees them, with their account, and where they come from.

    ``key`` is the API key that was sent, None for a token. With a key nobody is an admin.
    """

    viewer: Viewer
    user: User | None
    origin: Origin
    key: KeyUse | None = None


def server_of(request: Request) -> ServerState:
    """Return the server of the server that got ``request``."""
    server = request.app.state.server
    assert isinstance(server, ServerState)
    return server


ServerOf = Annotated[ServerState, Depends(server_of)]


def caller_of(request: Request, server: ServerState, connection: Connection) -> Caller:
    """Return who is asking; raises NotAuthenticated for a credential that is not valid, whatever is asked."""
    origin = Origin(
        address_of(request.scope, server.settings.trusted_proxies), request.headers.get("user-agent")
    )
    credential = credential_of(request)
    if credential is not None and credential.is_key:
        return _holder_of(credential.text, request, server, connection, origin)
    if credential is not None:
        user = user_of_token(credential.text, server, connection)
        request.state.is_admin = user.is_admin  # who hears the whole of what goes wrong from here on
        return Caller(Viewer("admin" if user.is_admin else "person", user.id, user.username), user, origin)
    if not server.see_claim(connection) and is_local_client(request.scope):
        return Caller(LOCAL, None, origin)
    return Caller(STRANGER, None, origin)


def writer_of(request: Request, server: ServerState, connection: Connection) -> Caller:
    """Return who is asking to write entries.

    Raises NotAuthenticated for strangers, and NotAllowed for a key that reads only; both say what to do.
    """
    caller = caller_of(request, server, connection)
    if caller.key is not None and not caller.key.can_write:
        command = f"daemon key change {caller.key.key_id} --write"
        raise NotAllowed("This API key reads, and does not write.", hint=f"To let it write: {command}")
    if caller.viewer.is_stranger:
        hint = LOGIN_HINT if server.see_claim(connection) else CLAIM_HINT
        raise NotAuthenticated("Writing needs an account.", hint=hint)
    return caller


def account_of(request: Request, server: ServerState, connection: Connection) -> tuple[User, Actor]:
    """Return the account of who is asking for something that only a person does who has logged in.

    Raises NotAuthenticated for strangers, and NotAllowed for every API key.
    """
    caller = caller_of(request, server, connection)
    if caller.user is None:
        raise NotAuthenticated("This address needs an account.", hint=LOGIN_HINT)
    if caller.key is not None:
        raise NotAllowed("An API key is for entries, and for nothing else.", hint="For this: " + LOGIN_HINT)
    origin = caller.origin
    return caller.user, Actor(caller.user.id, origin.ip_address, origin.user_agent)


def admin_of(request: Request, server: ServerState, connection: Connection) -> Actor:
    """Return which admin is asking; raises NotAuthenticated for strangers, NotAllowed for everybody else."""
    user, actor = account_of(request, server, connection)
    if not user.is_admin:
        raise NotAllowed("This address is for admins.", hint="daemon user admin NAME makes one.")
    return actor


async def body_of_writer(request: Request, server: ServerState) -> bytes:
    """Return the whole body of somebody who may write; whoever may not is told before a byte of it is read.

    Who writes is asked again in the transaction that writes: a credential may end while a body comes in.
    Raises what ``writer_of`` and ``body_of`` raise.
    """
    return await _body_after(writer_of, request, server)


async def body_of_account(request: Request, server: ServerState) -> bytes:
    """Return the whole body of somebody who has logged in, as ``body_of_writer`` does."""
    return await _body_after(account_of, request, server)


async def _body_after(check: Check, request: Request, server: ServerState) -> bytes:
    await run_in_threadpool(_run_check, check, request, server)
    intake_of(request).has_known_sender()
    return await body_of(request)


def intake_of(request: Request) -> Intake:
    """Return what is counted of the body of ``request``."""
    intake = request.scope["state"]["intake"]
    assert isinstance(intake, Intake)
    return intake


def _run_check(check: Check, request: Request, server: ServerState) -> None:
    with server.supervisor.reading() as connection:
        check(request, server, connection)


@dataclass(frozen=True)
class Credential:
    """What a request carries: a token to be checked by its signature, or a key to be looked up."""

    text: str
    is_key: bool


def credential_of(request: Request) -> Credential | None:
    """Return the one credential of a request, or None; raises where there are two or an unknown scheme."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    key = request.headers.get("x-api-key")
    if scheme.lower() == "bearer":
        if key is not None:
            raise UsageError("There are two credentials.", hint="Send Authorization or X-API-Key, not both.")
        return Credential(given.strip(), is_key=not _looks_like_token(given))
    if key is not None:
        return Credential(key.strip(), is_key=True)
    if "authorization" in request.headers:
        raise NotAuthenticated("Only the Bearer scheme is known here.", hint=LOGIN_HINT)
    return None


def _looks_like_token(text: str) -> bool:
    return text.count(".") == 2


def _holder_of(
    key: str, request: Request, server: ServerState, connection: Connection, origin: Origin
) -> Caller:
    """Return the owner of an API key, as a person: what an admin may do besides, their key may not."""
    use = api_keys.use_key(connection, key, clock.now())
    if not getattr(request.state, "is_key_noted", False):  # a write looks at its credential twice
        request.state.is_key_noted = True
        server.pending_audit.saw_key(use, origin)
    viewer = Viewer("person", use.user.id, use.user.username)
    return Caller(viewer, use.user, replace(origin, api_key_id=use.key_id), use)


def user_of_token(token: str, server: ServerState, connection: Connection) -> User:
    """Return the active account that a token is for; raises NotAuthenticated."""
    claims = tokens.read_token(server.secret, token, clock.now())
    found = users.find_user_by_id(connection, claims.user_id)
    if found is None or found.username != claims.username or not found.is_active:
        raise NotAuthenticated("The account of this token cannot log in.", hint=LOGIN_HINT)
    if claims.mark != tokens.mark_of(server.secret, found):
        raise NotAuthenticated("The token has ended: the account was changed after it.", hint=LOGIN_HINT)
    return found
