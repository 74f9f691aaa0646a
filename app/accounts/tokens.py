"""Who does this token say I am? HS256 and nothing else; a password change ends every token before it."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt

from app.errors import NotAuthenticated

ALGORITHM = "HS256"
OLD_TOKEN_MINUTES = 30  # what the old server gave; an old token that ends later was not made by it


@dataclass(frozen=True)
class Claims:
    """What a valid token says. An old server's token has a name only."""

    username: str
    user_id: int | None
    generation: str | None


def generation_of(secret: str, stored_hash: str) -> str:
    """Return a mark that changes whenever the stored password hash does, and reveals nothing of it."""
    return hmac.new(secret.encode(), b"generation:" + stored_hash.encode(), hashlib.sha256).hexdigest()[:16]


def issue_token(
    secret: str, *, user_id: int, username: str, stored_hash: str, now: datetime, minutes: int
) -> str:
    """Return a token for one account that ends after ``minutes``."""
    claims = {
        "sub": str(user_id),
        "name": username,
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(minutes=minutes)).timestamp()),
        "gen": generation_of(secret, stored_hash),
    }
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def read_token(secret: str, token: str, now: datetime) -> Claims:
    """Return what a token says at ``now``; raises NotAuthenticated for one that is not ours, or over."""
    try:
        found = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            options={
                "require": ["sub", "exp"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
        raise _refused() from error
    ends = found["exp"]
    if not isinstance(ends, int) or isinstance(ends, bool) or ends <= now.timestamp():
        raise NotAuthenticated("The token has ended.", hint="Log in again: POST /auth/login")
    return _new_claims(found) if "gen" in found else _old_claims(found, ends, now)


def _new_claims(found: dict[str, object]) -> Claims:
    subject, name, generation = found["sub"], found.get("name"), found["gen"]
    well_formed = isinstance(name, str) and isinstance(generation, str) and isinstance(found.get("iat"), int)
    if not well_formed or not isinstance(subject, str) or not _is_id(subject):
        raise _refused()
    return Claims(str(name), int(subject), str(generation))


def _old_claims(found: dict[str, object], ends: int, now: datetime) -> Claims:
    """Take a token of the old server until it ends: exactly a name and an end within its thirty minutes."""
    subject = found["sub"]
    if set(found) != {"sub", "exp"} or not isinstance(subject, str):
        raise _refused()
    if ends > (now + timedelta(minutes=OLD_TOKEN_MINUTES)).timestamp():
        raise _refused()
    return Claims(subject, None, None)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 19


def _refused() -> NotAuthenticated:
    return NotAuthenticated("The token is not valid here.", hint="Log in: POST /auth/login")
