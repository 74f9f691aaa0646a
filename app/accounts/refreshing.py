"""Refreshing a session. Who is given the next tokens, and how are guesses slowed down?"""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection

from app import clock, log
from app.accounts import refresh_tokens, token_grants
from app.accounts.audit import Actor
from app.accounts.login import Process
from app.accounts.throttle import network_of
from app.accounts.token_grants import Token
from app.errors import NotAuthenticated

_log = log.get_logger(__name__)


async def refresh(process: Process, text: str, actor: Actor) -> Token:
    """Return the next tokens of the session that a refresh token is of; it is used up.

    Raises NotAuthenticated for one that is good for nothing, whatever the reason, and TooMuch where that was
    tried too often. One that was used before ends its session. Writes sessions and audit_logs.
    """
    given = None
    if await process.read(partial(_is_known, process.secret, text)):
        given = await process.write(partial(_next, process, text, actor))
        if given is None:
            _log.warning("A refresh token came back.", extra={"address": actor.ip_address})
    if given is None:
        await process.count(partial(process.throttle.refuse, "refresh", network_of(actor.ip_address or "")))
        raise NotAuthenticated("The refresh token is not valid here.", hint="Log in again: POST /auth/login")
    return given


def _is_known(secret: str, text: str, connection: Connection) -> bool:
    return refresh_tokens.find(connection, secret, text, clock.now()) is not None


def _next(process: Process, text: str, actor: Actor, connection: Connection) -> Token | None:
    return token_grants.refresh(process, connection, text, actor, clock.now())
