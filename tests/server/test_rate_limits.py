"""Is each sender given what the settings say, by several processes no more, and told what is left?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from app.server.rate_limits import REMEMBERED_COUNT, Bucket, Buckets, Counted, RateLimits, State
from app.settings import Settings


class Clock:
    """A clock that stands."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Standing:
    """What stands for names at a moment."""

    now: float
    until: dict[str, float]


@dataclass
class SharedInMemory:
    """What stands for the table in which processes count together."""

    clock: Clock
    until: dict[str, float] = field(default_factory=dict)
    asked_count: int = 0

    @contextmanager
    def changing(self, names: Sequence[str]) -> Iterator[Standing]:
        self.asked_count += 1
        yield Standing(self.clock.now, self.until)


def limits(clock: Clock, shared: SharedInMemory | None = None, **quotas: int) -> RateLimits:
    given: dict[str, Any] = {
        "rate_limit_network": 0,
        "rate_limit_person": 0,
        "rate_limit_writes": 0,
        **quotas,
    }
    return RateLimits(Settings(**given), shared, clock)


def ask(limited: RateLimits, address: str = "192.0.2.7", credential: str | None = None) -> Counted:
    return asyncio.run(limited.count(address, credential, is_write=False))


def write(limited: RateLimits, address: str = "192.0.2.7", credential: str | None = None) -> Counted:
    return asyncio.run(limited.count(address, credential, is_write=True))


def test_all_of_a_minutes_requests_at_once_and_then_one_when_its_turn_comes() -> None:
    bucket = Bucket(quota=6)
    assert [bucket.take(100.0) for _ in range(7)] == [True] * 6 + [False]
    assert bucket.left(100.0) == 0
    assert bucket.wait_seconds(100.0) == 10.0
    assert not bucket.take(109.9)
    assert bucket.take(110.0)
    assert bucket.left(100.0 + 120.0) == 6


def test_many_small_steps_are_not_rounded_away() -> None:
    for quota in (1, 7, 3_000, 999_983):
        bucket = Bucket(quota)
        assert sum(bucket.take(5.0e5) for _ in range(min(quota, 3_000) + 1)) == min(quota, 3_001)


def test_strangers_share_what_their_network_has_and_nothing_else() -> None:
    limited = limits(Clock(), rate_limit_network=2)
    same = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::2", "2001:db8:1:2::3"]
    assert [ask(limited, each).wait_seconds for each in same] == [0, 0, 30]
    assert ask(limited, "2001:db8:1:3::1").wait_seconds == 0
    assert ask(limited, "::ffff:192.0.2.7").states == [State("network", 2, 1, 30.0)]
    assert ask(limited, "192.0.2.7").states == [State("network", 2, 0, 60.0)]


def test_a_person_has_one_allowance_from_everywhere_with_every_credential() -> None:
    limited = limits(Clock(), rate_limit_network=5, rate_limit_person=3)
    for text in ("token", "key"):
        assert ask(limited, credential=text).states[0].policy == "network"
        limited.learn(text, 7)  # and each of them costs one of the person's
    assert ask(limited, "198.51.100.1", "token").states == [State("person", 3, 0, 60.0)]
    assert ask(limited, "203.0.113.1", "key").wait_seconds == 20
    assert ask(limited).states[0].left == 2, "what is the person's costs the network nothing"


def test_a_credential_that_is_no_longer_valid_costs_its_person_nothing() -> None:
    limited = limits(Clock(), rate_limit_network=5, rate_limit_person=9)
    limited.learn("stolen", 7)
    assert ask(limited, credential="stolen").states[0].policy == "person"
    limited.learn("stolen", None)
    assert ask(limited, credential="stolen").states[0].policy == "network"


def test_writes_have_an_allowance_of_their_own() -> None:
    limited = limits(Clock(), rate_limit_network=9, rate_limit_writes=1)
    assert write(limited).wait_seconds == 0
    refused = write(limited)
    assert refused.wait_seconds == 60
    assert [each.policy for each in refused.states] == ["network", "writes"]
    assert ask(limited).wait_seconds == 0


def test_two_processes_together_let_through_what_one_would() -> None:
    clock = Clock()
    shared = SharedInMemory(clock)
    processes = [limits(clock, shared, rate_limit_writes=600) for _ in range(2)]
    for process in processes:
        process.learn("token", 7)
    passed = sum(not write(processes[turn % 2], credential="token").wait_seconds for turn in range(1_000))
    assert passed == 600
    assert shared.asked_count < 600 / 10 + 401, "a process takes several at a time"
    clock.now += 60.0
    assert not write(processes[0], credential="token").wait_seconds


def test_what_a_process_took_and_did_not_use_is_lost_and_never_too_much() -> None:
    clock = Clock()
    shared = SharedInMemory(clock)
    first, second = (limits(clock, shared, rate_limit_writes=600) for _ in range(2))
    assert not write(first).wait_seconds  # holds nine more
    clock.now += 20.0
    passed = sum(not write(second).wait_seconds for _ in range(1_000))
    assert passed == 600, "they came back meanwhile"
    assert write(first).wait_seconds == 1


def test_the_memory_is_bounded_and_who_is_asked_for_stays() -> None:
    buckets = Buckets("network", 2)
    kept = buckets.of("kept")
    assert kept is not None
    kept.take(1.0)
    for number in range(REMEMBERED_COUNT + 10):
        buckets.of(str(number))
        assert buckets.of("kept") is kept
    assert len(buckets._by_sender) == REMEMBERED_COUNT


def test_the_fields_are_those_of_the_draft() -> None:
    counted = Counted([State("person", 6000, 5999, 0.01), State("writes", 3000, 2999, 0.02)])
    assert counted.fields() == [
        (b"ratelimit-policy", b'"person";q=6000;w=60, "writes";q=3000;w=60'),
        (b"ratelimit", b'"person";r=5999;t=1, "writes";r=2999;t=1'),
    ]
    assert Counted().fields() == []
