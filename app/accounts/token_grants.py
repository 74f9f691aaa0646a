"""Token grants (access and refresh token). What is someone given who comes in, or refreshes a session?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection

from app.accounts import refresh_tokens, sessions, tokens
from app.accounts.audit import Actor
from app.accounts.users import User


class Terms(Protocol):
    """What tokens are signed with, and how long they hold."""

    @property
    def secret(self) -> str:
        """What tokens are signed with."""

    @property
    def token_minutes(self) -> int:
        """How long an access token is valid."""

    @property
    def session_days(self) -> int:
        """How long a session can be refreshed after it was used last."""


@dataclass(frozen=True)
class Token:
    """What anyone who came in is given; ``refresh_text``: the refresh token, where one was asked for."""

    text: str
    expires_in_seconds: int
    refresh_text: str | None = None


def begin(
    terms: Terms,
    connection: Connection,
    user: User,
    actor: Actor,
    now: datetime,
    *,
    with_refresh: bool,
    has_typed: bool = True,
) -> Token:
    """Begin a session of who has just come in, and return its tokens. Writes sessions.

    ``has_typed``: the password was typed for it.
    """
    ends = now + timedelta(minutes=terms.token_minutes)
    session_id = sessions.begin(connection, user.id, actor, now, ends, has_typed=has_typed)
    return _token(terms, connection, user, session_id, now, with_refresh=with_refresh)


def refresh(terms: Terms, connection: Connection, text: str, actor: Actor, now: datetime) -> Token | None:
    """Return the next tokens of a session for its refresh token; None where that is not good for any.

    One that was used already ends the session. Writes sessions, and then audit_logs; so whoever calls lets
    the transaction be committed, whatever is returned.
    """
    known = refresh_tokens.find(connection, terms.secret, text, now)
    if known is None:
        return None
    if not known.is_valid:
        sessions.end_stolen(connection, known.session, now, actor)
        return None
    return _token(terms, connection, known.user, known.session.id, now, with_refresh=True)


def _token(
    terms: Terms,
    connection: Connection,
    user: User,
    session_id: int,
    now: datetime,
    *,
    with_refresh: bool,
) -> Token:
    refresh_text = None
    if with_refresh:
        ends = now + max(timedelta(days=terms.session_days), timedelta(minutes=terms.token_minutes))
        refresh_text = refresh_tokens.give(connection, terms.secret, user, session_id, now, ends)
    text = tokens.issue_token(terms.secret, user, now=now, minutes=terms.token_minutes, session_id=session_id)
    return Token(text, terms.token_minutes * 60, refresh_text)
