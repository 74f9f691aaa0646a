"""Does a login decide right, in the right order, whatever process it happens in?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, select

from app import clock
from app.accounts import audit, departures, login, password_again, passwords, places, tokens, users
from app.accounts.audit import Actor
from app.accounts.login import REFUSAL_SECONDS, log_in
from app.accounts.throttle import LoginThrottle
from app.accounts.token_grants import Token
from app.accounts.users import NewUser, User
from app.errors import AccountLeaving, Busy, Conflict, NotAuthenticated, TooMuch
from app.tables import audit_logs

PASSWORD = "a long sentence is best"
HOME = Actor(None, "192.0.2.7", "test")
SECRET = "s" * 40

Value = TypeVar("Value")


class Process:
    """A process with one connection, in which no time passes but what a login waits; it notes every step."""

    secret, token_minutes, session_days = SECRET, 30, 30

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.now = 0.0
        self.throttle = LoginThrottle(lambda: self.now)
        self.steps: list[str] = []
        self.refusals: list[tuple[str, str | None]] = []
        self.before_write: Callable[[], object] = int

    async def read(self, work: Callable[[Connection], Value]) -> Value:
        self.steps.append("read")
        return work(self.connection)

    async def write(self, work: Callable[[Connection], Value]) -> Value:
        self.steps.append("write")
        self.before_write()
        return work(self.connection)

    async def count(self, work: Callable[[], Value]) -> Value:
        return work()

    async def hash(self, work: Callable[[], Value], *, is_known_place: bool) -> Value:
        self.steps.append("hash at a known place" if is_known_place else "hash")
        return work()

    async def wait(self, seconds: float) -> None:
        self.steps.append("wait" if seconds else "no wait")
        self.now += seconds

    def note_refusal(self, action: str, user: User | None, actor: Actor) -> None:
        assert actor is HOME
        self.refusals.append((action, None if user is None else user.username))


@pytest.fixture
def process(connection: Connection, now: datetime) -> Process:
    """A process whose database has the account ann."""
    users.create_user(connection, NewUser("ann", "a@example.org", passwords.hash_password(PASSWORD)), now)
    return Process(connection)


def come_in(process: Process, username: str = "ann", password: str = PASSWORD) -> Token:
    return asyncio.run(log_in(process, username, password, HOME))


def ann(process: Process) -> User:
    return users.get_user(process.connection, "ann")


def logins(process: Process) -> list[Any]:
    return list(process.connection.execute(select(audit_logs).where(audit_logs.c.action == audit.LOGIN)))


def test_a_try_is_counted_before_a_password_is_hashed_and_stored_at_the_end(process: Process) -> None:
    token = come_in(process)
    assert process.steps == ["read", "no wait", "hash", "write"]
    assert token.expires_in_seconds == 1800
    mark = tokens.mark_of(SECRET, ann(process))
    assert tokens.read_token(SECRET, token.text, datetime.fromisoformat("2020-01-01T00:00:00Z")).mark == mark
    assert ann(process).last_login is not None
    assert [(row.record_id, row.ip_address) for row in logins(process)] == [(1, "192.0.2.7")]
    assert process.refusals == []


def test_who_came_in_from_there_before_has_the_queue_that_guesses_cannot_fill(process: Process) -> None:
    come_in(process)
    assert places.is_known(process.connection, SECRET, 1, "192.0.2.7")
    process.steps.clear()
    come_in(process, "ANN")
    assert "hash at a known place" in process.steps


@pytest.mark.parametrize(("username", "password"), [("ann", "wrong"), ("nobody", PASSWORD)])
def test_a_refusal_takes_its_time_and_is_noted_and_stores_nothing(
    process: Process, username: str, password: str
) -> None:
    before = ann(process)
    with pytest.raises(NotAuthenticated, match="The user name or the password is wrong"):
        come_in(process, username, password)
    assert process.steps == ["read", "no wait", "hash", "wait"]
    assert 0 < process.now <= REFUSAL_SECONDS
    assert process.refusals == [(audit.LOGIN_REFUSED, "ann" if username == "ann" else None)]
    assert (ann(process), logins(process)) == (before, [])


def test_whoever_is_not_active_does_not_come_in(process: Process, now: datetime) -> None:
    users.set_active(process.connection, "ann", False, now)
    with pytest.raises(NotAuthenticated, match="wrong"):
        come_in(process)


def test_the_right_password_is_never_slowed_down_where_there_is_nothing_to_stay_for(process: Process) -> None:
    for _ in range(12):
        with pytest.raises(Conflict):
            asyncio.run(password_again.stay(process, "ann", PASSWORD, HOME))
    assert (process.now, process.refusals) == (0.0, [])


def test_who_leaves_and_knows_the_password_is_told_so_each_time(process: Process) -> None:
    departures.leave(process.connection, ann(process), clock.now(), at_once=False)
    for _ in range(12):
        with pytest.raises(AccountLeaving):
            come_in(process)
    assert (process.now, process.refusals) == (0.0, [])


def test_a_changed_account_is_not_come_into_by_the_password_of_before(process: Process) -> None:
    other = passwords.hash_password("another long one")
    process.before_write = lambda: users.set_password_hash(process.connection, 1, other)
    with pytest.raises(NotAuthenticated, match="changed in this moment"):
        come_in(process)
    assert process.refusals == [(audit.LOGIN_REFUSED, "ann")]
    assert logins(process) == []


def test_an_outdated_hash_is_replaced_and_the_token_is_of_the_new_one(process: Process) -> None:
    users.set_password_hash(process.connection, 1, passwords._bcrypt().hash(PASSWORD))
    token = come_in(process)
    assert str(ann(process).stored_hash).startswith("$argon2id$")
    mark = tokens.mark_of(SECRET, ann(process))
    assert tokens.read_token(SECRET, token.text, datetime.fromisoformat("2020-01-01T00:00:00Z")).mark == mark


def test_guessing_waits_longer_and_longer_and_then_is_too_much(process: Process) -> None:
    process.wait = _no_time  # type: ignore[method-assign]
    for _ in range(10):
        with pytest.raises(NotAuthenticated):
            come_in(process, password="wrong")
    with pytest.raises(TooMuch):
        come_in(process, password="wrong")
    assert (audit.LOGIN_SLOWED, "ann") in process.refusals


def test_a_try_that_succeeds_is_not_counted(process: Process) -> None:
    for _ in range(25):
        come_in(process)
    assert process.now == 0


def test_where_no_password_can_be_hashed_nothing_is_told_of_the_account(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> passwords.Verdict:
        raise Busy("Too many logins at the same time.")

    monkeypatch.setattr(login, "verify", full)
    for username in ("ann", "nobody"):
        with pytest.raises(Busy):
            come_in(process, username)
    assert process.refusals == []


async def _no_time(seconds: float) -> None:
    """Others do not wait."""
