"""May this login be tried now? Counts tries per account and per network, in memory of a bounded size."""

from __future__ import annotations

import hashlib
import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from app.errors import TooMuch

TRIES_AT_ONCE = 10
ACCOUNT_SECONDS_PER_TRY = 30.0
NETWORK_SECONDS_PER_TRY = 10.0
REMEMBERED_COUNT = 10_000


class _Allowance:
    """So many tries at once, then one every few seconds; what was longest untouched is forgotten first."""

    def __init__(self, seconds_per_try: float) -> None:
        self._step = seconds_per_try
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def wait_seconds(self, key: str, now: float) -> float:
        due = self._full_at.get(key, now)
        return max(0.0, due - now - self._step * (TRIES_AT_ONCE - 1))

    def spend(self, key: str, now: float) -> None:
        self._full_at[key] = max(self._full_at.get(key, now), now) + self._step
        self._full_at.move_to_end(key)
        if len(self._full_at) > REMEMBERED_COUNT:
            self._full_at.popitem(last=False)

    def give_back(self, key: str) -> None:
        if key in self._full_at:
            self._full_at[key] -= self._step


@dataclass(frozen=True)
class Try:
    """One login that has started: what it was charged to."""

    account: str
    network: str
    is_from_home: bool


class LoginThrottle:
    """The tries of one server process, each counted when it starts, so that many at once count as many."""

    def __init__(self, clock_seconds: Callable[[], float]) -> None:
        self._clock = clock_seconds
        self._lock = threading.Lock()
        self._accounts = _Allowance(ACCOUNT_SECONDS_PER_TRY)
        self._networks = _Allowance(NETWORK_SECONDS_PER_TRY)
        self._homes: OrderedDict[tuple[str, str], None] = OrderedDict()

    def start(self, username: str, address: str) -> Try:
        """Count a try, or raise TooMuch.

        Where an account has come in from before is its home: tries of strangers elsewhere do not hold it up.
        """
        account, network, now = _account_key(username), network_of(address), self._clock()
        with self._lock:
            is_from_home = (account, network) in self._homes
            wait = self._networks.wait_seconds(network, now)
            if not is_from_home:
                wait = max(wait, self._accounts.wait_seconds(account, now))
            if wait > 0:
                raise too_many_tries(wait)
            self._networks.spend(network, now)
            if not is_from_home:
                self._accounts.spend(account, now)
        return Try(account, network, is_from_home)

    def came_in(self, tried: Try) -> None:
        """Take back what a successful try was charged, and remember where it came from."""
        with self._lock:
            self._networks.give_back(tried.network)
            if not tried.is_from_home:
                self._accounts.give_back(tried.account)
            self._homes[tried.account, tried.network] = None
            self._homes.move_to_end((tried.account, tried.network))
            if len(self._homes) > REMEMBERED_COUNT:
                self._homes.popitem(last=False)


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
