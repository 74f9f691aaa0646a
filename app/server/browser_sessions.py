"""Browser session (cookie). Whose login does the cookie of a browser stand for, and how long does it go on?

The cookie holds the refresh token of a session as the API gives it, so that whatever ends sessions ends it
too: a log-out, everywhere or here, another password, a deactivation. It is only compared, and never used up:
two tabs that ask at once hold the same one.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from app import clock
from app.accounts import refresh_tokens, sessions, tokens
from app.accounts.sessions import Session
from app.accounts.users import User

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.server.state import ServerState

TOKEN_MINUTES = 5
LENGTHENED_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class SignedIn:
    """The person whose browser asks, and the session that its cookie is of."""

    user: User
    session: Session
    cookie: str

    def access_token(self, server: ServerState) -> str:
        """Return a token for the API that ends with this session, or in a few minutes."""
        return tokens.issue_token(
            server.secret, self.user, now=clock.now(), minutes=TOKEN_MINUTES, session_id=self.session.id
        )

    def form_token(self, server: ServerState) -> str:
        """Return what a form of this session holds, so that no other page can send one (CSRF)."""
        return hmac.digest(server.secret.encode(), b"form:" + self.cookie.encode(), "sha256").hex()


def find(server: ServerState, connection: Connection, cookie: str) -> SignedIn | None:
    """Return whose browser sends this cookie; None for one that is good for nothing, or no more."""
    known = refresh_tokens.find(connection, server.secret, cookie, clock.now())
    if known is None or not known.is_valid:
        return None
    return SignedIn(known.user, known.session, cookie)


async def lengthen(server: ServerState, signed_in: SignedIn) -> None:
    """Let a session that is used go on, at most once a day. Writes sessions."""
    now = clock.now()
    used = clock.parse_stored(signed_in.session.last_used_at)
    if used is None or now - used >= LENGTHENED_AFTER:
        ends = now + timedelta(days=server.settings.session_days)
        work = partial(sessions.lengthen, session_id=signed_in.session.id, now=now, ends=ends)
        await server.writes.write(work)
