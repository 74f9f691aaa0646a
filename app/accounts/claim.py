"""Claiming. Whose installation is this? Of the first account, which inherits what was written."""

from __future__ import annotations

import hmac
from datetime import datetime

from sqlalchemy import Connection, select

from app.accounts import audit, users
from app.accounts.secret import read_line, read_or_make, replace_line
from app.accounts.throttle import LoginThrottle
from app.accounts.users import NewUser, User
from app.entries import unclaimed
from app.errors import NotAllowed
from app.prepared_statements import PreparedQuery
from app.settings import Settings
from app.tables import audit_logs

CLOSED_HINT = "An admin makes accounts: daemon user create NAME"

# By its table first: of what the audit says, an index finds that about accounts.
_CLAIMS = PreparedQuery(
    select(audit_logs.c.id)
    .where(audit_logs.c.table_name == "users", audit_logs.c.action == audit.CLAIM)
    .limit(1)
)


def is_claimed(connection: Connection) -> bool:
    """Return whether there is, or ever was, an account."""
    return users.was_any_user_ever_named(connection) or _CLAIMS.value(connection) is not None


def claim_token(settings: Settings) -> str:
    """Return the one-time token, making it (``data/claim``, 0600) where there is none. Raises OSError."""
    return read_or_make(settings.claim_path)


def is_claim_token(settings: Settings, offered: str) -> bool:
    """Return whether ``offered`` is the token that was printed."""
    expected = read_line(settings.claim_path)
    return bool(expected) and hmac.compare_digest(expected.encode(), offered.encode(errors="replace"))


def exchange_token(settings: Settings, offered: str) -> str:
    """Put another token in the place of the one that is offered, and return it; for a link that is good once.

    Writes ``data/claim``. Raises NotAllowed where it was not the token any more.
    """
    if not is_claim_token(settings, offered):
        raise NotAllowed("This link was used already.", hint=CLOSED_HINT)
    return replace_line(settings.claim_path)


def end_claim_token(settings: Settings) -> None:
    """Remove the token: the installation has been claimed."""
    settings.claim_path.unlink(missing_ok=True)


def create_account(connection: Connection, new: NewUser, now: datetime) -> User:
    """Create an account; the first one also takes over the installation. Raises Conflict.

    Anyone who calls says in ``new.is_admin`` whether it is an admin's. After the commit of the first account
    `end_claim_token` is due.
    """
    if is_claimed(connection):
        return users.create_user(connection, new, now)
    return _take_over(connection, new, now)


def claim(connection: Connection, new: NewUser, now: datetime) -> User:
    """Create the first account, an admin; raises NotAllowed where someone was faster."""
    if is_claimed(connection):
        raise NotAllowed("This installation has been claimed already.", hint=CLOSED_HINT)
    first = NewUser(new.username, new.email, new.password_hash, new.full_name, is_admin=True)
    return _take_over(connection, first, now)


def check_is_open(*, is_claimed: bool) -> None:
    """Raise NotAllowed where the installation has its first account: no one registers any more."""
    if is_claimed:
        raise NotAllowed("Registration is closed.", hint=CLOSED_HINT)


def check_token(settings: Settings, throttle: LoginThrottle, offered: str | None, network: str) -> None:
    """Raise NotAllowed where ``offered`` is not the token, TooMuch where that was tried too often."""
    if offered is not None and is_claim_token(settings, offered):
        return  # whatever others guess: the right token is never held up
    throttle.refuse("claim", network)
    raise NotAllowed(
        "The claim token is missing or wrong.",
        hint=f"It was printed when the server started, and is in {settings.claim_path.name} "
        "beside the database: send it as claim_token.",
    )


def claim_by_token(
    connection: Connection, settings: Settings, offered: str, new: NewUser, now: datetime
) -> User:
    """Create the first account for the token; raises NotAllowed where someone was faster, and Conflict.

    After the commit `end_claim_token` is due.
    """
    if not is_claim_token(settings, offered):
        raise NotAllowed("This installation has been claimed already.", hint=CLOSED_HINT)
    return claim(connection, new, now)


def _take_over(connection: Connection, new: NewUser, now: datetime) -> User:
    user = users.create_user(connection, new, now)
    unclaimed.hand_over(connection, user.id)
    audit.record(connection, audit.CLAIM, "users", user.id, now=now, user_id=user.id)
    return user
