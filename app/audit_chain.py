"""Hash chain (audit). How does a row of the audit vouch for those before it, and outlive its own values?

Two chains go through the table, one of what changed and one of what happened besides (`accounts.audit` has
the actions): the second is cleared away in time, and the first stays whole. Each row holds what both come to
with it. A link is made of what is no one's secret (action, record, time, key) and of two digests with salts
of their own: of the values, and of who did it. Whoever erases one of the two keeps its digest and forgets
its salt: the link still fits, and nothing that could be guessed can be tried.
"""

from __future__ import annotations

from hashlib import sha256
from secrets import token_hex
from typing import NamedTuple

GENESIS = ""
_HALF_BYTES = 15
_HALF = 2 * _HALF_BYTES
_DOT = "."
NOTHING = "null"
"""The JSON text that stands in the place of a value where there is none."""


class Hashes(NamedTuple):
    """What both chains come to."""

    changes: str = GENESIS
    events: str = GENESIS


class Link(NamedTuple):
    """What of one row goes into the chain beside its digests: as it is stored."""

    action: str
    table_name: str
    record_id: int
    created_at: str | None
    api_key_id: int | None


def new_salt() -> str:
    """Return a salt as it is stored: that of the values, a dot, that of who did it."""
    drawn = token_hex(2 * _HALF_BYTES)
    return f"{drawn[:_HALF]}{_DOT}{drawn[_HALF:]}"


def without_values(salt: str) -> str:
    """Return what is left of a salt once that of the values is forgotten."""
    return _DOT + salt.partition(_DOT)[2]


def without_actor(salt: str) -> str:
    """Return what is left of a salt once that of who did it is forgotten."""
    return salt.partition(_DOT)[0] + _DOT


def values_digest(salt: str, old_text: str | None, new_text: str | None) -> str:
    """Return the digest of the values before and after, JSON texts as they are stored."""
    old, new = old_text or "", new_text or ""
    return _hash(f"{salt.partition(_DOT)[0]}\n{len(old)}\n{old}{new}")


def actor_digest(salt: str, user_id: int | None, ip_address: str | None, user_agent: str | None) -> str:
    """Return the digest of who did it."""
    address = "" if ip_address is None else f"{_DOT}{ip_address}"
    agent = "" if user_agent is None else f"{_DOT}{user_agent}"
    return _hash(f"{salt.partition(_DOT)[2]}\n{user_id}\n{len(address)}\n{address}{agent}")


def linked(before: str, other: str, link: Link, of_values: str, of_actor: str) -> str:
    """Return what a chain that came to ``before`` comes to with a row; ``other`` is the other chain's."""
    return joined(before, other, halves_of(link, of_values, of_actor), link.created_at)


class Halves(NamedTuple):
    """What goes into the chain of a row before its time, and after it: ready before the time is known."""

    head: str
    tail: str


def halves_of(link: Link, of_values: str, of_actor: str) -> Halves:
    """Return what of a row goes into the chain but its time."""
    return Halves(
        f"{link.action}\n{link.table_name}\n{link.record_id}", f"{link.api_key_id}\n{of_values}\n{of_actor}"
    )


def joined(before: str, other: str, halves: Halves, at: str | None) -> str:
    """Return what `linked` does, of a row's halves and its time."""
    head, tail = halves
    return _hash(f"{before}\n{other}\n{head}\n{at}\n{tail}")


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
