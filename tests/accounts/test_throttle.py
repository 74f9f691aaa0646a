"""Are tries counted, forgotten in time, and never used to keep somebody out of their own house?"""

from __future__ import annotations

import pytest

from app.accounts import throttle
from app.accounts.throttle import LoginThrottle, network_of
from app.errors import TooMuch


class Clock:
    """A clock that stands until it is moved."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tries(clock: Clock) -> LoginThrottle:
    return LoginThrottle(clock)


def test_after_ten_tries_one_waits_and_is_told_how_long(tries: LoginThrottle, clock: Clock) -> None:
    for number in range(10):
        tries.start("ann", f"192.0.2.{number}")
    with pytest.raises(TooMuch) as caught:
        tries.start("ann", "192.0.2.99")
    wait = caught.value.details["retry_after_seconds"]
    assert isinstance(wait, int)
    assert 1 <= wait <= throttle.ACCOUNT_SECONDS_PER_TRY + 1
    clock.seconds += wait
    tries.start("ann", "192.0.2.99")


def test_case_makes_no_other_account(tries: LoginThrottle) -> None:
    for number in range(10):
        tries.start("Ann" if number % 2 else "ann", f"192.0.2.{number}")
    with pytest.raises(TooMuch):
        tries.start("ANN", "198.51.100.1")


def test_many_accounts_from_one_network_are_counted_together(tries: LoginThrottle) -> None:
    for number in range(10):
        tries.start(f"name{number}", "192.0.2.1")
    with pytest.raises(TooMuch):
        tries.start("another", "192.0.2.1")
    tries.start("another", "192.0.2.2")


def test_one_address_of_a_network_is_all_of_it() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2") == "2001:db8::/64"
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("unix socket") == "unix socket"


def test_who_came_in_before_is_not_kept_out_by_strangers(tries: LoginThrottle) -> None:
    tries.came_in(tries.start("ann", "198.51.100.1"))
    for number in range(10):
        tries.start("ann", f"192.0.2.{number}")
    with pytest.raises(TooMuch):
        tries.start("ann", "203.0.113.1")
    tries.start("ann", "198.51.100.1")


def test_at_home_one_does_not_guess_for_ever(tries: LoginThrottle) -> None:
    tries.came_in(tries.start("ann", "198.51.100.1"))
    for _ in range(10):
        tries.start("ann", "198.51.100.1")
    with pytest.raises(TooMuch):
        tries.start("ann", "198.51.100.1")


def test_a_try_that_came_in_is_free(tries: LoginThrottle) -> None:
    for _ in range(50):
        tries.came_in(tries.start("ann", "192.0.2.1"))


def test_the_memory_is_bounded(tries: LoginThrottle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "REMEMBERED_COUNT", 50)
    for number in range(500):
        tries.came_in(tries.start(f"name{number}", f"192.0.{number // 250}.{number % 250}"))
    assert len(tries._homes) <= 50
    assert len(tries._accounts._full_at) <= 50
    assert len(tries._networks._full_at) <= 50
