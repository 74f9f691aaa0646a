"""Sessions (logins on the server's side). Which logins has a person, and which of them go on?

A session begins with a login and is one row. Its access tokens name it, so that they end with the row, at
once; it may have a refresh token (`refresh_tokens`), and then lasts longer than one access token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, insert, select, update

from app import clock
from app.accounts import audit
from app.accounts.audit import COMMAND_LINE, LONGEST_ADDRESS_CHARACTERS, LONGEST_AGENT_CHARACTERS, Actor
from app.errors import NotFound
from app.ids import new_id
from app.prepared_statements import PreparedQuery
from app.snapshot_memory import remembered
from app.tables import sessions

SESSIONS_MOST = 50
"""As many sessions an account has; the one that was longest unused makes room."""

CONFIRMED_FOR = timedelta(minutes=5)
"""How long after the password was typed a session may do what is dangerous."""


@dataclass(frozen=True)
class Session:
    """One login, with what may be told of it; ``has_refresh``: it can be refreshed."""

    id: int
    user_id: int
    created_at: str
    last_used_at: str
    expires_at: str
    confirmed_at: str | None
    has_refresh: bool
    ip_address: str | None
    user_agent: str | None

    def is_confirmed(self, now: datetime) -> bool:
        """Whether the password was typed in this session a moment ago."""
        typed = clock.parse_stored(self.confirmed_at)
        return typed is not None and now - CONFIRMED_FOR < typed <= now + CONFIRMED_FOR


# -- finding

_TOLD = select(
    *(sessions.c.id, sessions.c.user_id, sessions.c.created_at, sessions.c.last_used_at),
    *(sessions.c.expires_at, sessions.c.confirmed_at, case((sessions.c.refresh_hash.is_(None), 0), else_=1)),
    *(sessions.c.ip_address, sessions.c.user_agent),
)
_BY_ID = PreparedQuery(_TOLD.where(sessions.c.id == bindparam("session_id")))  # asked after each commit


def find_session(connection: Connection, session_id: int) -> Session | None:
    """Return a session that has not been ended, or None."""

    def read() -> Session | None:
        found = list(_BY_ID.rows(connection, {"session_id": session_id}))
        return _session(found[0]) if found else None

    return remembered(connection, ("session", session_id), read, while_writing=True)


def list_sessions(connection: Connection, user_id: int, now: datetime) -> list[Session]:
    """Return the sessions of a person that go on, the one used last first."""
    going_on = (sessions.c.user_id == user_id, sessions.c.expires_at > clock.stored(now))
    newest_first = (sessions.c.last_used_at.desc(), sessions.c.id)
    query = _TOLD.where(*going_on).order_by(*newest_first)
    return [_session(row) for row in connection.execute(query)]


def get_session(connection: Connection, session_id: int, user_id: int) -> Session:
    """Return a session of that person; raises NotFound, for someone else's too."""
    found = find_session(connection, session_id)
    if found is None or found.user_id != user_id:
        raise NotFound(f"There is no session {session_id}.", hint="GET /auth/sessions lists your sessions.")
    return found


def _session(row: Sequence[Any]) -> Session:
    session_id, user_id, created_at, last_used_at, expires_at, confirmed_at, has_refresh, address, agent = row
    times = (created_at, last_used_at, expires_at, confirmed_at)
    return Session(session_id, user_id, *times, bool(has_refresh), address, agent)


# -- beginning and going on: each writes sessions


def begin(
    connection: Connection,
    user_id: int,
    actor: Actor,
    now: datetime,
    ends: datetime,
    *,
    has_typed: bool = True,
) -> int:
    """Begin a session of who has just come in, with the password or without; return its id.

    Ended ones are cleared away.
    """
    session_id = new_id(connection, sessions)
    moment = clock.stored(now)
    connection.execute(
        insert(sessions).values(
            id=session_id,
            user_id=user_id,
            created_at=moment,
            last_used_at=moment,
            expires_at=clock.stored(ends),
            confirmed_at=moment if has_typed else None,
            ip_address=_cut(actor.ip_address, LONGEST_ADDRESS_CHARACTERS),
            user_agent=_cut(actor.user_agent, LONGEST_AGENT_CHARACTERS),
        )
    )
    _clear(connection, user_id, moment, session_id)
    return session_id


def let_refresh(
    connection: Connection, session_id: int, refresh_hash: str, now: datetime, ends: datetime
) -> None:
    """Let a session go on until then for who has the refresh token of this hash, and no other one."""
    values = {
        "refresh_hash": refresh_hash,
        "last_used_at": clock.stored(now),
        "expires_at": clock.stored(ends),
    }
    connection.execute(update(sessions).where(sessions.c.id == session_id).values(values))


def lengthen(connection: Connection, session_id: int, now: datetime, ends: datetime) -> None:
    """Let a session that can be refreshed go on until then, without another refresh token."""
    going_on = (sessions.c.id == session_id, sessions.c.refresh_hash.is_not(None))
    values = {"last_used_at": clock.stored(now), "expires_at": clock.stored(ends)}
    connection.execute(update(sessions).where(*going_on).values(values))


def is_refresh_hash(connection: Connection, session_id: int, refresh_hash: str) -> bool:
    """Return whether this is the hash of the session's refresh token that is valid now."""
    query = select(sessions.c.refresh_hash).where(sessions.c.id == session_id)
    return connection.execute(query).scalar() == refresh_hash


def confirm(connection: Connection, session_id: int, now: datetime) -> bool:
    """Note that the password was typed in this session; return whether there still is such a one."""
    typed = update(sessions).where(sessions.c.id == session_id).values(confirmed_at=clock.stored(now))
    return connection.execute(typed).rowcount == 1


def _clear(connection: Connection, user_id: int, moment: str, begun_id: int) -> None:
    others = (sessions.c.user_id == user_id, sessions.c.id != begun_id)
    connection.execute(delete(sessions).where(*others, sessions.c.expires_at <= moment))
    newest_first = (sessions.c.last_used_at.desc(), sessions.c.id)
    kept = select(sessions.c.id).where(*others).order_by(*newest_first).limit(SESSIONS_MOST - 1)
    connection.execute(delete(sessions).where(*others, sessions.c.id.not_in(kept)))


def _cut(text: str | None, most: int) -> str | None:
    return text[:most] if text else None


# -- ending: each writes sessions


def end(connection: Connection, session: Session, now: datetime, actor: Actor = COMMAND_LINE) -> None:
    """End one session, and with it its tokens. Writes audit_logs, too."""
    connection.execute(delete(sessions).where(sessions.c.id == session.id))
    said = {"session": session.id}
    audit.record(
        connection, audit.LOGGED_OUT, "users", session.user_id, now=now, new_values=said, **vars(actor)
    )


def end_stolen(connection: Connection, session: Session, now: datetime, actor: Actor) -> None:
    """End a session one of whose old refresh tokens came back: someone has a copy. Writes audit_logs, too."""
    connection.execute(delete(sessions).where(sessions.c.id == session.id))
    said = {"session": session.id}
    audit.record(
        connection, audit.REFRESH_REUSED, "users", session.user_id, now=now, new_values=said, **vars(actor)
    )


def end_all(connection: Connection, user_id: int) -> None:
    """End every session of an account; whoever calls says in the audit why."""
    connection.execute(delete(sessions).where(sessions.c.user_id == user_id))
