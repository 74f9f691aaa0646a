"""Pending audit. What did requests see that is to be in the audit, and who writes it there?

Requests only remember it, in a memory of bounded size; a thread of the server's writes it, in short
transactions, so that reading never writes and never fails for it.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from app import clock, log
from app.accounts import api_keys, audit, audit_memory, retention
from app.accounts.api_keys import KeyUse
from app.accounts.audit import Actor
from app.accounts.audit_memory import AuditMemory
from app.accounts.throttle import network_of
from app.accounts.users import User
from app.entries.entry import Origin
from app.privacy.viewer import Viewer
from app.server.database_supervisor import DatabaseSupervisor
from app.settings import Settings

ROWS_OF_A_WRITE = 100  # in one transaction, while which no one else writes: some 20 ms

_log = log.get_logger(__name__)


class PendingAudit:
    """What was noticed and is not yet written, and how far clearing away what is old has come."""

    def __init__(self, settings: Settings, supervisor: DatabaseSupervisor) -> None:
        self.memory = AuditMemory()
        self._settings = settings
        self._supervisor = supervisor
        self._uses: set[int] = set()
        self._uses_lock = threading.Lock()
        self._dropped_told = 0
        self._cleared_to = retention.START

    def saw_key(self, use: KeyUse, origin: Origin) -> None:
        """Have the use of a key noted soon; not by the request itself, since reading never writes."""
        actor = Actor(use.user.id, origin.ip_address, origin.user_agent)
        self.memory.remember(
            audit.KEY_USE, "api_keys", use.key_id, clock.now(), actor=actor, api_key_id=use.key_id
        )
        if use.is_to_be_noted:
            with self._uses_lock:
                self._uses.add(use.key_id)

    def refused_login(self, action: str, user: User | None, actor: Actor) -> None:
        """Have a refused or slowed login noted soon. Of a name that is no one's nothing is kept, not
        its text: people type passwords there.
        """
        about: dict[str, object] = {} if user is None else {"username": user.username}
        network = network_of(actor.ip_address or "")
        user_id = 0 if user is None else user.id
        self.memory.remember(action, "users", user_id, clock.now(), actor=actor, part=network, about=about)

    def saw_read(self, viewer: Viewer, origin: Origin, owner_id: int, kind: str) -> None:
        """Have it noted soon that an admin saw an entry of someone else's that is not public."""
        actor = Actor(viewer.user_id, origin.ip_address, origin.user_agent)
        self.memory.remember(
            audit.READ, "users", owner_id, clock.now(), actor=actor, part=kind, about={"kind": kind}
        )

    def saw_audit(self, actor: Actor) -> None:
        """Have it noted soon that an admin read the audit: it holds the texts of entries."""
        user_id = actor.user_id or 0
        self.memory.remember(audit.READ_AUDIT, "users", user_id, clock.now(), actor=actor)

    def keep_up(self) -> None:
        """Write what is remembered of the minutes that are over, and clear away what is old."""
        self.note_uses()
        self.write(clock.now())
        self.clear()

    def note_uses(self) -> None:
        """Store which keys were used last when, in one transaction."""
        with self._uses_lock:
            used, self._uses = self._uses, set()
        if used:
            with self._supervisor.writing() as connection:
                for key_id in used:
                    api_keys.note_use(connection, key_id, clock.now())

    def write(self, until: datetime | None = None) -> None:
        """Write what is remembered for the audit of the minutes before ``until``, or all of it.

        What cannot be written is remembered on, as far as there is room; what had none is told in the log.
        """
        rows = self.memory.take(until)
        while rows:
            try:
                with self._supervisor.writing() as connection:
                    audit_memory.write(connection, rows[:ROWS_OF_A_WRITE])
            except BaseException:
                self.memory.put_back(rows)
                raise
            rows = rows[ROWS_OF_A_WRITE:]
        dropped = self.memory.dropped
        if dropped > self._dropped_told:
            _log.warning("The audit is not whole.", extra={"dropped": dropped - self._dropped_told})
            self._dropped_told = dropped

    def clear(self) -> None:
        """Clear away events of the audit that are older than AUDIT_DAYS: one step, of bounded cost."""
        if not self._settings.audit_days or not self._supervisor.is_mine("retention"):
            return
        before = clock.now() - timedelta(days=self._settings.audit_days)
        with self._supervisor.reading() as connection:
            step = retention.find_step(connection, self._cleared_to, before)
        if step.ids:
            with self._supervisor.writing() as connection:
                retention.clear(connection, step)
        self._cleared_to = step.cleared_to

    def begin_clearing(self) -> None:
        """Look from the beginning of the audit on for what is old."""
        self._cleared_to = retention.START
