"""Login at a provider (OpenID Connect), run by this process: begun, come back, and what for.

Authorization code with PKCE, state and nonce; of what the provider says only issuer and subject are used.
What is decided is decided in `accounts.oidc_attempts`, `accounts.id_token` and `accounts.login_identities`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from app import clock
from app.accounts import (
    audit,
    id_token,
    login_identities,
    oidc_attempts,
    one_time_links,
    passwords,
    second_factor,
    sessions,
    token_grants,
    users,
)
from app.accounts.audit import Actor
from app.accounts.id_token import Wanted, refused
from app.accounts.oidc_attempts import Attempt, Purpose
from app.accounts.one_time_links import INVITATION
from app.accounts.throttle import network_of
from app.accounts.token_grants import Token
from app.accounts.users import NewUser, User
from app.errors import NotAllowed, NotAuthenticated, TooMuch
from app.server.login import _Process

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.entries.entry import Origin
    from app.server.state import ServerState


Finish = Callable[["ServerState", "Connection", Attempt, str, Actor], Token | None]


@dataclass(frozen=True)
class Begun:
    """Where the browser goes, and what it keeps meanwhile."""

    address: str
    cookie: str


@dataclass(frozen=True)
class CameBack:
    """How a login at the provider ended: with tokens, with a cookie for the code, or with neither."""

    purpose: Purpose
    token: Token | None = None
    cookie: str | None = None


def begin(server: ServerState, attempt: Attempt) -> Begun:
    """Return where to log in at the provider, for the purpose of ``attempt``.

    Raises NotFound where no provider is set up, ProviderFailed where it cannot be asked.
    """
    provider = server.oidc
    provider.check_is_on()
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uri,
        "scope": "openid",
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": attempt.challenge,
        "code_challenge_method": "S256",
    }
    if attempt.purpose == "confirm":
        asked |= {"prompt": "login", "max_age": "0"}
    place = provider.discovered().authorization_endpoint
    address = f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}"
    return Begun(address, oidc_attempts.seal(server.secret, attempt))


def come_back(
    server: ServerState, cookie: str, state: str, code: str, issuer: str | None, origin: Origin
) -> CameBack:
    """Finish what this browser began. Everything that does not fit is one refusal, NotAllowed.

    Raises TooMuch where a network tries too often, and ProviderFailed. Where the account has a second factor,
    the cookie with which its code is sent is returned.
    """
    server.oidc.check_is_on()
    try:
        attempt = oidc_attempts.unseal(server.secret, cookie, ("login", "link", "join", "confirm"))
        oidc_attempts.check_state(attempt, state)
        _check_issuer(server, issuer)
        wanted = Wanted(
            server.oidc.issuer,
            server.oidc.client_id,
            attempt.nonce,
            attempt.begun_at if attempt.purpose == "confirm" else None,
        )
        token = server.oidc.exchange(code, attempt.verifier)
        subject = id_token.subject_of(token, server.oidc.key, wanted)
    except NotAllowed:
        count_refusal(server, origin)
        raise
    if attempt.purpose == "join":
        return _joined(server, attempt, subject, origin)
    return _finished(server, attempt, subject, origin)


def send_code(server: ServerState, cookie: str, otp: str, origin: Origin) -> CameBack:
    """Finish a login at the provider with a code of the second factor; raises as a login's code does."""
    server.oidc.check_is_on()
    attempt = oidc_attempts.unseal(server.secret, cookie, ("code",))
    assert attempt.subject is not None
    assert attempt.then is not None
    actor = Actor(None, origin.ip_address, origin.user_agent)
    with server.supervisor.writing() as connection:
        user = login_identities.find_user(connection, server.oidc.issuer, attempt.subject)
        if user is None or user.id != attempt.user_id:
            raise refused()
        outcome = second_factor.check(connection, server.secret, user, otp, clock.now(), actor)
    if outcome == "taken":
        return _finished(
            server, replace(attempt, purpose=attempt.then), attempt.subject, origin, has_code=True
        )
    server.pending_audit.refused_login(audit.LOGIN_REFUSED, user, actor)
    if outcome == "blocked":
        raise TooMuch("Too many wrong codes.", hint="Wait, or send a recovery code.", retry_after_seconds=30)
    raise NotAuthenticated("The code is wrong, or was used already.", hint="Wait for the next code.")


def end_session_url(server: ServerState) -> str | None:
    """Return where one logs out at the provider, or None; raises ProviderFailed."""
    place = server.oidc.discovered().end_session_endpoint
    if place is None:
        return None
    return f"{place}{'&' if '?' in place else '?'}{urlencode({'client_id': server.oidc.client_id})}"


def count_refusal(server: ServerState, origin: Origin) -> None:
    """Count what did not succeed; raises TooMuch where a network does so too often."""
    server.throttle.refuse("provider", network_of(origin.ip_address or ""))


def _check_issuer(server: ServerState, issuer: str | None) -> None:
    """Raise where another provider's answer was mixed up with ours (RFC 9207)."""
    expects = server.oidc.discovered().names_itself
    if issuer != server.oidc.issuer and (expects or issuer is not None):
        raise refused()


def _finished(
    server: ServerState, attempt: Attempt, subject: str, origin: Origin, *, has_code: bool = False
) -> CameBack:
    """Do what the login was for, in one transaction with the use of its state."""
    actor = Actor(attempt.user_id, origin.ip_address, origin.user_agent)
    finish: dict[Purpose, Finish] = {"login": _come_in, "link": _link, "confirm": _confirm}
    with server.supervisor.writing() as connection:
        if attempt.purpose != "link" and not has_code:
            user = login_identities.find_user(connection, server.oidc.issuer, subject)
            if user is not None and second_factor.is_on(connection, user.id):
                oidc_attempts.use_up(connection, attempt, clock.now())
                return CameBack(attempt.purpose, cookie=_for_code(server, attempt, subject, user))
        used = replace(attempt, state=f"code {attempt.state}") if has_code else attempt
        oidc_attempts.use_up(connection, used, clock.now())
        token = finish[attempt.purpose](server, connection, attempt, subject, actor)
    return CameBack(attempt.purpose, token)


def _for_code(server: ServerState, attempt: Attempt, subject: str, user: User) -> str:
    waiting = replace(
        attempt,
        purpose="code",
        then=attempt.purpose,
        subject=subject,
        user_id=user.id,
        begun_at=clock.now().timestamp(),
    )
    return oidc_attempts.seal(server.secret, waiting)


def _come_in(
    server: ServerState, connection: Connection, attempt: Attempt, subject: str, actor: Actor
) -> Token:
    now = clock.now()
    user = login_identities.find_user(connection, server.oidc.issuer, subject)
    if user is None:
        raise NotAllowed(
            "No account that may come in is linked with this login.",
            hint="Log in with a password, then: POST /auth/oidc/link. Or ask an admin for an invitation.",
        )
    login_identities.note_use(connection, server.oidc.issuer, subject, now)
    users.note_login(connection, user.id, now)
    about_them = {**vars(actor), "user_id": user.id}
    said = {"issuer": server.oidc.issuer}
    audit.record(connection, audit.LOGIN, "users", user.id, now=now, new_values=said, **about_them)
    process = _Process(server)
    return token_grants.begin(
        process, connection, user, actor, now, with_refresh=attempt.with_refresh, has_typed=False
    )


def _link(
    server: ServerState, connection: Connection, attempt: Attempt, subject: str, actor: Actor
) -> Token | None:
    """The login that began it goes on, or else no one knows who asks now."""
    _check_session(connection, attempt)
    assert attempt.user_id is not None
    login_identities.link(connection, attempt.user_id, server.oidc.issuer, subject, clock.now(), actor)
    return None


def _confirm(
    server: ServerState, connection: Connection, attempt: Attempt, subject: str, actor: Actor
) -> None:
    _check_session(connection, attempt)
    user = login_identities.find_user(connection, server.oidc.issuer, subject)
    if user is None or user.id != attempt.user_id:
        raise refused()
    assert attempt.session_id is not None
    sessions.confirm(connection, attempt.session_id, clock.now())
    return


def _check_session(connection: Connection, attempt: Attempt) -> None:
    found = None if attempt.session_id is None else sessions.find_session(connection, attempt.session_id)
    if found is None or found.user_id != attempt.user_id or found.expires_at <= clock.stored(clock.now()):
        raise refused()
    user = users.find_user_by_id(connection, found.user_id)
    if user is None or not user.is_active:
        raise refused()


def _joined(server: ServerState, attempt: Attempt, subject: str, origin: Origin) -> CameBack:
    """Make the account of someone who was invited, and let them in: it has a password that no one knows."""
    stored_hash = passwords.hash_password(secrets.token_urlsafe(32))
    with server.supervisor.writing() as connection:
        now = clock.now()
        oidc_attempts.use_up(connection, attempt, now)
        link = one_time_links.get_link(connection, attempt.invitation or "", INVITATION, now)
        new = NewUser(
            attempt.username or "",
            attempt.email or "",
            stored_hash,
            attempt.full_name,
            is_admin=link.role == "admin",
            is_reader=link.role == "reader",
        )
        made = users.create_user(connection, new, now)
        actor = Actor(made.id, origin.ip_address, origin.user_agent)
        one_time_links.use(connection, link, now, actor)
        login_identities.link(connection, made.id, server.oidc.issuer, subject, now, actor)
        token = _come_in(server, connection, attempt, subject, actor)
    return CameBack(attempt.purpose, token)
