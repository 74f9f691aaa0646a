"""Promotions (split brain). Was another server promoted while the one that is used still runs?

libpq is asked at the beginning of a connection only, and a primary that was cut off from its operator, but
not from us, goes on taking writes. So while a database is served whose URL names several servers, a thread
asks each of them again and again. Where none but the old primary can be reached, nobody here can know.
"""

from __future__ import annotations

import threading

from app.errors import DaemonError
from app.storage.postgresql import primary
from app.storage.postgresql.driver import load, look_around

PAUSE_SECONDS = 1.0


class PromotionWatch:
    """Looks around until it is stopped."""

    def __init__(self, url: str, served: primary.Epoch) -> None:
        """``served`` is the epoch of the server that is used."""
        self._url = url
        self._served = served
        self._stopping = threading.Event()
        threading.Thread(target=self._run, name="promotions", daemon=True).start()

    @property
    def has_seen_one(self) -> bool:
        """Whether the server that is used is the primary no longer."""
        return primary.is_old(self._url, self._served)

    def stop(self) -> None:
        """Let it end."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(PAUSE_SECONDS):
            try:
                look_around(self._url)
            except (load().Error, DaemonError):
                continue
