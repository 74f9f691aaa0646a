"""Refresh tokens (rotation, RFC 9700). Which session does one refresh, and is it the one that is valid now?

Each is good for one use, and gives the next one. Of the valid one a session keeps the SHA-256. An older one
is known by its signature, which holds for the account's password and generation: who sends one again has a
copy of what someone else used, or the other way round, and the session ends for both.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import struct
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from app import clock
from app.accounts import sessions, tokens, users
from app.accounts.sessions import Session
from app.accounts.users import User

PREFIX = "daemon_refresh_"
RANDOM_BYTES = 24
SIGNATURE_BYTES = 16
_FORM = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{64}}")
_SESSION_ID = struct.Struct(">Q")


@dataclass(frozen=True)
class Known:
    """What a token is for that was given once; ``is_valid``: it has not been used yet."""

    session: Session
    user: User
    is_valid: bool


def give(
    connection: Connection, secret: str, user: User, session_id: int, now: datetime, ends: datetime
) -> str:
    """Return a new refresh token of a session, which goes on until then; the one before is used up."""
    body = _SESSION_ID.pack(session_id) + secrets.token_bytes(RANDOM_BYTES)
    text = PREFIX + base64.urlsafe_b64encode(body + _signature(secret, user, body)).decode()
    sessions.let_refresh(connection, session_id, _hash_of(text), now, ends)
    return text


def find(connection: Connection, secret: str, text: str, now: datetime) -> Known | None:
    """Return what a refresh token is for; None for one that is not ours, or whose session has ended."""
    if not _FORM.fullmatch(text):
        return None
    token = base64.urlsafe_b64decode(text.removeprefix(PREFIX))
    body, signature = token[:-SIGNATURE_BYTES], token[-SIGNATURE_BYTES:]
    session_id = _SESSION_ID.unpack_from(body)[0]
    session = sessions.find_session(connection, session_id) if session_id < 2**63 else None
    if session is None or session.expires_at <= clock.stored(now):
        return None
    user = users.find_user_by_id(connection, session.user_id)
    if user is None or not user.is_active:
        return None
    if not hmac.compare_digest(_signature(secret, user, body), signature):
        return None
    return Known(session, user, sessions.is_refresh_hash(connection, session.id, _hash_of(text)))


def _signature(secret: str, user: User, body: bytes) -> bytes:
    """Return what only this installation writes behind ``body``, as long as the account's tokens hold."""
    said = b"refresh:" + tokens.mark_of(secret, user).encode() + body
    return hmac.digest(secret.encode(), said, "sha256")[:SIGNATURE_BYTES]


def _hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
