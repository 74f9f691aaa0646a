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
from app.accounts import account_rules, api_keys, audit, passwords, places, tokens, users
from app.accounts.audit import Actor
from app.accounts.passwords import Verdict
from app.accounts.throttle import LoginThrottle, Try, network_of, too_many_tries
from app.accounts.users import User
from app.errors import DaemonError, NotAllowed, NotAuthenticated, TooMuch

REFUSAL_SECONDS = 0.5  # every refused login takes at least this long, so that its time tells little

Value = TypeVar("Value")

_log = log.get_logger(__name__)


class Process(Protocol):
    """What a login needs of the server process that it happens in."""

    @property
    def secret(self) -> str:
        """What tokens are signed with, and places keyed."""

    @property
    def throttle(self) -> LoginThrottle:
        """The tries of this process, or of all that serve the database."""

    @property
    def token_minutes(self) -> int:
        """How long a token is valid."""

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
class Token:
    """What anyone who came in is given."""

    text: str
    expires_in_seconds: int


@dataclass(frozen=True)
class Attempt:
    """Who is meant by the name that was typed, if anyone, and from where: ``network`` as it is counted."""

    username: str
    network: str
    actor: Actor
    user: User | None
    is_known_place: bool


async def log_in(process: Process, username: str, password: str, actor: Actor) -> Token:
    """Return a token for the account of that name and password. ``actor`` says where the login comes from.

    Raises TooMuch where too many wait already, Busy where too many are hashed, and NotAuthenticated.
    Stores the login, its place, its audit line and, where it was outdated, a new hash.
    """
    attempt, tried, verdict = await _proved(process, username, password, actor)
    assert attempt.user is not None
    came_in = await process.write(partial(_come_in, process.secret, attempt.user, verdict, attempt))
    return await _token_of(process, came_in, attempt, tried)


async def change_password(
    process: Process, user: User, current: str, new: str, actor: Actor, *, end_keys: bool
) -> Token:
    """Give an account another password, proved by its ``current`` one; return the token that goes on.

    All earlier tokens end, and with ``end_keys`` every API key. The proof is a try like a login's: counted,
    and made to wait. Raises InvalidContent, NotAllowed for another password than the current one, and what
    `log_in` raises; writes users, audit_logs and api_keys.
    """
    account_rules.check_password(new, user.username, user.email)
    try:
        attempt, tried, _ = await _proved(process, user.username, current, actor)
    except NotAuthenticated as error:  # who asks is known: it is this act that is refused
        raise NotAllowed("The current password is another one; nothing was changed.") from error
    stored_hash = await process.hash(
        partial(passwords.hash_password, new), is_known_place=attempt.is_known_place
    )
    assert attempt.user is not None
    changed = await process.write(partial(_change, attempt.user, stored_hash, actor, end_keys))
    return await _token_of(process, changed, attempt, tried)


async def _proved(
    process: Process, username: str, password: str, actor: Actor
) -> tuple[Attempt, Try, Verdict]:
    """Return the attempt of the account whose password this is; raises what `log_in` raises."""
    network = network_of(actor.ip_address or "")
    attempt = await process.read(partial(_look_up, process.secret, username, network, actor))
    tried = await _start(process, attempt)
    await process.wait(tried.wait_seconds)
    began = time.monotonic()
    verdict = await process.hash(
        partial(verify, attempt.user, password), is_known_place=attempt.is_known_place
    )
    user = attempt.user
    if user is None or not verdict.right or not user.is_active:
        await process.wait(max(0.0, REFUSAL_SECONDS - (time.monotonic() - began)))
        _log.warning("A login was refused.", extra={"address": actor.ip_address})
        process.note_refusal(audit.LOGIN_REFUSED, user, actor)
        raise _refused(tried)
    return attempt, tried, verdict


async def _token_of(process: Process, user: User | None, attempt: Attempt, tried: Try) -> Token:
    """Return the token of the account as it is now; NotAuthenticated where it was changed meanwhile."""
    if user is None:
        process.note_refusal(audit.LOGIN_REFUSED, attempt.user, attempt.actor)
        raise NotAuthenticated("The account was changed in this moment.", hint="Log in again.")
    await process.count(partial(process.throttle.came_in, tried))
    text = tokens.issue_token(process.secret, user, now=clock.now(), minutes=process.token_minutes)
    return Token(text, process.token_minutes * 60)


def verify(user: User | None, password: str) -> Verdict:
    """Compare a password with the account's; for no account at all it costs the same."""
    if user is None:
        return passwords.spend_the_time_of_one(password)
    return passwords.verify_password(password, user.stored_hash)


def _look_up(secret: str, username: str, network: str, actor: Actor, connection: Connection) -> Attempt:
    user = users.find_user_as_typed(connection, username)
    is_known_place = places.is_known(connection, secret, user.id if user else None, network)
    return Attempt(username, network, actor, user, is_known_place)


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
    secret: str, user: User, verdict: Verdict, attempt: Attempt, connection: Connection
) -> User | None:
    """Store that the user came in, from where and, where it was outdated, their new hash; return them.

    None, with nothing stored: the account was changed since the password was compared.
    """
    current = _unchanged(connection, user)
    if current is None:
        return None
    now, actor = clock.now(), attempt.actor
    if verdict.replacement is not None:
        users.set_password_hash(connection, user.id, verdict.replacement)
    users.note_login(connection, user.id, now)
    places.remember(connection, secret, user.id, attempt.network, now)
    audit.record(
        connection,
        audit.LOGIN,
        "users",
        user.id,
        now=now,
        user_id=user.id,
        ip_address=actor.ip_address,
        user_agent=actor.user_agent,
    )
    return replace(current, stored_hash=verdict.replacement or current.stored_hash)


def _change(
    user: User, stored_hash: str, actor: Actor, end_keys: bool, connection: Connection
) -> User | None:
    """Store the new hash of an account and return the account; None as in `_come_in`."""
    if _unchanged(connection, user) is None:
        return None
    now = clock.now()
    users.change_password(connection, user.username, stored_hash, now, actor)
    if end_keys:
        api_keys.end_keys(connection, user.id, now, actor)
    return users.find_user_by_id(connection, user.id)


def _unchanged(connection: Connection, user: User) -> User | None:
    """Return the account as it is now, if it is active and its password the one that was compared."""
    current = users.find_user_by_id(connection, user.id)
    if current is None or current.stored_hash != user.stored_hash or not current.is_active:
        return None
    return current
