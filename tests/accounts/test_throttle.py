"""Are tries counted, slowed and forgotten in time, and is no one kept out by what others try?"""

from __future__ import annotations

import pytest

from app.accounts import throttle
from app.accounts.throttle import LoginThrottle, Try, network_of
from app.errors import TooMuch

HOME = "198.51.100.1"


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


def fail(tries: LoginThrottle, clock: Clock, name: str, network: str, *, is_known_place: bool = False) -> Try:
    """One wrong login of a client that waits for each answer before it tries again."""
    tried = tries.start(name, network, is_known_place=is_known_place)
    clock.seconds += tried.wait_seconds
    return tried


@pytest.mark.parametrize("is_known_place", [False, True])
def test_after_ten_tries_each_waits_and_is_one_too_many(
    tries: LoginThrottle, clock: Clock, is_known_place: bool
) -> None:
    first = [fail(tries, clock, "ann", HOME, is_known_place=is_known_place) for _ in range(10)]
    assert [(each.wait_seconds, each.is_over) for each in first] == [(0.0, False)] * 10
    began = clock.seconds
    later = [fail(tries, clock, "ann", HOME, is_known_place=is_known_place) for _ in range(20)]
    assert all(each.is_over for each in later)
    assert clock.seconds - began == pytest.approx(100)
    clock.seconds += 600
    assert not fail(tries, clock, "ann", HOME, is_known_place=is_known_place).is_over


def test_where_too_many_wait_the_next_is_refused_and_told_how_long(tries: LoginThrottle) -> None:
    for _ in range(16):
        tries.start("ann", HOME, is_known_place=True)
    with pytest.raises(TooMuch) as caught:
        tries.start("ann", HOME, is_known_place=True)
    wait = caught.value.details["retry_after_seconds"]
    assert isinstance(wait, int)
    assert 30 < wait <= 36


def test_case_makes_no_other_account(tries: LoginThrottle, clock: Clock) -> None:
    for number in range(10):
        fail(tries, clock, "Ann" if number % 2 else "ann", HOME)
    assert fail(tries, clock, "ANN", HOME).is_over


def test_an_account_has_a_budget_over_all_networks(tries: LoginThrottle, clock: Clock) -> None:
    for number in range(30):
        assert not tries.start("ann", f"192.0.2.{number}", is_known_place=False).is_over
    waits = [
        tries.start("ann", f"203.0.113.{number}", is_known_place=False).wait_seconds for number in range(6)
    ]
    assert waits == pytest.approx([5, 10, 15, 20, 25, 30])
    with pytest.raises(TooMuch):
        tries.start("ann", "203.0.113.77", is_known_place=False)
    assert tries.start("ben", "203.0.113.77", is_known_place=False).wait_seconds < 1


def test_who_came_in_before_is_not_held_up_by_strangers(tries: LoginThrottle, clock: Clock) -> None:
    for number in range(500):
        try:
            tries.start("ann", f"192.0.2.{number}", is_known_place=False)
        except TooMuch:
            break
    assert tries.start("ann", HOME, is_known_place=True).wait_seconds == 0


def test_one_that_guesses_many_names_locks_nobody_of_its_address_out(
    tries: LoginThrottle, clock: Clock
) -> None:
    for number in range(1000):
        fail(tries, clock, f"name{number}", HOME)
    assert tries.start("ann", HOME, is_known_place=True).wait_seconds == 0
    assert tries.start("ben", HOME, is_known_place=False).wait_seconds < 1


def test_one_that_guesses_at_home_slows_the_owner_and_does_not_lock_her_out(
    tries: LoginThrottle, clock: Clock
) -> None:
    for _ in range(200):
        fail(tries, clock, "ann", HOME, is_known_place=True)
    assert tries.start("ann", HOME, is_known_place=True).wait_seconds <= 5
    assert tries.start("ben", HOME, is_known_place=True).wait_seconds == 0


def test_fifty_at_once_from_one_network_do_not_refuse_the_next(tries: LoginThrottle) -> None:
    for number in range(50):
        tries.start(f"name{number}", HOME, is_known_place=False)
    assert tries.start("ben", HOME, is_known_place=False).wait_seconds < 10


def test_a_known_place_looks_like_any_other_to_one_client(tries: LoginThrottle, clock: Clock) -> None:
    """Else ten wrong passwords would tell who comes in from here."""
    for _ in range(60):
        known = tries.start("ann", HOME, is_known_place=True)
        unknown = tries.start("zora", HOME, is_known_place=False)
        assert known.is_over == unknown.is_over
        assert known.wait_seconds == pytest.approx(unknown.wait_seconds)
        clock.seconds += max(known.wait_seconds, 0.5)


def test_guesses_from_everywhere_cost_the_machine_so_much_a_second(tries: LoginThrottle) -> None:
    for number in range(16 + 250):
        tries.start(f"name{number}", f"10.{number // 250}.{number % 250}.1", is_known_place=False)
    with pytest.raises(TooMuch):
        tries.start("one more", "10.9.9.9", is_known_place=False)
    assert tries.start("ann", HOME, is_known_place=True).wait_seconds == 0


def test_a_try_that_came_in_is_free(tries: LoginThrottle) -> None:
    for is_known_place in (False, True) * 50:
        tried = tries.start("ann", HOME, is_known_place=is_known_place)
        assert not tried.is_over
        tries.came_in(tried)


def test_one_address_of_a_network_is_all_of_it() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2") == "2001:db8::/64"
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("unix socket") == "unix socket"


def test_the_memory_is_bounded(tries: LoginThrottle, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "REMEMBERED_COUNT", 50)
    for number in range(500):
        clock.seconds += 0.1
        tries.start(f"name{number}", f"192.0.{number // 250}.{number % 250}", is_known_place=False)
    for allowance in (tries._pairs, tries._accounts, tries._networks):
        assert len(allowance._full_at) <= 50


def test_filling_the_memory_does_not_forget_who_is_under_attack(
    tries: LoginThrottle, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "REMEMBERED_COUNT", 50)
    for number in range(35):
        tries.start("ann", f"192.0.2.{number}", is_known_place=False)
        tries.start(f"name{number}", f"203.0.113.{number}", is_known_place=False)
    assert tries.start("ann", "192.0.2.250", is_known_place=False).is_over
