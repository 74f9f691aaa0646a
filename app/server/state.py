"""Server state. What lives as long as the process does: settings, the open database, caches and queues?"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING

from app import clock, log, log_lines
from app.accounts import claim, names, tokens
from app.accounts.secret import signing_secret
from app.accounts.throttle import LoginThrottle
from app.entries import endpoints, search_index, store
from app.entries.cursors import cursor_key
from app.entries.view_memory import ViewMemory
from app.formats.pdf_process import PdfProcess
from app.formats.picture_process import PictureProcess
from app.privacy import entry_search, patterns
from app.server.ai_ledger import AiLedger
from app.server.body_budget import BodyBudget
from app.server.claim_announcement import ClaimAnnouncement
from app.server.database_supervisor import DECIDING_SECONDS, DatabaseSupervisor
from app.server.departing import Departing
from app.server.examination import Examination
from app.server.going_back import GoingBack
from app.server.jobs import BackgroundJobs
from app.server.known_writers import KnownWriters
from app.server.list_workers import ListWorkers
from app.server.looks import Looks
from app.server.operations import Operations
from app.server.operator_token import OperatorToken
from app.server.password_workers import PasswordWorkers
from app.server.pending_audit import PendingAudit
from app.server.rate_limits import RateLimits
from app.server.response_cache import Address, CachedResponse, ResponseCache
from app.server.running_requests import RunningRequests
from app.server.scrubbing import Scrubbing
from app.server.search_upkeep import SearchUpkeep
from app.server.selftest.runner import SelftestRunner
from app.server.statistics import Statistics
from app.server.text_backfill import TextBackfill
from app.server.untrusted_proxies import UntrustedProxies
from app.server.webhook_sender import WebhookSender
from app.server.write_queue import WriteQueue
from app.settings import Settings
from app.storage.registry import storage_for

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.database import Database
    from app.server.oidc_provider import OidcProvider

EXPORTS_AT_ONCE = 2
EXPORTS_BEGUN_MOST = 100  # the others wait for their turn

_log = log.get_logger(__name__)


class ServerState:
    """Everything that lives as long as the server process does."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.started_seconds = time.monotonic()
        self.shared_counts = storage_for(settings.database_url).shared_counts()
        self.throttle = LoginThrottle(time.monotonic, self.shared_counts)
        self.sleep: Callable[[float], Awaitable[None]] = asyncio.sleep  # a test has no time for it
        self.hashing = PasswordWorkers()
        self.hashing_at_known_places = PasswordWorkers(at_once=1)  # strangers' guesses fill the other
        self.list_workers = ListWorkers()
        self.pictures = PictureProcess()
        self.pdfs = PdfProcess()
        self.bodies = BodyBudget(settings.max_body_bytes)
        self.response_cache = ResponseCache()
        self.views = ViewMemory(settings.view_memory_bytes)
        self.known_writers = KnownWriters()
        self.running_requests = RunningRequests()
        self.rate_limits = RateLimits(settings, self.shared_counts)
        self.is_claimed = False
        self._secret = ""
        self._claim_announcement = ClaimAnnouncement(settings)
        self.untrusted_proxies = UntrustedProxies(settings)
        self.supervisor = DatabaseSupervisor(settings, self._on_open)
        self.writes = WriteQueue(self.supervisor)
        self.pending_audit = PendingAudit(settings, self.supervisor)
        self.ai_ledger = AiLedger(self.supervisor)
        self.text_backfill = TextBackfill(self.supervisor)
        self.search_upkeep = SearchUpkeep(self.supervisor, self.text_backfill, settings.privacy_level)
        self.scrubbing = Scrubbing(settings, self.supervisor, self._forget_entries)
        self.departing = Departing(self.supervisor, self.scrubbing)
        self.selftest = SelftestRunner(self.supervisor)
        self.examination = Examination(settings)
        self.statistics = Statistics(settings, self.supervisor)
        self.operations = Operations(self.supervisor)
        self.exports = Operations(self.supervisor, EXPORTS_BEGUN_MOST)
        self.export_turn = threading.BoundedSemaphore(EXPORTS_AT_ONCE)
        self.going_back = GoingBack(settings)
        self.looks = Looks(settings)
        self.operator_token = OperatorToken(settings, lambda: self.secret)
        self.webhooks = WebhookSender(settings, self.supervisor, lambda: self.secret)
        if settings.oidc_client_secret:
            log_lines.keep_secret(settings.oidc_client_secret)
        self.jobs = BackgroundJobs(
            may_run=lambda: self.supervisor.is_open,
            begins=lambda: self.supervisor.wait_until_decided(DECIDING_SECONDS),
        )

    @property
    def secret(self) -> str:
        """What tokens are signed with; where the file of it cannot be made, they end with this process."""
        if not self._secret:
            self._secret = self._read_or_make_secret()
            log_lines.keep_secret(self._secret)
        return self._secret

    @cached_property
    def cursor_key(self) -> bytes:
        """What the cursors of lists are encrypted with: the same in every process of the installation."""
        return cursor_key(self.secret)

    @cached_property
    def oidc(self) -> OidcProvider:
        """The provider of logins; what asks it by HTTP is loaded where someone first comes by it."""
        from app.server.oidc_provider import OidcProvider

        return OidcProvider(self.settings)

    @property
    def may_use_response_cache(self) -> bool:
        """Whether every anonymous caller is a stranger, so that their answers are alike."""
        return self.is_claimed and self.supervisor.is_open

    def find_cached_response(self, address: Address) -> CachedResponse | None:
        """Return the kept answer for an address, if nothing was committed since."""
        return self.response_cache.find(address, self.supervisor.generation())

    def see_claim(self, connection: Connection) -> bool:
        """Return whether the installation is claimed; once it is, it is not asked again."""
        if not self.is_claimed:
            self.is_claimed = claim.is_claimed(connection)
        return self.is_claimed

    def _forget_entries(self) -> None:
        self.response_cache.forget()
        self.views.forget()

    def _on_open(self, database: Database) -> None:
        self.operator_token.end(clock.now())
        self.looks.forget()
        self._forget_entries()
        self.scrubbing.begin_again()
        self.is_claimed = False
        self.text_backfill.begin_again()
        self.search_upkeep.begin_again()
        self.webhooks.begin_again()
        self.pending_audit.begin_clearing()  # it may be another file than before
        with database.writing() as connection:
            added = endpoints.add_missing_endpoints(connection)
            names.fold_missing_names(connection)
            search_index.see_to_it(connection)
            is_claimed = self.see_claim(connection)
            has_texts = store.has_any(connection)
        if has_texts:
            entry_search.load()  # before anyone reads, who would hold up writers meanwhile
            if patterns.is_installed() and (missing := patterns.missing()):  # else it was said at the start
                _log.warning(missing)
        if is_claimed:
            tokens.library()
        if added:
            _log.info("Endpoints of newer kind files were added.", extra={"names": list(added)})
        if not is_claimed:
            self._claim_announcement.print_once()

    def _read_or_make_secret(self) -> str:
        try:
            return signing_secret(self.settings)
        except OSError as error:
            _log.warning("The signing secret cannot be kept.", extra={"why": error.strerror})
            return secrets.token_urlsafe(32)
