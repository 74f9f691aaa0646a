"""Response cache. Which answers to strangers can be sent again as they are?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple
from weakref import ReferenceType, ref

from cachetools import FIFOCache

from app import clock
from app.entries.listing import Listing
from app.entries.validity import ALWAYS, Validity

MOST_BYTES = 16_000_000
LARGEST_KEPT_BYTES = 2_000_000
ID_BYTES = 48  # of an entry that is in a list
OVERHEAD_BYTES = 2_000  # of one answer, beside its body and its address


class Address(NamedTuple):
    """What an answer is kept under: path, query, the class of agents (`privacy.agents`), and its form."""

    path: bytes
    query: bytes
    agent: bytes
    form: bytes = b""


Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """An answer of status 200 whose every byte is known; ``unchanged_headers`` go with 304.

    ``lines`` and ``unchanged_lines`` are the headers as they stand in HTTP/1.1.
    """

    body: bytes
    etag: str
    headers: Headers
    unchanged_headers: Headers
    lines: bytes = field(init=False)
    unchanged_lines: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Write the lines."""
        object.__setattr__(self, "lines", _lines_of(self.headers))
        object.__setattr__(self, "unchanged_lines", _lines_of(self.unchanged_headers))


def _lines_of(headers: Headers) -> bytes:
    return b"".join(b"%s: %s\r\n" % each for each in headers)


class _Kept(NamedTuple):
    generation: int
    response: CachedResponse
    size_bytes: int
    validity: Validity
    made_of: ReferenceType[object] | None  # which may be large, and is held by its own memory
    listed: Listing | None


class ResponseCache:
    """A bounded memory by address; what was kept at another generation of the database is not found."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: FIFOCache[Address, _Kept] = FIFOCache(MOST_BYTES, getsizeof=lambda kept: kept.size_bytes)

    def __len__(self) -> int:
        """How many answers are kept."""
        return len(self._kept)

    def find(self, address: Address, generation: int) -> CachedResponse | None:
        """Return the answer for an address, if nothing was committed since it was made, and it still holds.

        Without the lock, which first in, first out allows: what is read is not moved, and no one waits.
        """
        try:
            kept = self._kept[address]
        except KeyError:  # not by `get`, which looks twice: the answer may be dropped in between
            return None
        if kept.generation != generation:
            return None
        is_valid = kept.validity is ALWAYS or kept.validity.holds_at(clock.now())
        return kept.response if is_valid else None

    def find_made_of(self, address: Address, value: object) -> CachedResponse | None:
        """Return the answer that was made of this very value for an address, at whatever generation."""
        try:
            kept = self._kept[address]
        except KeyError:
            return None
        made_of = None if kept.made_of is None else kept.made_of()
        return kept.response if value is not None and made_of is value else None

    def carry(
        self, address: Address, generation: int, is_same: Callable[[int, Listing], bool]
    ) -> CachedResponse | None:
        """Return the answer that was kept at another generation, and keep it at this one, if it is the same.

        ``is_same`` is asked whether what was made of these entries at that generation would be made now.
        """
        try:
            kept = self._kept[address]
        except KeyError:
            return None
        if kept.listed is None or not is_same(kept.generation, kept.listed):
            return None
        if not (kept.validity is ALWAYS or kept.validity.holds_at(clock.now())):
            return None
        with self._lock:
            self._kept[address] = kept._replace(generation=generation)
        return kept.response

    def keep(
        self,
        address: Address,
        generation: int,
        answer: CachedResponse,
        validity: Validity = ALWAYS,
        *,
        made_of: object = None,
        listed: Listing | None = None,
    ) -> None:
        """Keep ``answer``, made from what was there at ``generation``; the oldest make room."""
        size_bytes = len(answer.body) + sum(map(len, address)) + OVERHEAD_BYTES
        size_bytes += 0 if listed is None else ID_BYTES * len(listed.ids)
        source = None if made_of is None else ref(made_of)
        if size_bytes <= LARGEST_KEPT_BYTES:
            with self._lock:
                self._kept[address] = _Kept(generation, answer, size_bytes, validity, source, listed)

    def forget(self) -> None:
        """Forget everything: it is another database now, or the same one after someone worked on it."""
        with self._lock:
            self._kept.clear()
