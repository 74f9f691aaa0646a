"""PgBouncer. Is there a pool between us and the server that gives each transaction to another session?

A lock that a session holds means nothing then. A pool shows by itself: what it says the session's number is
is not what the server says; and where two connections that stay open reach one session of the server, the
pool hands sessions on from transaction to transaction.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg

from app.database_urls import in_words
from app.errors import Refused
from app.storage.postgresql.driver import connect

_TRIES = 5


def refuse_transaction_pooling(session: psycopg.Connection[Any], url: str) -> None:
    """Raise Refused where sessions are handed on between transactions. Raises psycopg.Error."""
    if _pid_of(session) == session.info.backend_pid:
        return  # no pool, or one that hands a whole session on: nothing is between
    with closing(connect(url)) as other:
        for _ in range(_TRIES):
            if _pid_of(session) == _pid_of(other):
                raise _refused(url)


def _pid_of(session: psycopg.Connection[Any]) -> int:
    row = session.execute("SELECT pg_backend_pid()").fetchone()
    return int(row[0]) if row else 0


def _refused(url: str) -> Refused:
    return Refused(
        f"Between this server and {in_words(url)} is a pool (PgBouncer) that hands sessions on after each"
        " transaction: a lock of a session would hold nothing there; nothing was changed.",
        hint="In pgbouncer.ini: pool_mode = session for this database; or let DATABASE_URL pass the pool by.",
    )
