"""Rate limits of requests (GCRA). May this one be answered now, and what is its sender told of what is left?

Three policies, each so many requests a minute and all of them at once where none were before:

- ``network``: an IPv4 address or a /64 of IPv6, of everyone who is not known to be a person of this server;
- ``person``: whoever sent a credential that was accepted of late, from wherever; a network's is left alone;
- ``writes``: what may change something, of the same person or network. Where several processes serve the
  database these count together, in leases: a process takes some requests at a time, and what it does not use
  of them in a few seconds is lost. So together they never let through more than one process would.

All else is counted by each process. For the thread of the event loop.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b

from cachetools import LRUCache

from app.accounts.throttle import SharedCounts, network_of
from app.errors import DaemonError, TooMuch
from app.settings import Settings

WINDOW_SECONDS = 60.0
REMEMBERED_COUNT = 10_000
LEASES_A_WINDOW = 60
LEASE_SECONDS = 10.0
NO_ROUNDING = 1e-6

network_named = lru_cache(4_096)(network_of)


class Bucket:
    """What one sender has left of one policy, by one number: from when on all of it is there again."""

    __slots__ = ("_step_seconds", "full_at")

    def __init__(self, quota: int) -> None:
        self._step_seconds = WINDOW_SECONDS / quota
        self.full_at = 0.0

    def take(self, now: float, count: int = 1) -> bool:
        """Take requests, all or none; returns whether they were there."""
        full_at = (self.full_at if self.full_at > now else now) + self._step_seconds * count
        if full_at - now > WINDOW_SECONDS + NO_ROUNDING:
            return False
        self.full_at = full_at
        return True

    def left(self, now: float) -> int:
        """Return how many requests are left at this moment."""
        return int((WINDOW_SECONDS - max(0.0, self.full_at - now) + NO_ROUNDING) / self._step_seconds)

    def seconds_until_full(self, now: float) -> float:
        """Return how long until all of them are there again."""
        return max(0.0, self.full_at - now)

    def wait_seconds(self, now: float) -> float:
        """Return how long until there is one."""
        return max(0.0, self.full_at + self._step_seconds - now - WINDOW_SECONDS)


class Buckets:
    """The buckets of one policy; what was longest untouched goes first. A quota of 0 limits nothing."""

    def __init__(self, name: str, quota: int) -> None:
        self.name = name
        self.quota = quota
        self._by_sender: OrderedDict[str, Bucket] = OrderedDict()

    def of(self, sender: str) -> Bucket | None:
        """Return the bucket of a sender; None where nothing is limited."""
        if not self.quota:
            return None
        bucket = self._by_sender.get(sender)
        if bucket is None:
            bucket = self._by_sender[sender] = Bucket(self.quota)
            if len(self._by_sender) > REMEMBERED_COUNT:
                self._by_sender.popitem(last=False)
        else:
            self._by_sender.move_to_end(sender)
        return bucket


@dataclass(frozen=True)
class State:
    """What is left of one policy after a request; ``wait_seconds`` is 0 where there was one left."""

    policy: str
    quota: int
    left: int
    full_in_seconds: float
    wait_seconds: float = 0.0


@dataclass
class Counted:
    """What one request was counted by."""

    states: list[State] = field(default_factory=list)

    @property
    def wait_seconds(self) -> int:
        """How long to wait before the same is asked again; 0: it is answered now."""
        longest = max((state.wait_seconds for state in self.states), default=0.0)
        return math.ceil(longest) if longest > 0 else 0

    def fields(self) -> list[tuple[bytes, bytes]]:
        """Return the header fields of draft-ietf-httpapi-ratelimit-headers (lists of RFC 9651)."""
        if not self.states:
            return []
        policies = ", ".join(f'"{each.policy}";q={each.quota};w={WINDOW_SECONDS:.0f}' for each in self.states)
        left = ", ".join(
            f'"{each.policy}";r={each.left};t={math.ceil(each.full_in_seconds)}' for each in self.states
        )
        return [(b"ratelimit-policy", policies.encode()), (b"ratelimit", left.encode())]


class RateLimits:
    """What every sender has left, by the three policies."""

    def __init__(
        self,
        settings: Settings,
        shared: SharedCounts | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._networks = Buckets("network", settings.rate_limit_network)
        self._persons = Buckets("person", settings.rate_limit_person)
        self._writes = Buckets("writes", settings.rate_limit_writes)
        self._leases = None if shared is None else Leases(shared, settings.rate_limit_writes)
        self._key = secrets.token_bytes(16)
        self._known: LRUCache[bytes, int] = LRUCache(REMEMBERED_COUNT)

    def bucket_at(self, address: str) -> Bucket | None:
        """Return the bucket of the network of an address; None where networks are not limited."""
        return self._networks.of(network_named(address)) if self._networks.quota else None

    async def count(self, address: str, credential: str | None, *, is_write: bool) -> Counted:
        """Count a request, and return by what; its sender is whom the credential was known for last."""
        person_id = None if credential is None else self._known.get(self._hash(credential))
        sender, buckets = f"person {person_id}", self._persons
        if person_id is None:
            sender, buckets = network_named(address), self._networks
        counted, now = Counted(), self._clock()
        _take(counted, buckets, sender, now)
        if is_write and self._writes.quota and not counted.wait_seconds:
            if self._leases is None:
                _take(counted, self._writes, sender, now)
            else:
                state = await self._leases.take(sender, now)
                counted.states += [state] if state else []
        return counted

    def learn(self, credential: str, person_id: int | None) -> None:
        """Remember whose a credential is, once it was looked at; None: no one's, or no longer."""
        key = self._hash(credential)
        if person_id is None:
            self._known.pop(key, None)
        elif self._known.get(key) != person_id:
            self._known[key] = person_id
            bucket = self._persons.of(f"person {person_id}")
            if bucket is not None:  # many credentials are no way around
                bucket.take(self._clock())

    def _hash(self, credential: str) -> bytes:
        return blake2b(credential.encode(errors="surrogatepass"), key=self._key, digest_size=16).digest()


def _take(counted: Counted, buckets: Buckets, sender: str, now: float) -> None:
    bucket = buckets.of(sender)
    if bucket is not None:
        wait = 0.0 if bucket.take(now) else max(bucket.wait_seconds(now), NO_ROUNDING)
        full_in = bucket.seconds_until_full(now)
        counted.states.append(State(buckets.name, buckets.quota, bucket.left(now), full_in, wait))


class Leases:
    """Requests that this process took, for a while, out of what all processes have together."""

    def __init__(self, shared: SharedCounts, quota: int) -> None:
        self._shared = shared
        self._quota = quota
        self._most = max(1, quota // LEASES_A_WINDOW)
        self._turn = asyncio.Lock()
        self._held: OrderedDict[str, _Lease] = OrderedDict()

    async def take(self, sender: str, now: float) -> State | None:
        """Take one request of a sender; asks the others where this process holds none of theirs.

        None where they cannot be asked: the database is away, and whatever is to be written will say so.
        """
        state = self._from_held(sender, now)
        if state is not None:
            return state
        async with self._turn:
            state = self._from_held(sender, now)  # of those that someone took meanwhile
            if state is not None:
                return state
            try:
                lease = await asyncio.to_thread(self._ask, sender)
            except DaemonError:
                return None
        self._hold(sender, now, lease)
        return State("writes", self._quota, lease.beyond + lease.count, lease.full_in_seconds, lease.wait)

    def _from_held(self, sender: str, now: float) -> State | None:
        held = self._held.get(sender)
        if held is None or held.count < 1 or held.ends_at <= now:
            return None
        held.count -= 1
        return State("writes", self._quota, held.beyond + held.count, max(0.0, held.full_at - now))

    def _ask(self, sender: str) -> _Lease:
        name, bucket = f"writes {sender}", Bucket(self._quota)
        with self._shared.changing((name,)) as counted:
            bucket.full_at = counted.until.get(name, 0.0)
            count = min(self._most, bucket.left(counted.now))
            if count:
                bucket.take(counted.now, count)
                counted.until[name] = bucket.full_at
            full_in, beyond = bucket.seconds_until_full(counted.now), bucket.left(counted.now)
            wait = 0.0 if count else max(bucket.wait_seconds(counted.now), NO_ROUNDING)
        return _Lease(max(0, count - 1), beyond, full_in, wait)

    def _hold(self, sender: str, now: float, lease: _Lease) -> None:
        lease.ends_at, lease.full_at = now + LEASE_SECONDS, now + lease.full_in_seconds
        self._held[sender] = lease
        self._held.move_to_end(sender)
        if len(self._held) > REMEMBERED_COUNT:
            self._held.popitem(last=False)


@dataclass
class _Lease:
    """How many are left of it and beyond it, and how long until the next one, where none is."""

    count: int
    beyond: int
    full_in_seconds: float
    wait: float
    ends_at: float = 0.0
    full_at: float = 0.0


def credential_in(headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    """Return the text by which the credential of a request is known again; None where it sends none."""
    sent = [value for name, value in headers if name in (b"authorization", b"x-api-key")]
    return b"\n".join(sent).decode("latin-1") if sent else None


def too_many_requests(wait_seconds: int) -> TooMuch:
    """Return the error that says how long to wait."""
    return TooMuch(
        "Too many requests; this one was not looked at.",
        hint=f"Try again in {wait_seconds} seconds.",
        retry_after_seconds=wait_seconds,
    )
