"""Rate limit of logins. When is this one's turn? Tries wait longer the more of them there were.

Four things are counted, in memories of bounded size that end with the process; or in the database, where
several processes may serve it:

- a pair, one account and one network: what everyone is counted by;
- an account, over all networks it has never come in from: guessing from many places;
- a network, over all accounts that have never come in from it: guessing many names;
- everyone who comes from such a place together: what guessing costs the machine, and how many may wait.

A login from a place that its account came in from before is counted as a pair and as nothing else, so that no
other client, name or network can hold it up. Where a turn is near, the try waits for it; only where too many
wait already is it refused. An address that many share is slowed by one of them, and locked for no one.
"""

from __future__ import annotations

import hashlib
import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from app.errors import TooMuch

REMEMBERED_COUNT = 10_000
REFUSED_SECONDS = 5.0


class Counted(Protocol):
    """What stands for some names: until when, in seconds, and which moment it is now by the same clock."""

    now: float
    until: dict[str, float]


class SharedCounts(Protocol):
    """Where several server processes count together; a name without a moment has had no try of late."""

    def changing(self, names: Sequence[str]) -> AbstractContextManager[Counted]:
        """What stands for these names; what it is changed to counts for everyone, unless the block raises."""


class Allowance:
    """So many tries at once, then one every few seconds; what was longest untouched is forgotten first."""

    def __init__(
        self, name: str, tries_at_once: int, seconds_per_try: float, longest_wait_seconds: float
    ) -> None:
        self.name = name
        self.longest_wait_seconds = longest_wait_seconds
        self._burst = seconds_per_try * (tries_at_once - 1)
        self._step = seconds_per_try
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def wait_seconds(self, key: str, now: float) -> float:
        """Return how long the next try has to wait for its turn."""
        return max(0.0, round(self._full_at.get(key, now) - now - self._burst, 3))

    def spend(self, key: str, now: float) -> None:
        """Count a try, which takes its turn."""
        self._full_at[key] = max(self._full_at.get(key, now), now) + self._step
        self._full_at.move_to_end(key)
        if len(self._full_at) > REMEMBERED_COUNT:
            self._full_at.popitem(last=False)

    def full_at(self, key: str) -> float | None:
        """Return from when on its tries are all there again; None where nothing was counted."""
        return self._full_at.get(key)

    def take_over(self, key: str, full_at: float | None) -> None:
        """Let this be what was counted, by whichever process."""
        if full_at is None:
            self._full_at.pop(key, None)
        else:
            self._full_at[key] = full_at

    def give_back(self, key: str) -> None:
        """Take one try back."""
        if key in self._full_at:
            self._full_at[key] -= self._step


@dataclass(frozen=True)
class Try:
    """One login that has started: how long it waits for its turn, and what it was charged to.

    ``is_over`` says that account and network had no try left: if it is wrong, that is too many.
    """

    wait_seconds: float
    is_over: bool
    charged: tuple[tuple[Allowance, str], ...]


class LoginThrottle:
    """Tries, each counted when it starts, so that many at once count as many.

    They are those of one server process; or of all, where there is a place in which these count together.
    """

    def __init__(self, clock_seconds: Callable[[], float], shared: SharedCounts | None = None) -> None:
        self._clock = clock_seconds
        self._shared = shared
        self._lock = threading.Lock()
        self._pairs = Allowance("pair", 10, 5.0, longest_wait_seconds=30.0)
        self._accounts = Allowance("account", 30, 5.0, longest_wait_seconds=30.0)
        self._networks = Allowance("network", 10, 0.2, longest_wait_seconds=10.0)
        self._everybody = Allowance("everybody", 16, 0.04, longest_wait_seconds=10.0)

    @property
    def is_shared(self) -> bool:
        """Whether counting asks elsewhere, and so takes its time."""
        return self._shared is not None

    def start(self, username: str, network: str, *, is_known_place: bool) -> Try:
        """Count a try and say how long it waits; raises TooMuch where too many wait already.

        ``network`` is that of `network_of`; ``is_known_place`` whether the account came in from there before.
        """
        account = _account_key(username)
        charged = [(self._pairs, f"{account} {network}")]
        if not is_known_place:
            charged += [(self._accounts, account), (self._networks, network), (self._everybody, "")]
        with self._counting(charged) as now:
            waits = [allowance.wait_seconds(key, now) for allowance, key in charged]
            too_long = [
                wait
                for wait, (allowance, _) in zip(waits, charged, strict=True)
                if wait > allowance.longest_wait_seconds
            ]
            if too_long:
                raise too_many_tries(max(too_long))
            for allowance, key in charged:
                allowance.spend(key, now)
        return Try(max(waits), any(waits[:2]), tuple(charged))

    def refuse(self, door: str, network: str) -> None:
        """Count a wrong token or link at a door; raises TooMuch where there were too many.

        Whatever others guess: the right one is never counted, and so never held up.
        """
        if self.start(f"\0{door}", network, is_known_place=True).is_over:
            raise too_many_tries(REFUSED_SECONDS)

    def came_in(self, tried: Try) -> None:
        """Take back what a successful try was charged."""
        with self._counting(tried.charged):
            for allowance, key in tried.charged:
                allowance.give_back(key)

    @contextmanager
    def _counting(self, charged: Sequence[tuple[Allowance, str]]) -> Iterator[float]:
        """Give the moment it is, with what was counted until then; alone."""
        with self._lock:
            if self._shared is None:
                yield self._clock()
                return
            names = {f"{allowance.name} {key}": (allowance, key) for allowance, key in charged}
            with self._shared.changing(tuple(names)) as counted:
                for name, (allowance, key) in names.items():
                    allowance.take_over(key, counted.until.get(name))
                yield counted.now
                for name, (allowance, key) in names.items():
                    if (full_at := allowance.full_at(key)) is not None:
                        counted.until[name] = full_at


def too_many_tries(wait_seconds: float) -> TooMuch:
    """Return the error that says how long to wait."""
    wait = int(wait_seconds) + 1
    return TooMuch("Too many login tries.", hint=f"Try again in {wait} seconds.", retry_after_seconds=wait)


def network_of(address: str) -> str:
    """Return what tries are counted by: an IPv4 address, the /64 of an IPv6 one, anything else as it is."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


def _account_key(username: str) -> str:
    return hashlib.blake2b(username.casefold().encode(errors="replace"), digest_size=12).hexdigest()
