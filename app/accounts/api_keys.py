"""Whose key is this? Old keys work as they did; one that is over, or whose owner is out, does not."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from app import clock
from app.accounts.users import User, find_user_by_id
from app.errors import NotAuthenticated
from app.tables import api_keys

USE_IS_NOTED_EVERY = timedelta(hours=1)  # so that reading with a key does not write at every request


@dataclass(frozen=True)
class KeyUse:
    """A key that is valid now: its id, whose it is, and whether this use should be noted."""

    key_id: int
    user: User
    is_to_be_noted: bool


def hash_of(key: str) -> str:
    """Return what is stored of a key: SHA-256 of its whole text, as the old server did."""
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()


def use_key(connection: Connection, key: str, now: datetime) -> KeyUse:
    """Return whose key it is; raises NotAuthenticated for one that is unknown, switched off or over."""
    found = connection.execute(select(api_keys).where(api_keys.c.key_hash == hash_of(key))).one_or_none()
    if found is None or found.is_active != 1 or is_over(found.expires_at, now):
        raise _refused()
    user = find_user_by_id(connection, found.user_id)
    if user is None or not user.is_active:
        raise _refused()
    last_used = clock.parse_stored(found.last_used)
    return KeyUse(found.id, user, last_used is None or now - last_used >= USE_IS_NOTED_EVERY)


def is_over(expires_at: object, now: datetime) -> bool:
    """Return whether a key that ends then has ended; a moment that cannot be read has passed."""
    if expires_at is None:
        return False
    ends = clock.parse_stored(expires_at)
    return ends is None or ends <= now


def note_use(connection: Connection, key_id: int, now: datetime) -> None:
    """Store when a key was used last."""
    connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(last_used=clock.stored(now)))


def _refused() -> NotAuthenticated:
    return NotAuthenticated(
        "The API key is not valid here.", hint="Ask its owner, or the admin, for another one."
    )
