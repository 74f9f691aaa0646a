"""Own password, typed again. Who has come in already changes it, or proves once more to know it.

Either is a try like a login's: counted, made to wait, and told in the audit where it is wrong.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from sqlalchemy import Connection

from app import clock
from app.accounts import (
    account_rules,
    api_keys,
    departures,
    one_time_links,
    passwords,
    sessions,
    token_grants,
    users,
)
from app.accounts.audit import Actor
from app.accounts.login import Attempt, Process, proved, proved_of_anyone, token_of, unchanged
from app.accounts.passwords import Verdict
from app.accounts.throttle import Try
from app.accounts.token_grants import Token
from app.accounts.users import User
from app.errors import Conflict, NotAllowed, NotAuthenticated, SecondFactorNeeded


async def change_password(
    process: Process,
    user: User,
    current: str,
    new: str,
    actor: Actor,
    *,
    otp: str = "",
    end_keys: bool,
    with_refresh: bool = False,
) -> Token:
    """Give an account another password, proved by its ``current`` one; return the token that goes on.

    All earlier sessions and tokens end, and with ``end_keys`` every API key. The proof is a try like a
    login's: counted, and made to wait. Raises InvalidContent, NotAllowed for another password than the
    current one, and what `log_in` raises; writes users, sessions, audit_logs and api_keys.
    """
    account_rules.check_password(new, user.username, user.email)
    attempt, tried, _ = await _proved_again(process, user, current, otp, actor)
    stored_hash = await process.hash(
        partial(passwords.hash_password, new), is_known_place=attempt.is_known_place
    )
    changed = await process.write(partial(_change, process, attempt, stored_hash, end_keys, with_refresh))
    return await token_of(process, changed, attempt, tried)


async def confirm(
    process: Process, user: User, session_id: int, password: str, actor: Actor, *, otp: str = ""
) -> None:
    """Note in a session that its person has typed the password again. Raises as `change_password` does."""
    attempt, tried, _ = await _proved_again(process, user, password, otp, actor)
    if not await process.write(partial(_confirm, attempt, session_id)):
        raise NotAuthenticated("The account was changed in this moment.", hint="Log in again.")
    await process.count(partial(process.throttle.came_in, tried))


async def stay(process: Process, username: str, password: str, actor: Actor, *, otp: str = "") -> None:
    """Undo that an account leaves, for who comes in with its password. Raises as `log_in` does, and Conflict.

    Begins no session. Writes departures, users and audit_logs.
    """
    attempt, tried, _ = await proved_of_anyone(process, username, password, otp, actor)
    await process.count(partial(process.throttle.came_in, tried))
    await process.write(partial(_stay, attempt))


async def _proved_again(
    process: Process, user: User, password: str, otp: str, actor: Actor
) -> tuple[Attempt, Try, Verdict]:
    """As `proved`, of who has come in already: it is the act that is refused, with NotAllowed."""
    try:
        return await proved(process, user.username, password, otp, actor)
    except SecondFactorNeeded as error:
        raise NotAllowed(
            "Enter the code of your second factor, too; nothing was changed.", hint=error.hint
        ) from error
    except NotAuthenticated as error:
        if error.details.get("is_code"):
            raise NotAllowed(
                "The code is not right, or was used already: wait for the next one; nothing was changed.",
                hint=error.hint,
            ) from error
        raise NotAllowed("The password is not right; nothing was changed.") from error


def _change(
    process: Process,
    attempt: Attempt,
    stored_hash: str,
    end_keys: bool,
    with_refresh: bool,
    connection: Connection,
) -> Token | None:
    """Store the new hash of an account and begin its next session; None as in `_come_in`."""
    user = unchanged(connection, attempt)
    if user is None:
        return None
    now, actor = clock.now(), attempt.actor
    users.change_password(connection, user.username, stored_hash, now, actor)
    one_time_links.end_for(connection, user.id)
    if end_keys:
        api_keys.end_keys(connection, user.id, now, actor)
    changed = replace(user, stored_hash=stored_hash)
    return token_grants.begin(process, connection, changed, actor, now, with_refresh=with_refresh)


def _confirm(attempt: Attempt, session_id: int, connection: Connection) -> bool:
    if unchanged(connection, attempt) is None:
        return False
    return sessions.confirm(connection, session_id, clock.now())


def _stay(attempt: Attempt, connection: Connection) -> None:
    user = unchanged(connection, attempt)
    if user is None:
        raise Conflict("The account was changed in this moment.", hint="Try again.")
    departures.stay(connection, user, clock.now(), replace(attempt.actor, user_id=user.id))
