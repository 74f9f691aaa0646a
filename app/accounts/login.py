"""Login. Who comes in with a name and a password, after which wait, and what is stored of it?

The order is what protects: the account and its places are looked up, then the try is counted and waits for
its turn, and only then a password is hashed, in a queue that strangers' guesses cannot fill for those who
come in from a known place. Whatever was wrong, the answer is the same and takes as long.

This room runs nothing by itself: a `Process` gives it connections, a place to hash in, and time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from app import clock, log
from app.accounts import (
    audit,
    departure_rows,
    passwords,
    places,
    second_factor,
    token_grants,
    users,
)
from app.accounts.audit import Actor
from app.accounts.departure_rows import Departure
from app.accounts.passwords import Verdict
from app.accounts.places import NOBODYS_ID
from app.accounts.second_factor import Outcome
from app.accounts.throttle import LoginThrottle, Try, network_of, too_many_tries
from app.accounts.token_grants import Terms, Token
from app.accounts.users import User
from app.errors import AccountLeaving, DaemonError, NotAuthenticated, SecondFactorNeeded, TooMuch

CODES_WAIT_SECONDS = 30.0
STAY_HINT = 'To stay: POST /auth/stay with {"username": "...", "password": "..."}, then log in.'
OTP_HINT = "Send its code, too, as otp."
CODE_HINT = "Wait for the next code, or send a recovery code."
REFUSAL_SECONDS = 0.5  # every refused login takes at least this long, so that its time tells little

Value = TypeVar("Value")

_log = log.get_logger(__name__)


class Process(Terms, Protocol):
    """What a login needs of the server process that it happens in."""

    @property
    def throttle(self) -> LoginThrottle:
        """The tries of this process, or of all that serve the database."""

    async def read(self, work: Callable[[Connection], Value]) -> Value:
        """Run ``work`` on one snapshot."""

    async def write(self, work: Callable[[Connection], Value]) -> Value:
        """Run ``work`` in one transaction, committed when it returns."""

    async def count(self, work: Callable[[], Value]) -> Value:
        """Run ``work`` of the throttle, where it holds no one up if it has to ask elsewhere."""

    async def hash(self, work: Callable[[], Value], *, is_known_place: bool) -> Value:
        """Run slow ``work`` where few do so at a time; known places have their own queue. Raises Busy."""

    async def wait(self, seconds: float) -> None:
        """Let time pass."""

    def note_refusal(self, action: str, user: User | None, actor: Actor) -> None:
        """Remember for the audit that a login was refused, or had to wait."""


@dataclass(frozen=True)
class Attempt:
    """Who is meant by the name that was typed, if anyone, and from where: ``network`` as it is counted."""

    username: str
    network: str
    actor: Actor
    user: User | None
    is_known_place: bool
    has_second_factor: bool = False
    departure: Departure | None = None

    @property
    def may_come_in(self) -> bool:
        """Whether the account may, be it to undo that it leaves."""
        is_leaving = self.departure is not None and self.departure.was_active
        return self.user is not None and (self.user.is_active or is_leaving)


async def log_in(
    process: Process,
    username: str,
    password: str,
    actor: Actor,
    *,
    otp: str = "",
    with_refresh: bool = False,
) -> Token:
    """Return a token for the account of that name and password. ``actor`` says where the login comes from.

    ``otp`` is a code of the second factor. Raises TooMuch where too many wait already, Busy where too many
    are hashed, NotAuthenticated, and SecondFactorNeeded where the password was right and no code came.
    Stores the login, its session, its place, its audit line and, where it was outdated, a new hash.
    """
    attempt, tried, verdict = await proved(process, username, password, otp, actor)
    assert attempt.user is not None
    begun = await process.write(partial(_come_in, process, attempt, verdict, with_refresh))
    return await token_of(process, begun, attempt, tried)


async def proved(
    process: Process, username: str, password: str, otp: str, actor: Actor
) -> tuple[Attempt, Try, Verdict]:
    """Return the attempt of the account whose password and code these are; raises what `log_in` raises."""
    attempt, tried, verdict = await proved_of_anyone(process, username, password, otp, actor)
    if attempt.departure is not None:
        await process.count(partial(process.throttle.came_in, tried))
        final_at = clock.rfc3339(attempt.departure.due_at)
        raise AccountLeaving(f"This account leaves, and is erased for good at {final_at}.", hint=STAY_HINT)
    return attempt, tried, verdict


async def proved_of_anyone(
    process: Process, username: str, password: str, otp: str, actor: Actor
) -> tuple[Attempt, Try, Verdict]:
    """As `proved`, of someone who leaves, too, as long as that can be undone by them."""
    network = network_of(actor.ip_address or "")
    attempt = await process.read(partial(_look_up, process.secret, username, network, actor))
    tried = await _start(process, attempt)
    await process.wait(tried.wait_seconds)
    began = time.monotonic()
    verdict = await process.hash(
        partial(verify, attempt.user, password), is_known_place=attempt.is_known_place
    )
    user = attempt.user
    if user is None or not verdict.right or not attempt.may_come_in:
        await process.wait(max(0.0, REFUSAL_SECONDS - (time.monotonic() - began)))
        _log.warning("A login was refused.", extra={"address": actor.ip_address})
        process.note_refusal(audit.LOGIN_REFUSED, user, actor)
        raise _refused(tried)
    if attempt.has_second_factor:
        await _check_code(process, attempt, tried, otp)
    return attempt, tried, verdict


async def _check_code(process: Process, attempt: Attempt, tried: Try, otp: str) -> None:
    """Raise where this is no code of the account's second factor; after the password, whose try it shares."""
    assert attempt.user is not None
    if not otp.strip():
        raise SecondFactorNeeded("This account has a second factor.", hint=OTP_HINT)
    outcome = await process.write(partial(_use_code, process.secret, attempt, otp))
    if outcome == "taken":
        return
    process.note_refusal(audit.LOGIN_REFUSED, attempt.user, attempt.actor)
    await process.wait(REFUSAL_SECONDS)
    if outcome == "blocked" or tried.is_over:
        raise too_many_tries(max(tried.wait_seconds, CODES_WAIT_SECONDS))
    raise NotAuthenticated("The code is wrong, or was used already.", hint=CODE_HINT, is_code=True)


def _use_code(secret: str, attempt: Attempt, otp: str, connection: Connection) -> Outcome:
    user = unchanged(connection, attempt)
    if user is None:
        return "wrong"
    return second_factor.check(connection, secret, user, otp, clock.now(), attempt.actor)


async def token_of(process: Process, begun: Token | None, attempt: Attempt, tried: Try) -> Token:
    """Return what a session began with; NotAuthenticated where the account was changed meanwhile."""
    if begun is None:
        process.note_refusal(audit.LOGIN_REFUSED, attempt.user, attempt.actor)
        raise NotAuthenticated("The account was changed in this moment.", hint="Log in again.")
    await process.count(partial(process.throttle.came_in, tried))
    return begun


def verify(user: User | None, password: str) -> Verdict:
    """Compare a password with the account's; for no account at all it costs the same."""
    if user is None:
        return passwords.spend_the_time_of_one(password)
    return passwords.verify_password(password, user.stored_hash)


def _look_up(secret: str, username: str, network: str, actor: Actor, connection: Connection) -> Attempt:
    user = users.find_user_as_typed(connection, username)
    is_known_place = places.is_known(connection, secret, user.id if user else None, network)
    user_id = user.id if user else NOBODYS_ID
    has_second_factor = second_factor.is_on(connection, user_id)
    departure = departure_rows.find(connection, user_id)
    return Attempt(username, network, actor, user, is_known_place, has_second_factor, departure)


async def _start(process: Process, attempt: Attempt) -> Try:
    """Return the try that begins here; raises TooMuch. One that has to wait is told in the audit."""
    try:
        tried = await process.count(
            partial(
                process.throttle.start,
                attempt.username,
                attempt.network,
                is_known_place=attempt.is_known_place,
            )
        )
    except TooMuch:
        process.note_refusal(audit.LOGIN_SLOWED, attempt.user, attempt.actor)
        raise
    if tried.wait_seconds > 0:
        process.note_refusal(audit.LOGIN_SLOWED, attempt.user, attempt.actor)
    return tried


def _refused(tried: Try) -> DaemonError:
    """Return the error of a wrong login: beyond what may be tried it is the number of tries that is wrong."""
    if tried.is_over:
        return too_many_tries(tried.wait_seconds)
    return NotAuthenticated("The user name or the password is wrong.", hint="Check both, then try again.")


def _come_in(
    process: Process, attempt: Attempt, verdict: Verdict, with_refresh: bool, connection: Connection
) -> Token | None:
    """Store that the user came in, from where and, where it was outdated, their new hash; begin the session.

    None, with nothing stored: the account was changed since the password was compared.
    """
    user = unchanged(connection, attempt)
    if user is None or not user.is_active:
        return None
    now, actor = clock.now(), attempt.actor
    if verdict.replacement is not None:
        users.set_password_hash(connection, user.id, verdict.replacement)
        user = replace(user, stored_hash=verdict.replacement)
    users.note_login(connection, user.id, now)
    places.remember(connection, process.secret, user.id, attempt.network, now)
    about_them = {**vars(actor), "user_id": user.id}
    audit.record(connection, audit.LOGIN, "users", user.id, now=now, **about_them)
    return token_grants.begin(process, connection, user, actor, now, with_refresh=with_refresh)


def unchanged(connection: Connection, attempt: Attempt) -> User | None:
    """Return the account as it is now, if it is as active, and its password the one that was compared."""
    assert attempt.user is not None
    current = users.find_user_by_id(connection, attempt.user.id)
    if current is None or current.stored_hash != attempt.user.stored_hash:
        return None
    return current if current.is_active == attempt.user.is_active else None
