"""Running requests (idempotency keys). Is a request with the same key being carried out in this process?

That two of them make nothing twice is settled in the transaction, where the second finds what the first has
kept, also of another process. This tells a client at once to wait.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import StillRunning


class RunningRequests:
    """Which keys are in use now, each with the credential that was sent with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[tuple[str | None, ...]] = set()

    @contextmanager
    def only_one(self, *sent: str | None) -> Iterator[None]:
        """Carry out a request with this credential and key; raises StillRunning where another one is."""
        with self._lock:
            if sent in self._running:
                raise StillRunning(
                    "A request with this Idempotency-Key is being carried out.",
                    hint="Wait for its answer, or send it again in a moment.",
                    retry_after_seconds=1,
                )
            self._running.add(sent)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(sent)
