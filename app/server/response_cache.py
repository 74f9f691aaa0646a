"""Response cache. Which answers to strangers can be sent again as they are?"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

MOST_BYTES = 16_000_000
LARGEST_KEPT_BYTES = 2_000_000

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """An answer of status 200 whose every byte is known; ``unchanged_headers`` go with 304."""

    body: bytes
    etag: str
    headers: Headers
    unchanged_headers: Headers


class ResponseCache:
    """A bounded memory by address; what was kept at another generation of the database is not found."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[bytes, bytes], tuple[int, CachedResponse]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        """How many answers are kept."""
        return len(self._kept)

    def find(self, address: tuple[bytes, bytes], generation: int) -> CachedResponse | None:
        """Return the answer for path and query, if nothing was committed since it was made."""
        kept = self._kept.get(address)
        return kept[1] if kept is not None and kept[0] == generation else None

    def keep(self, address: tuple[bytes, bytes], generation: int, answer: CachedResponse) -> None:
        """Keep ``answer``, made from what was there at ``generation``; the oldest make room."""
        size = _size(address, answer)
        if size > LARGEST_KEPT_BYTES:
            return
        with self._lock:
            self._drop(address)
            self._kept[address] = (generation, answer)
            self._bytes += size
            while self._bytes > MOST_BYTES:
                self._drop(next(iter(self._kept)))

    def forget(self) -> None:
        """Forget everything: it is another database now, or the same one after somebody worked on it."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _drop(self, address: tuple[bytes, bytes]) -> None:
        kept = self._kept.pop(address, None)
        if kept is not None:
            self._bytes -= _size(address, kept[1])


def _size(address: tuple[bytes, bytes], answer: CachedResponse) -> int:
    return len(answer.body) + len(address[0]) + len(address[1]) + 1_000
