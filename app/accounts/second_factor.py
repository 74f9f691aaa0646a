"""Second factor (TOTP, recovery codes). Is this a code of the account, which no one has used before?

The secret is stored encrypted with a key from the signing secret; recovery codes, good for one use each, by
their hash. A code of six digits can be guessed: after a few wrong ones each next one waits longer. A recovery
code cannot, and is always taken.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from app import clock, log
from app.accounts import audit, encrypted_secrets, totp
from app.accounts.audit import COMMAND_LINE, Actor
from app.accounts.users import User
from app.errors import Conflict, InvalidContent
from app.tables import recovery_codes, second_factors

RECOVERY_CODES = 10
RECOVERY_BYTES = 10
WRONG_CODES_FREE = 5
LONGEST_WAIT = timedelta(hours=1)

Outcome = Literal["taken", "wrong", "blocked"]

_PURPOSE = b"second factors"
_log = log.get_logger(__name__)
_ON = select(second_factors.c.user_id).where(
    second_factors.c.user_id == bindparam("of_user"), second_factors.c.confirmed_at.is_not(None)
)


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator program is given, once."""

    secret: str
    uri: str


@dataclass(frozen=True)
class State:
    """What a person is told of their second factor."""

    is_on: bool
    since: str | None
    recovery_codes_left: int


def is_on(connection: Connection, user_id: int) -> bool:
    """Return whether a login of this account needs a code."""
    return connection.execute(_ON, {"of_user": user_id}).first() is not None


def state_of(connection: Connection, user_id: int) -> State:
    """Return what a person is told of their second factor."""
    query = select(second_factors.c.confirmed_at).where(second_factors.c.user_id == user_id)
    since = connection.execute(query).scalar()
    codes = select(func.count()).where(recovery_codes.c.user_id == user_id)
    return State(since is not None, since, int(connection.execute(codes).scalar_one()))


# -- turning on and off: each writes second_factors and recovery_codes, and audit_logs where it is said


def begin(connection: Connection, secret: str, user: User, now: datetime) -> Enrolment:
    """Draw a secret for an account; it is not asked for before `confirm`. Raises Conflict where one is on."""
    if is_on(connection, user.id):
        raise Conflict("The second factor is on already.", hint="Turn it off first.")
    drawn = totp.new_secret()
    forget(connection, user.id)
    connection.execute(
        insert(second_factors).values(
            user_id=user.id,
            secret=_encrypted(secret, user.id, drawn),
            created_at=clock.stored(now),
            failed_count=0,
        )
    )
    return Enrolment(totp.text_of(drawn), totp.uri_of(drawn, user.username))


def confirm(
    connection: Connection, secret: str, user: User, typed: str, now: datetime, actor: Actor
) -> list[str]:
    """Turn on what `begin` drew, for a code of it; return the recovery codes, which are told this once.

    Raises Conflict where nothing was begun, and InvalidContent for a wrong code. Writes audit_logs, too.
    """
    query = select(second_factors.c.secret).where(
        second_factors.c.user_id == user.id, second_factors.c.confirmed_at.is_(None)
    )
    stored = connection.execute(query).scalar()
    if stored is None:
        raise Conflict("No second factor was begun.", hint="POST /auth/second-factor")
    drawn = _decrypted(secret, user.id, stored)
    step = None if drawn is None else totp.find_step(drawn, _plain(typed), now)
    if step is None:
        fault = "The code is wrong. Is the clock of the device right?"
        raise InvalidContent(fault, errors=[{"pointer": "/otp", "detail": fault}])
    values = {"confirmed_at": clock.stored(now), "last_step": step}
    connection.execute(update(second_factors).where(second_factors.c.user_id == user.id).values(values))
    _tell(connection, user, now, actor, is_on=True)
    return _drawn_codes(connection, user.id)


def renew_codes(connection: Connection, user: User, now: datetime, actor: Actor) -> list[str]:
    """Put new recovery codes in the place of all earlier ones; return them. Writes audit_logs, too.

    Raises Conflict where the second factor is off.
    """
    if not is_on(connection, user.id):
        raise Conflict("The second factor is off.", hint="POST /auth/second-factor")
    said = {"recovery_codes": RECOVERY_CODES}
    audit.record(connection, audit.SECOND_FACTOR, "users", user.id, now=now, new_values=said, **vars(actor))
    return _drawn_codes(connection, user.id)


def turn_off(connection: Connection, user: User, now: datetime, actor: Actor = COMMAND_LINE) -> None:
    """Ask an account for its password alone; what was begun goes, too. Writes audit_logs, too."""
    if is_on(connection, user.id):
        _tell(connection, user, now, actor, is_on=False)
    forget(connection, user.id)


def forget(connection: Connection, user_id: int) -> None:
    """Delete the second factor of an account; whoever calls says in the audit why."""
    connection.execute(delete(second_factors).where(second_factors.c.user_id == user_id))
    connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))


def _tell(connection: Connection, user: User, now: datetime, actor: Actor, *, is_on: bool) -> None:
    said = {"is_on": is_on}
    audit.record(connection, audit.SECOND_FACTOR, "users", user.id, now=now, new_values=said, **vars(actor))


def _drawn_codes(connection: Connection, user_id: int) -> list[str]:
    connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    drawn = [
        base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)
    ]
    rows = [{"user_id": user_id, "code_hash": _hash_of(user_id, code)} for code in drawn]
    connection.execute(insert(recovery_codes), rows)
    return ["-".join(code[place : place + 4] for place in range(0, len(code), 4)) for code in drawn]


# -- checking


def check(
    connection: Connection, secret: str, user: User, typed: str, now: datetime, actor: Actor
) -> Outcome:
    """Return whether this is a code of the account; one that is taken is used up.

    Writes second_factors, and of a recovery code recovery_codes and audit_logs; so whoever calls lets the
    transaction be committed, whatever is returned.
    """
    plain = _plain(typed)
    if not (plain.isascii() and plain.isdigit() and len(plain) == totp.DIGITS):
        return _check_recovery(connection, user, plain, now, actor)
    query = select(second_factors).where(second_factors.c.user_id == user.id)
    row = connection.execute(query).one_or_none()
    if row is None:
        return "wrong"
    if _is_blocked(row.failed_count or 0, row.failed_at, now):
        return "blocked"
    drawn = _decrypted(secret, user.id, row.secret)
    step = None if drawn is None else totp.find_step(drawn, plain, now)
    if step is None or not _use_step(connection, user.id, step):
        failed = {"failed_count": (row.failed_count or 0) + 1, "failed_at": clock.stored(now)}
        connection.execute(update(second_factors).where(second_factors.c.user_id == user.id).values(failed))
        return "wrong"
    return "taken"


def _use_step(connection: Connection, user_id: int, step: int) -> bool:
    """Take the code of a step; False for one that was taken, or that is before one that was."""
    last = second_factors.c.last_step
    is_new = (second_factors.c.user_id == user_id, or_(last.is_(None), last < step))
    taken = update(second_factors).where(*is_new).values(last_step=step, failed_count=0, failed_at=None)
    return connection.execute(taken).rowcount == 1


def _check_recovery(connection: Connection, user: User, plain: str, now: datetime, actor: Actor) -> Outcome:
    mine = (recovery_codes.c.user_id == user.id, recovery_codes.c.code_hash == _hash_of(user.id, plain))
    if connection.execute(delete(recovery_codes).where(*mine)).rowcount != 1:
        return "wrong"
    said = {"recovery_codes": state_of(connection, user.id).recovery_codes_left}
    about_them = {**vars(actor), "user_id": user.id}
    audit.record(connection, audit.SECOND_FACTOR, "users", user.id, now=now, new_values=said, **about_them)
    return "taken"


def _is_blocked(failed_count: int, failed_at: str | None, now: datetime) -> bool:
    """Whether a next guess comes too early: after a few wrong ones each waits twice as long as the last."""
    over = failed_count - WRONG_CODES_FREE
    last = clock.parse_stored(failed_at)
    if over < 0 or last is None:
        return False
    return now < last + min(timedelta(seconds=totp.STEP_SECONDS * 2 ** min(over, 10)), LONGEST_WAIT)


def _plain(typed: str) -> str:
    return "".join(typed.split()).replace("-", "").casefold()


def _hash_of(user_id: int, code: str) -> str:
    return hashlib.sha256(f"recovery:{user_id}:{code}".encode(errors="replace")).hexdigest()


# -- the secret, encrypted


def _encrypted(secret: str, user_id: int, drawn: bytes) -> str:
    return encrypted_secrets.encrypted(secret, _PURPOSE, user_id, drawn)


def _decrypted(secret: str, user_id: int, stored: str) -> bytes | None:
    """Return the secret; None, which is told in the log, where another signing secret encrypted it."""
    found = encrypted_secrets.decrypted(secret, _PURPOSE, user_id, stored)
    if found is None:
        _log.warning(
            "A second factor was set up under another SECRET_KEY: it takes no codes but recovery codes.",
            extra={"user_id": user_id},
        )
    return found
