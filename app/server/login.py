"""Login and registration, run by this process: in its threads and hashing queues, with its throttle.

What is decided is decided in `accounts.login` and `accounts.claim`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from app import clock, log
from app.accounts import account_rules, claim, login, password_again, passwords, refreshing
from app.accounts.audit import Actor
from app.accounts.throttle import LoginThrottle, network_of
from app.accounts.token_grants import Token
from app.accounts.users import NewUser, User
from app.entries.entry import Origin
from app.server.authenticate import Caller, check_account, check_session

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.server.state import ServerState

Value = TypeVar("Value")

_log = log.get_logger(__name__)


@dataclass(frozen=True)
class WantedAccount:
    """The first account, as its owner typed it."""

    username: str
    email: str
    password: str
    full_name: str | None = None


async def log_in(
    server: ServerState,
    username: str,
    password: str,
    origin: Origin,
    *,
    otp: str = "",
    with_refresh: bool = False,
) -> Token:
    """Return a token for the account of that name and password; raises what `accounts.login.log_in` raises.

    May wait for a turn. Anyone who calls holds nothing meanwhile that others need.
    """
    actor = Actor(None, origin.ip_address, origin.user_agent)
    process = _Process(server)
    return await login.log_in(process, username, password, actor, otp=otp, with_refresh=with_refresh)


async def refresh(server: ServerState, text: str, origin: Origin) -> Token:
    """Return the next tokens of a session; raises what `accounts.refreshing.refresh` raises."""
    actor = Actor(None, origin.ip_address, origin.user_agent)
    return await refreshing.refresh(_Process(server), text, actor)


async def change_password(
    server: ServerState, caller: Caller, current: str, new: str, *, otp: str = "", end_keys: bool
) -> Token:
    """Give an account another password; raises what `accounts.password_again.change_password` raises."""
    user, actor = check_account(caller)
    return await password_again.change_password(
        _Process(server),
        user,
        current,
        new,
        actor,
        otp=otp,
        end_keys=end_keys,
        with_refresh=caller.session is not None and caller.session.has_refresh,
    )


async def confirm(server: ServerState, caller: Caller, password: str, *, otp: str = "") -> None:
    """Note that the person has typed the password again; raises as `accounts.password_again` does.

    Raises Conflict for a token of before 0.7.0, which is of no session.
    """
    user, actor = check_account(caller)
    session = check_session(caller)
    await password_again.confirm(_Process(server), user, session.id, password, actor, otp=otp)


async def stay(server: ServerState, username: str, password: str, origin: Origin, *, otp: str = "") -> None:
    """Undo that an account leaves; raises what `accounts.password_again.stay` raises."""
    actor = Actor(None, origin.ip_address, origin.user_agent)
    await password_again.stay(_Process(server), username, password, actor, otp=otp)


async def check_claim(server: ServerState, offered: str | None, origin: Origin) -> None:
    """Raise NotAllowed or TooMuch where registration is closed to anyone who offers this token."""
    await asyncio.to_thread(_check_claim, server, offered, network_of(origin.ip_address or ""))


def _check_claim(server: ServerState, offered: str | None, network: str) -> None:
    with server.supervisor.reading() as connection:
        claim.check_is_open(is_claimed=server.see_claim(connection))
    claim.check_token(server.settings, server.throttle, offered, network)


async def register(server: ServerState, offered: str, wanted: WantedAccount) -> User:
    """Create the first account, an admin's, which takes over the installation. After `check_claim`.

    Raises InvalidContent, Conflict, Busy, and NotAllowed where someone was faster.
    """
    account_rules.check_new_user(wanted.username, wanted.email, wanted.password, wanted.full_name)
    stored_hash = await server.hashing_at_known_places.run(passwords.hash_password, wanted.password)
    new = NewUser(wanted.username, wanted.email, stored_hash, wanted.full_name)
    return await asyncio.to_thread(_take_over, server, offered, new)


def _take_over(server: ServerState, offered: str, new: NewUser) -> User:
    with server.supervisor.writing() as connection:
        user = claim.claim_by_token(connection, server.settings, offered, new, clock.now())
    server.is_claimed = True
    claim.end_claim_token(server.settings)
    _log.info("The installation was claimed.", extra={"user_id": user.id})
    return user


class _Process:
    """This server as `accounts.login` sees it."""

    def __init__(self, server: ServerState) -> None:
        self._server = server

    @property
    def secret(self) -> str:
        return self._server.secret

    @property
    def throttle(self) -> LoginThrottle:
        return self._server.throttle

    @property
    def token_minutes(self) -> int:
        return self._server.settings.access_token_expire_minutes

    @property
    def session_days(self) -> int:
        return self._server.settings.session_days

    async def read(self, work: Callable[[Connection], Value]) -> Value:
        def run() -> Value:
            with self._server.supervisor.reading() as connection:
                return work(connection)

        return await asyncio.to_thread(run)

    async def write(self, work: Callable[[Connection], Value]) -> Value:
        return await self._server.writes.write(work)

    async def count(self, work: Callable[[], Value]) -> Value:
        return await asyncio.to_thread(work) if self.throttle.is_shared else work()

    async def hash(self, work: Callable[[], Value], *, is_known_place: bool) -> Value:
        server = self._server
        queue = server.hashing_at_known_places if is_known_place else server.hashing
        return await queue.run(work)

    async def wait(self, seconds: float) -> None:
        await self._server.sleep(seconds)

    def note_refusal(self, action: str, user: User | None, actor: Actor) -> None:
        self._server.pending_audit.refused_login(action, user, actor)
