"""Session tokens (JWT, HS256). Which account does this one name, and is it still valid?

A token names an account by its id, and carries a mark of the account's password hash and generation: another
password ends every token before it, and so does a deactivation, for good.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

from app.accounts.users import User
from app.errors import NotAuthenticated
from app.optional_imports import left_out

ALGORITHM = "HS256"
SIGNATURES_KEPT = 256


@dataclass(frozen=True)
class Claims:
    """What a valid token says: which account, the mark that its tokens had then, and of which session.

    One that was issued before 0.7.0 is of no session.
    """

    username: str
    user_id: int
    mark: str
    session_id: int | None = None


@cache
def library() -> Any:
    """Return PyJWT, which the first call loads: a server that no one has logged in to does without.

    Without the algorithms with two keys, which are taken by no one here: 9 MB.
    """
    with left_out("cryptography"):
        import jwt
    return jwt


def mark_of(secret: str, user: User) -> str:
    """Return what every token of the account carries now; it reveals nothing of the password hash.

    It changes with the stored hash and with the generation of the account.
    """
    return _mark(secret, user.token_generation, str(user.stored_hash))


@lru_cache(maxsize=SIGNATURES_KEPT)
def _mark(secret: str, token_generation: int, stored_hash: str) -> str:
    generation = f"{token_generation}:" if token_generation else ""
    said = f"generation:{generation}{stored_hash}"
    return hmac.new(secret.encode(), said.encode(errors="backslashreplace"), hashlib.sha256).hexdigest()[:16]


def issue_token(
    secret: str, user: User, *, now: datetime, minutes: int, session_id: int | None = None
) -> str:
    """Return a token for one account that ends after ``minutes``, and with its session if it is of one."""
    claims = {
        "sub": str(user.id),
        "name": user.username,
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(minutes=minutes)).timestamp()),
        "gen": mark_of(secret, user),
    }
    if session_id is not None:
        claims["sid"] = str(session_id)
    token: str = library().encode(claims, secret, algorithm=ALGORITHM)
    return token


def read_token(secret: str, token: str, now: datetime) -> Claims:
    """Return what a token says at ``now``; raises NotAuthenticated for one that is not ours, or over.

    Those of the old server (``sub`` and ``exp`` only) named a name, so that nothing ended them: not taken.
    """
    found = _signed_by_us(secret, token)
    ends = found["exp"]
    if not isinstance(ends, int) or isinstance(ends, bool) or ends <= now.timestamp():
        raise NotAuthenticated("The token has ended.", hint="Log in again: POST /auth/login")
    if set(found) == {"sub", "exp"}:
        raise NotAuthenticated(
            "The token is of an older version's form, which is taken no more.",
            hint="Log in again, once: POST /auth/login",
        )
    return _claims(secret, token)


@lru_cache(maxsize=SIGNATURES_KEPT)  # a signature holds for ever; what it is worth now is asked each time
def _signed_by_us(secret: str, token: str) -> Mapping[str, object]:
    """Return what a token says that this secret has signed, whenever that was; raises NotAuthenticated."""
    jwt = library()
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
    return MappingProxyType(found)


@lru_cache(maxsize=SIGNATURES_KEPT)
def _claims(secret: str, token: str) -> Claims:
    found = _signed_by_us(secret, token)
    subject, name, mark, session = found["sub"], found.get("name"), found.get("gen"), found.get("sid")
    well_formed = isinstance(name, str) and isinstance(mark, str) and isinstance(found.get("iat"), int)
    if not well_formed or not _is_id(subject) or not (session is None or _is_id(session)):
        raise _refused()
    return Claims(str(name), int(str(subject)), str(mark), None if session is None else int(str(session)))


def _is_id(text: object) -> bool:
    return (
        isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 19 and int(text) < 2**63
    )


def _refused() -> NotAuthenticated:
    return NotAuthenticated("The token is not valid here.", hint="Log in: POST /auth/login")
