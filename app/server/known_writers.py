"""Known writers (memory of accepted credentials). Whose body may be read before they are asked who they are?

Who may not write is told before a byte of a body is read, so that strangers fill no memory. That question
is asked of the database, and again in the transaction that writes, which alone decides. Who was accepted a
moment ago need not be asked the first time. Credentials are kept as hashes, with a key of this process.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from hashlib import blake2b

from cachetools import TTLCache

KNOWN_SECONDS = 5.0
KNOWN_MOST = 1_000


class KnownWriters:
    """Credentials that were accepted for writing in the last seconds. For one thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = secrets.token_bytes(16)
        self._known: TTLCache[bytes, None] = TTLCache(KNOWN_MOST, KNOWN_SECONDS, timer=clock)

    def knows(self, authorization: str | None, api_key: str | None) -> bool:
        """Whether a client that sent these headers was accepted a moment ago; never one that sent none."""
        return self._hash(authorization, api_key) in self._known

    def accepted(self, authorization: str | None, api_key: str | None) -> None:
        """Remember for a moment that who sends these headers may write."""
        if authorization is not None or api_key is not None:
            self._known[self._hash(authorization, api_key)] = None

    def _hash(self, authorization: str | None, api_key: str | None) -> bytes:
        said = repr((authorization, api_key)).encode(errors="surrogatepass")
        return blake2b(said, key=self._key, digest_size=16).digest()
