"""Login at a provider that was begun (state, nonce, PKCE). Does what comes back belong to this browser?

What was begun is in a cookie of the browser that began it, sealed (AES-SIV) with a key from the secret of
the installation: a stranger who begins logins makes the server keep nothing. The state is used up in the
transaction that lets someone in, as a one-time link is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, delete, insert, select

from app import clock
from app.accounts.id_token import refused
from app.ids import new_id
from app.tables import one_time_links

GOOD_FOR = timedelta(minutes=10)
USED = "oidc"
Purpose = Literal["login", "link", "join", "confirm", "code"]


def _drawn() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Attempt:
    """One login that was begun, for a purpose. ``code``: that someone has proved who they are at the provider
    is known, and the code of the second factor is asked for: ``subject`` says who, ``then`` what for.
    """

    purpose: Purpose
    begun_at: float
    state: str = field(default_factory=_drawn)
    nonce: str = field(default_factory=_drawn)
    verifier: str = field(default_factory=_drawn)
    user_id: int | None = None
    session_id: int | None = None
    invitation: str | None = None
    username: str | None = None
    email: str | None = None
    full_name: str | None = None
    with_refresh: bool = False
    subject: str | None = None
    then: Purpose | None = None

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier (S256)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def seal(secret: str, attempt: Attempt) -> str:
    """Return the text of the cookie."""
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    plain = json.dumps(asdict(attempt)).encode()
    return base64.urlsafe_b64encode(AESSIV(_key(secret)).encrypt(plain, [])).decode().rstrip("=")


def unseal(secret: str, cookie: str, purposes: tuple[Purpose, ...]) -> Attempt:
    """Return what was begun; raises NotAllowed for what is not ours, over, or for another purpose."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    try:
        sealed = base64.b64decode(cookie + "=" * (-len(cookie) % 4), altchars=b"-_", validate=True)
        attempt = Attempt(**json.loads(AESSIV(_key(secret)).decrypt(sealed, [])))
    except (InvalidTag, ValueError, TypeError) as error:
        raise refused() from error
    age = clock.now().timestamp() - attempt.begun_at
    if attempt.purpose not in purposes or not -60 <= age <= GOOD_FOR.total_seconds():
        raise refused()
    return attempt


def check_state(attempt: Attempt, state: str) -> None:
    """Raise NotAllowed where what came back is of another login than the one this browser began."""
    if not hmac.compare_digest(attempt.state.encode(), state.encode()):
        raise refused()


def use_up(connection: Connection, attempt: Attempt, now: datetime) -> None:
    """See to it that a login lets someone in once; raises NotAllowed the second time.

    Writes one_time_links, where a row without a purpose that opens anything says that the state was used.
    """
    used = hashlib.sha256(f"{USED} {attempt.state}".encode()).hexdigest()
    row = {
        "id": new_id(connection, one_time_links),
        "purpose": USED,
        "token_hash": used,
        "created_at": clock.stored(now),
        "expires_at": clock.stored(now + GOOD_FOR + timedelta(minutes=2)),
    }
    is_used = connection.execute(
        select(one_time_links.c.id).where(one_time_links.c.token_hash == used)
    ).first()
    if is_used is not None:  # writers come one after the other, in all processes
        raise refused()
    connection.execute(delete(one_time_links).where(one_time_links.c.expires_at <= row["created_at"]))
    connection.execute(insert(one_time_links).values(**row))


def _key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"logins at a provider", "sha256")
