"""Untrusted reverse proxies. Who sends forwarding headers, and is not named by TRUSTED_PROXIES?"""

from __future__ import annotations

import asyncio
import ipaddress
import time

from app import clock, log
from app.accounts import proxies
from app.server.client_address import find_address, is_trusted
from app.settings import Settings

DAY_SECONDS = 86_400.0
PROXIES_COUNT = 100

_log = log.get_logger(__name__)


class UntrustedProxies:
    """Which ones were noticed, in a memory of bounded size."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._noticed: dict[str, float] = {}

    def is_news(self, peer: str) -> bool:
        """Whether `notice` has something to tell of a peer that sends forwarding headers."""
        noticed_at = self._noticed.get(peer)
        if noticed_at is not None and time.monotonic() - noticed_at < DAY_SECONDS:
            return False
        if is_trusted(peer, self._settings.trusted_proxies) or find_address(peer) is None:
            return False
        is_near = ipaddress.ip_address(peer).is_private  # anyone can send such headers
        return len(self._noticed) < (PROXIES_COUNT if is_near else PROXIES_COUNT // 2)

    async def notice(self, peer: str) -> None:
        """Tell at once, and once a day, that forwarding headers come from a peer that is not trusted."""
        if not self.is_news(peer):
            return
        self._noticed[peer] = time.monotonic()
        await asyncio.to_thread(self._note, peer)

    def _note(self, peer: str) -> None:
        _log.warning(proxies.in_words([peer]))
        try:
            proxies.note(self._settings, peer, clock.now())
        except OSError as error:
            _log.warning("The proxy cannot be noted for daemon status.", extra={"why": error.strerror})
