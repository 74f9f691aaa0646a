"""Read replicas (hot standbys). Which texts can be had from them, and how is none of them outdated?

A replica is behind its primary by an unknown time, so it decides nothing. The primary says, in the snapshot
of the request, which rows are shown and which version each has (the transaction that wrote it and its place
in the table, the same on both, because a standby repeats the primary's pages). A replica gives the text of
just that version; of what it has not (yet, or any more) it gives nothing. One that does not answer, or is no
standby of the same servers, is left alone for a while.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache

from sqlalchemy import ColumnElement, String, literal_column

from app import log
from app.database_urls import in_words
from app.storage.postgresql import primary
from app.storage.postgresql.driver import Connection, connect, load
from app.storage.schema import quoted

ANSWER_MILLISECONDS = 1000  # one that takes longer is of no help
CONNECT_SECONDS = 2
REST_SECONDS = 5.0
IDLE_CONNECTIONS = 8  # of each

_logger = log.get_logger(__name__)


@lru_cache(maxsize=64)
def _query(table: str, column: str) -> bytes:
    name = quoted(table)
    return (
        f"SELECT {name}.id, {quoted(column)} FROM {name} JOIN unnest(%s::bigint[], %s::text[])"
        f" AS named (id, revision) ON {name}.id = named.id AND {_revision(table)} = named.revision"
    ).encode()


@lru_cache(maxsize=64)
def _revision_column(table: str) -> ColumnElement[str]:
    return literal_column(_revision(table), String())


def _revision(table: str) -> str:
    return f"{quoted(table)}.xmin::text || ' ' || {quoted(table)}.ctid::text"


class StandbyReplicas:
    """Some replicas of one database, for any thread; making one connects to nothing."""

    def __init__(self, url: str, urls: Sequence[str]) -> None:
        """``url`` is that of the primary."""
        self._replicas = [_Replica(url, each) for each in urls]
        self._turns = itertools.count()

    def revision_of(self, table: str) -> ColumnElement[str]:
        """The column that names the version of a row of a table."""
        return _revision_column(table)

    def texts(self, table: str, column: str, revisions: Mapping[int, str]) -> dict[int, str]:
        """Return, by id, the column of those versions of rows that a replica has. Raises nothing."""
        query = _query(table, column)
        for _ in self._replicas:
            replica = self._replicas[next(self._turns) % len(self._replicas)]
            found = replica.texts(query, revisions)
            if found is not None:
                return found
        return {}

    def close(self) -> None:
        """Let go of the connections."""
        for replica in self._replicas:
            replica.close()


class _Replica:
    def __init__(self, of: str, url: str) -> None:
        self._of = of
        self._url = url
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._rests_until = 0.0

    def texts(self, query: bytes, revisions: Mapping[int, str]) -> dict[int, str] | None:
        """As `StandbyReplicas.texts`; None where it does not answer."""
        if time.monotonic() < self._rests_until:
            return None
        connection = None
        try:
            connection = self._taken()
            asked = list(revisions), list(revisions.values())
            found: dict[int, str] = dict(connection.execute(query, asked).fetchall())
        except load().Error as error:
            self._rest(str(error), connection)
            return None
        self._give_back(connection)
        return found

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _taken(self) -> Connection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._opened()

    def _opened(self) -> Connection:
        words = {"application_name": "daemon (replica)", "connect_timeout": CONNECT_SECONDS}
        made = connect(self._url, **words)
        try:
            made.execute(f"SET statement_timeout = {ANSWER_MILLISECONDS}".encode())
            found = primary.Epoch(*made.execute(primary.QUERY.encode()).fetchone() or (0, 1))
            known = primary.seen(self._of)
            if found.number != primary.STANDBY or known is None or found.system != known.system:
                raise load().OperationalError("it is no standby of the server of DATABASE_URL")
        except BaseException:
            made.close()
            raise
        return made

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            if len(self._idle) < IDLE_CONNECTIONS:
                self._idle.append(connection)
                return
        connection.close()

    def _rest(self, why: str, connection: Connection | None) -> None:
        self._rests_until = time.monotonic() + REST_SECONDS
        _logger.warning("a replica gives nothing", extra={"replica": in_words(self._url), "why": why})
        if connection is not None:
            with suppress(load().Error):
                connection.close()
        self.close()
