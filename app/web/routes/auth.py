"""Coming in: the first account by its token, login by password, and who one is."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app import clock, log
from app.accounts import audit, claim, passwords, places, tokens, users
from app.accounts.throttle import Try, network_of, too_many_tries
from app.accounts.users import NewUser, User
from app.entries.entry import Origin, invalid
from app.errors import DaemonError, NotAllowed, NotAuthenticated, TooMuch
from app.server.client_address import address_of
from app.server.state import ServerState
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
from app.web.deps import ServerOf, account_of, intake_of

router = APIRouter(prefix="/auth", tags=["accounts"])
Body = Annotated[bytes, Depends(body_of)]
REFUSAL_SECONDS = 0.5  # every refused login takes at least this long, so that its time tells little
REFUSED_CLAIM_SECONDS = 5.0
MEMBERS = frozenset({"username", "email", "password", "full_name", "claim_token", "is_admin"})

_log = log.get_logger(__name__)


@router.post("/login", operation_id="login")
async def login(request: Request, server: ServerOf, body: Body) -> Response:
    """Give a token for the form fields ``username`` and ``password``."""
    username, password = await _credentials(request, body)
    intake_of(request).let_go()  # who waits for a turn holds nothing that others need
    origin = origin_of(request, server)
    network = network_of(origin.ip_address or "")
    user, is_known_place = await run_in_threadpool(_look_up, server, username, network)
    tried = _start(server, username, user, origin, is_known_place)
    await asyncio.sleep(tried.wait_seconds)
    began = time.monotonic()
    queue = server.hashing_at_known_places if is_known_place else server.hashing
    verdict = await queue.run(_verify, user, password)
    if user is None or not verdict.right or not user.is_active:
        await asyncio.sleep(max(0.0, REFUSAL_SECONDS - (time.monotonic() - began)))
        _log.warning("A login was refused.", extra={"address": origin.ip_address})
        server.pending_audit.refused_login(audit.LOGIN_REFUSED, user, origin)
        raise _refused(tried)
    token = await run_in_threadpool(_come_in, server, user, verdict.replacement, tried, origin)
    seconds = server.settings.access_token_expire_minutes * 60
    value = {"access_token": token, "token_type": "bearer", "expires_in": seconds}
    return reply(request, value, is_public=False)


@router.post("/register", operation_id="register", status_code=201)
async def register(request: Request, server: ServerOf, body: Body) -> Response:
    """Create the first account, an admin's, with the one-time token of the start. Closed otherwise."""
    check_is_json(request)
    wanted = parse_object(body)
    offered = request.headers.get("x-claim-token") or optional_text_member(wanted, "claim_token")
    await run_in_threadpool(_check_claim, request, server, offered)
    new = await _new_user(server, wanted)
    user = await run_in_threadpool(_claim, server, offered or "", new)
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


# -- login


async def _credentials(request: Request, body: bytes) -> tuple[str, str]:
    fields = await form_fields(request, body)
    if fields is None:
        raise WrongMediaType(
            "The login is a form.", hint="curl -d 'username=NAME' -d 'password=PASSWORD' .../auth/login"
        )
    return text_member(fields, "username"), text_member(fields, "password")


def origin_of(request: Request, server: ServerState) -> Origin:
    """Return where a request comes from."""
    address = address_of(request.scope, server.settings.trusted_proxies)
    return Origin(address, request.headers.get("user-agent"))


def _look_up(server: ServerState, username: str, network: str) -> tuple[User | None, bool]:
    """Return the account that was named, if there is one, and whether it came in from that network before."""
    with server.supervisor.reading() as connection:
        user = users.find_user_as_typed(connection, username)
        return user, places.is_known(connection, server.secret, user.id if user else None, network)


def _start(
    server: ServerState, username: str, user: User | None, origin: Origin, is_known_place: bool
) -> Try:
    """Return the try that begins here; raises TooMuch. One that has to wait is told in the audit."""
    try:
        tried = server.throttle.start(
            username, network_of(origin.ip_address or ""), is_known_place=is_known_place
        )
    except TooMuch:
        server.pending_audit.refused_login(audit.LOGIN_SLOWED, user, origin)
        raise
    if tried.wait_seconds > 0:
        server.pending_audit.refused_login(audit.LOGIN_SLOWED, user, origin)
    return tried


def _verify(user: User | None, password: str) -> passwords.Verdict:
    if user is None:
        return passwords.spend_the_time_of_one(password)
    return passwords.verify_password(password, user.stored_hash)


def _refused(tried: Try) -> DaemonError:
    """Return the error of a wrong login: beyond what may be tried it is the number of tries that is wrong."""
    if tried.is_over:
        return too_many_tries(tried.wait_seconds)
    return NotAuthenticated("The user name or the password is wrong.", hint="Check both, then try again.")


def _come_in(server: ServerState, user: User, replacement: str | None, tried: Try, origin: Origin) -> str:
    """Store that the user came in, from where and, where it was outdated, their new hash; return a token."""
    network = network_of(origin.ip_address or "")
    now = clock.now()
    with server.supervisor.writing() as connection:
        current = users.find_user_by_id(connection, user.id)
        if current is None or current.stored_hash != user.stored_hash or not current.is_active:
            server.pending_audit.refused_login(audit.LOGIN_REFUSED, user, origin)
            raise NotAuthenticated("The account was changed in this moment.", hint="Log in again.")
        if replacement is not None:
            users.set_password_hash(connection, user.id, replacement)
        users.note_login(connection, user.id, now)
        places.remember(connection, server.secret, user.id, network, now)
        audit.record(
            connection,
            audit.LOGIN,
            "users",
            user.id,
            now=now,
            user_id=user.id,
            ip_address=origin.ip_address,
            user_agent=origin.user_agent,
        )
    server.throttle.came_in(tried)
    came_in = replace(current, stored_hash=replacement or current.stored_hash)
    minutes = server.settings.access_token_expire_minutes
    return tokens.issue_token(server.secret, came_in, now=now, minutes=minutes)


# -- the first account


def _check_claim(request: Request, server: ServerState, offered: str | None) -> None:
    """Raise NotAllowed where registration is closed to whoever offers this token."""
    with server.supervisor.reading() as connection:
        if server.see_claim(connection):
            raise NotAllowed("Registration is closed.", hint=claim.CLOSED_HINT)
    if offered is not None and claim.is_claim_token(server.settings, offered):
        return  # whatever others guess: the right token is never held up
    network = network_of(origin_of(request, server).ip_address or "")
    if server.throttle.start("\0claim", network, is_known_place=True).is_over:
        raise too_many_tries(REFUSED_CLAIM_SECONDS)
    raise NotAllowed(
        "The claim token is missing or wrong.",
        hint=f"It was printed when the server started, and is in {server.settings.claim_path.name} "
        "beside the database: send it as claim_token.",
    )


async def _new_user(server: ServerState, wanted: dict[str, object]) -> NewUser:
    """Return the account to make of a body; raises InvalidContent. ``is_admin`` in it counts for nothing."""
    unknown = sorted(set(wanted) - MEMBERS)
    if unknown:
        raise invalid(f"/{unknown[0]}", "this member is not known here")
    username, email = text_member(wanted, "username"), text_member(wanted, "email")
    password, full_name = text_member(wanted, "password"), optional_text_member(wanted, "full_name")
    users.check_new_user(username, email, password, full_name)
    return NewUser(
        username,
        email,
        await server.hashing_at_known_places.run(passwords.hash_password, password),
        full_name,
    )


def _claim(server: ServerState, offered: str, new: NewUser) -> User:
    with server.supervisor.writing() as connection:
        if not claim.is_claim_token(server.settings, offered):
            raise NotAllowed("This installation has been claimed already.", hint=claim.CLOSED_HINT)
        user = claim.claim(connection, new, clock.now())
    server.is_claimed = True
    claim.end_claim_token(server.settings)
    _log.info("The installation was claimed.", extra={"user_id": user.id})
    return user
