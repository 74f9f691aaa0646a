"""What lives as long as the server process? Its settings, the open database, its memory and its queues."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import secrets
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from app import clock, log, log_lines
from app.accounts import claim, proxies, users
from app.accounts.secret import signing_secret
from app.accounts.throttle import LoginThrottle
from app.entries import kinds
from app.server.body_budget import BodyBudget
from app.server.client_address import find_address, is_trusted
from app.server.database_supervisor import DatabaseSupervisor
from app.server.jobs import BackgroundJobs
from app.server.list_workers import ListWorkers
from app.server.password_workers import PasswordWorkers
from app.server.pending_audit import PendingAudit
from app.server.response_cache import CachedResponse, ResponseCache
from app.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.database import Database

CLAIM_TEXT = """
This installation has no account yet. Its first one is made with this one-time token:

  claim token: %s
  (also in %s)

  curl http://localhost:%d/auth/register -H 'Content-Type: application/json' \\
    -d '{"username": "...", "email": "...", "password": "...", "claim_token": "..."}'

  or, on this machine: daemon user create NAME --admin

"""

DAY_SECONDS = 86_400.0
PROXIES_COUNT = 100

_log = log.get_logger(__name__)


class ServerState:
    """Everything that lives as long as the server process does."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.started_seconds = time.monotonic()
        self.throttle = LoginThrottle(time.monotonic)
        self.sleep: Callable[[float], Awaitable[None]] = asyncio.sleep  # a test has no time for it
        self.hashing = PasswordWorkers()
        self.hashing_at_known_places = PasswordWorkers(
            at_once=1
        )  # its own: strangers' guesses fill the other
        self.list_workers = ListWorkers()
        self.bodies = BodyBudget(settings.max_body_bytes)
        self.response_cache = ResponseCache()
        self.is_claimed = False
        self._secret = ""
        self._announced = ""
        self._proxies_noticed: dict[str, float] = {}
        self.supervisor = DatabaseSupervisor(settings, self._on_open)
        self.pending_audit = PendingAudit(settings, self.supervisor)
        self.jobs = BackgroundJobs(may_run=lambda: self.supervisor.is_open)

    @property
    def secret(self) -> str:
        """What tokens are signed with; where the file of it cannot be made, they end with this process."""
        if not self._secret:
            self._secret = self._read_or_make_secret()
            log_lines.keep_secret(self._secret)
        return self._secret

    @property
    def may_use_response_cache(self) -> bool:
        """Whether every anonymous caller is a stranger, so that their answers are alike."""
        return self.is_claimed and self.supervisor.is_open

    def find_cached_response(self, address: tuple[bytes, bytes]) -> CachedResponse | None:
        """Return the kept answer for path and query, if nothing was committed since."""
        return self.response_cache.find(address, self.supervisor.generation())

    def see_claim(self, connection: Connection) -> bool:
        """Return whether the installation is claimed; once it is, it is not asked again."""
        if not self.is_claimed:
            self.is_claimed = claim.is_claimed(connection)
        return self.is_claimed

    async def notice_proxy(self, peer: str) -> None:
        """Tell at once, and once a day, that forwarding headers come from a peer that is not trusted."""
        noticed_at = self._proxies_noticed.get(peer)
        if noticed_at is not None and time.monotonic() - noticed_at < DAY_SECONDS:
            return
        if is_trusted(peer, self.settings.trusted_proxies) or find_address(peer) is None:
            return
        is_near = ipaddress.ip_address(peer).is_private
        if len(self._proxies_noticed) >= (PROXIES_COUNT if is_near else PROXIES_COUNT // 2):
            return  # anybody can send such headers
        self._proxies_noticed[peer] = time.monotonic()
        await asyncio.to_thread(self._note_proxy, peer)

    def _note_proxy(self, peer: str) -> None:
        _log.warning(proxies.in_words([peer]))
        try:
            proxies.note(self.settings, peer, clock.now())
        except OSError as error:
            _log.warning("The proxy cannot be noted for daemon status.", extra={"why": error.strerror})

    def _on_open(self, database: Database) -> None:
        self.response_cache.forget()
        self.is_claimed = False
        self.pending_audit.begin_clearing()  # it may be another file than before
        with database.writing() as connection:
            added = kinds.add_missing_rows(connection)
            users.fold_missing_names(connection)
            is_claimed = self.see_claim(connection)
        if added:
            _log.info("Endpoints of newer kind files were added.", extra={"names": list(added)})
        if not is_claimed:
            self._announce_claim()

    def _read_or_make_secret(self) -> str:
        try:
            return signing_secret(self.settings)
        except OSError as error:
            _log.warning("The signing secret cannot be kept.", extra={"why": error.strerror})
            return secrets.token_urlsafe(32)

    def _announce_claim(self) -> None:
        """Print the one-time token on the console; it never goes through the log."""
        try:
            token = claim.claim_token(self.settings)
        except OSError as error:
            _log.warning("The claim token cannot be kept.", extra={"why": error.strerror})
            return
        log_lines.keep_secret(token)
        if token != self._announced:
            self._announced = token
            with contextlib.suppress(OSError, ValueError):  # a console that is gone
                sys.stdout.write(CLAIM_TEXT % (token, self.settings.claim_path, self.settings.port))
                sys.stdout.flush()
