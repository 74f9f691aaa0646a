"""Webhook delivery (background job). What is sent now, by which process, and when is it tried again?

One process of several does it. Everything is in the database: what was sent and not written down before the
process ended is sent again, under the same id. Addresses are asked in threads of their own, a few at once and
one for each webhook, so that a slow one holds up nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from app import __version__, clock, log
from app.entries import webhook_deliveries, webhook_events, webhooks
from app.entries.webhook_deliveries import Due, Tried
from app.errors import DaemonError
from app.server import webhook_targets

if TYPE_CHECKING:
    from app.server.database_supervisor import DatabaseSupervisor
    from app.settings import Settings

AT_ONCE = 4
STOP_SECONDS = 1.0
_log = log.get_logger(__name__)


class WebhookSender:
    """Sends what webhooks are to be told of."""

    def __init__(self, settings: Settings, supervisor: DatabaseSupervisor, secret: Callable[[], str]) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._secret = secret
        self._planned_for: frozenset[int] = frozenset()
        self._stopping = threading.Event()
        self._sending: threading.Thread | None = None

    def begin_again(self) -> None:
        """Forget what was seen: it may be another database."""
        self._planned_for = frozenset()

    def look(self) -> None:
        """Queue what has happened, and have what is due sent; asks no address itself."""
        if not self._supervisor.is_mine("webhooks"):
            return
        now = clock.now()
        with self._supervisor.reading() as connection:
            listeners = webhook_events.listeners(connection)
            has_events = webhook_deliveries.has_events(connection)
            has_come = bool(listeners) and webhook_events.has_come(connection, now)
        if listeners - self._planned_for:
            with self._supervisor.writing() as connection:
                webhook_events.plan(connection, listeners, now)
        self._planned_for = listeners
        if has_come or has_events:
            with self._supervisor.writing() as connection:
                webhook_events.tell_what_came(connection, now)
                webhook_deliveries.queue(connection, now)
        if listeners and not self.is_sending():
            with self._supervisor.reading() as connection:
                due = webhook_deliveries.due(connection, now)
            if due:
                self._begin(due)

    def clear(self) -> None:
        """Delete what was sent long ago: one step."""
        if not self._supervisor.is_mine("retention"):
            return
        with self._supervisor.reading() as connection:
            is_any = webhook_deliveries.has_old(connection, clock.now())
        if is_any:
            with self._supervisor.writing() as connection:
                webhook_deliveries.clear(connection, clock.now())

    def is_sending(self) -> bool:
        """Whether addresses are being asked."""
        return self._sending is not None and self._sending.is_alive()

    def stop(self) -> None:
        """Begin no further try; what is under way is waited for a moment, and is sent again otherwise."""
        self._stopping.set()
        if self._sending is not None:
            self._sending.join(STOP_SECONDS)

    def _begin(self, due: list[Due]) -> None:
        self._sending = threading.Thread(target=self._send_all, args=(due,), name="webhooks", daemon=True)
        self._sending.start()

    def _send_all(self, due: list[Due]) -> None:
        by_hook = sorted(due, key=lambda one: one.webhook_id)  # stable: the longest due stay first
        batches = [list(group) for _hook, group in groupby(by_hook, key=lambda one: one.webhook_id)]
        # Not of a pool: the end of the process would wait for its threads, however slow an address is.
        args = (iter(batches), threading.Lock())
        threads = [
            threading.Thread(target=self._work, args=args, name="webhook", daemon=True)
            for _ in range(min(AT_ONCE, len(batches)))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, batches: Iterator[list[Due]], turn: threading.Lock) -> None:
        while True:
            with turn:
                batch = next(batches, None)
            if batch is None or self._stopping.is_set():
                return
            self._send_batch(batch)

    def _send_batch(self, batch: Iterable[Due]) -> None:
        """Send to one webhook, one after the other, until one fails: what waits is tried at its time."""
        try:
            for one in batch:
                if self._stopping.is_set() or not self._send(one):
                    break
        except DaemonError as error:  # the database closes: it is sent again
            _log.info("Webhooks wait for the database.", extra={"why": error.message})

    def _send(self, one: Due) -> bool:
        with self._supervisor.reading() as connection:
            if not webhook_deliveries.is_waiting(connection, one):
                return True
        tried = self._try(one)
        with self._supervisor.writing() as connection:
            is_off = webhook_deliveries.settle(connection, one, tried, clock.now())
        if is_off:
            _log.warning("A webhook is off: it was not reached.", extra={"webhook": one.webhook_id})
        return tried.is_accepted

    def _try(self, one: Due) -> Tried:
        from standardwebhooks import Webhook

        secret = webhooks.secret_of(self._secret(), one.webhook_id, one.stored_secret)
        if secret is None:
            return Tried(None, "secret_lost")
        now = clock.now()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"Daemon/{__version__}",
            "Connection": "close",
            "webhook-id": one.message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign(one.message_id, now, one.body.decode()),
        }
        return webhook_targets.send(
            one.url, headers, one.body, allows_loopback=self._settings.webhooks_to_loopback
        )
