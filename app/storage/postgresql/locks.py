"""Advisory locks of PostgreSQL. Who may use the database now, and who of those that may write it does?

What the files ``.lock`` and ``.wanted`` are for SQLite (`storage/process_lock.py`), held by a session of
its own:

    SERVED     servers share it while they serve; an operator who upgrades or restores has it alone
    WANTED     an operator has it; servers see that, and let go of SERVED

Every transaction that writes also asks for SERVED itself (`write_guard`), so that none can write beside an
operator, whatever became of the session that holds it for its server.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from app import interrupt, log
from app.errors import Busy, DaemonError, Refused
from app.storage.holders import Holder
from app.storage.postgresql import primary
from app.storage.postgresql.driver import connect, names_several
from app.storage.postgresql.errors import explained, is_of_driver
from app.storage.postgresql.numbers import EXCHANGED, NUMBER_OF_NAME, SERVED, SPACE, WANTED
from app.storage.postgresql.pooler import refuse_transaction_pooling
from app.storage.postgresql.promotions import PromotionWatch
from app.storage.postgresql.write_guard import WriteGuard

WAIT_SECONDS = 60.0
_PAUSE_SECONDS = 0.05

_logger = log.get_logger(__name__)

Driver = psycopg.Connection[tuple[Any, ...]]


class AdvisoryLock:
    """The lock between servers and operators of one database; making one connects to nothing."""

    def __init__(self, url: str, guard: WriteGuard) -> None:
        """``guard`` of this process's writers is told when what is served is lost."""
        self._url = url
        self._guard = guard
        self._session: Driver | None = None
        self._is_served = False
        self._promotions: PromotionWatch | None = None
        self._is_used = False  # by an operator or a server: what the session holds lasts as long as it does

    # -- the server's side

    def serve(self, timeout_seconds: float = 0.0) -> None:
        """Take the database for serving, together with other servers.

        Raises Busy when an operator has it or waits for it, Refused where a session cannot hold a lock.
        """
        if self._is_served:
            return
        ends = time.monotonic() + timeout_seconds
        while self.wanted() or not self._take_for_serving():
            if time.monotonic() >= ends:
                raise self._busy("An upgrade or a restore is at work on the database", WANTED)
            interrupt.stop_if_asked()
            time.sleep(_PAUSE_SECONDS)

    def wanted(self) -> bool:
        """Whether an operator has the database, waits for it or gives its name to another one now.

        One question to the server.
        """
        query = (
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND ("
            "classid = %s AND objid = %s"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            f" OR classid = %s AND objid = ({NUMBER_OF_NAME.format('current_database()')})::oid))"
        )
        return bool(self._asked_in_passing(query, (SPACE, WANTED, EXCHANGED)))

    def is_held(self) -> bool:
        """Whether what `serve` took is still held, and is what was opened, on a server that takes writes."""
        held = self._is_served and self._session is not None and self._is_alive(self._session)
        held = held and not (self._promotions and self._promotions.has_seen_one)
        held = held and not self._guard.is_another
        self._guard.may_write = _yes if held else _no
        return held

    @staticmethod
    def _is_alive(session: Driver) -> bool:
        try:
            (alive,) = session.execute("SELECT NOT pg_is_in_recovery()").fetchone() or (False,)
        except Exception as error:
            if not is_of_driver(error):
                raise
            return False
        return bool(alive)

    def yield_(self) -> None:
        """Let an operator have the database; call it when every connection is closed."""
        self._is_served = self._is_used = False
        self._close()

    def _close(self) -> None:
        if self._promotions is not None:
            self._promotions.stop()
            self._promotions = None
        if self._session is not None:
            with suppress(psycopg.Error):  # first, since the server may take its time to see that it closes
                self._session.execute("SELECT pg_advisory_unlock_all()")
            self._session.close()
            self._session = None

    def holders(self) -> list[Holder]:
        """The sessions of others that have the database or wait for it, by their number on the server."""
        with suppress(DaemonError):
            return self._holders(SERVED, WANTED)
        return []

    def _take_for_serving(self) -> bool:
        taken = self._asked("SELECT pg_try_advisory_lock_shared(%s, %s)", (SPACE, SERVED))
        self._is_served = self._is_used = bool(taken)
        if taken:
            self._guard.may_write = _yes
            self._watch_promotions()
        else:
            self._close()
        return self._is_served

    def _watch_promotions(self) -> None:
        if self._session is not None and names_several(self._url):
            found = self._session.execute(primary.QUERY.encode()).fetchone()
            self._promotions = PromotionWatch(self._url, primary.Epoch(*found or (0, primary.STANDBY)))
        try:
            primary.keep(self._url)
        except OSError as error:
            _logger.warning("which server is the primary cannot be kept", extra={"why": error.strerror})

    # -- the operator's side

    def find_refusal(self) -> Refused | None:
        """Why it could not be taken, or None."""
        try:
            self.wanted()
        except Refused as refusal:
            return refusal
        except Busy as busy:
            return Refused(busy.message, hint=busy.hint)
        return None

    @contextmanager
    def exclusive(self, timeout_seconds: float = WAIT_SECONDS) -> Iterator[None]:
        """Have the database alone: servers are asked to let go and waited for, other operators queue.

        Raises Busy when that does not come about in time; nothing was changed.
        """
        if self._is_served:
            raise RuntimeError("who serves the database must yield it before taking it alone")
        ends = time.monotonic() + timeout_seconds
        self._is_used = True
        try:
            self._wait_for(WANTED, ends, "Another upgrade or restore is at work on the database")
            self._wait_for(SERVED, ends, "A server uses the database and does not let go of it")
            yield
        finally:
            self.yield_()

    def _wait_for(self, number: int, ends: float, who: str) -> None:
        # Asked again and again, and never waited for in the server: a statement that waits holds a snapshot.
        while not self._asked("SELECT pg_try_advisory_lock(%s, %s)", (SPACE, number)):
            if time.monotonic() >= ends:
                raise self._busy(who, number)
            interrupt.stop_if_asked()
            time.sleep(_PAUSE_SECONDS)

    # -- asking

    def _asked(self, query: str, parameters: tuple[object, ...]) -> object:
        """The one value of a query, in the session that holds the locks. Raises Busy, Refused."""
        try:
            if self._session is None or self._session.closed:
                if self._is_served:
                    raise Busy("The session that held the database is gone.", hint="Try again in a moment.")
                self._session = _opened(self._url)
            row = self._session.execute(query.encode(), parameters).fetchone()
        except Exception as error:
            if not is_of_driver(error):
                raise
            self.yield_()
            raise explained(error, self._url) from error
        return row[0] if row else None

    def _asked_in_passing(self, query: str, parameters: tuple[object, ...]) -> object:
        """The same; the session stays only where it holds something."""
        try:
            return self._asked(query, parameters)
        finally:
            if not self._is_used:
                self._close()

    def _busy(self, who: str, number: int) -> Busy:
        """Who it is stands in the details: they are for the operator, and no stranger's business."""
        told = [str(one) for one in self._holders(number)]
        if told:
            _logger.info("the database is held", extra={"holders": told})
        hint = "Wait for it, or stop it, and try again."
        return Busy(f"{who}; nothing was changed.", hint=hint, holders=told)

    def _holders(self, *numbers: int) -> list[Holder]:
        query = (
            "SELECT json_agg(DISTINCT jsonb_build_array(l.pid, coalesce(a.usename, ''),"
            " concat_ws(' ', nullif(a.application_name, ''), 'from ' || host(a.client_addr))))"
            " FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory'"
            " AND l.granted AND l.classid = %s AND l.objid = ANY(%s) AND l.pid <> pg_backend_pid()"
            " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        found = self._asked_in_passing(query, (SPACE, list(numbers)))
        rows = found if isinstance(found, list) else []
        return [Holder(pid, user, command) for pid, user, command in rows]


def _yes() -> bool:
    return True


def _no() -> bool:
    return False


def _opened(url: str) -> Driver:
    session = connect(url, application_name="daemon (lock)")
    try:
        refuse_transaction_pooling(session, url)
    except BaseException:
        session.close()
        raise
    return session
