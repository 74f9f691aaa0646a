"""Shared counts. What do all processes that serve one database count together, and forget when it is over?

A name stands for a moment, in seconds of the server's clock; what is past needs no row. The table is
UNLOGGED: it costs no write-ahead log; after a crash, and on a promoted standby, it is empty. Names are
hashed: no address and no account can be read there.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from app.storage.postgresql.driver import connect
from app.storage.postgresql.errors import code_of, explained, is_lost, is_of_driver
from app.storage.postgresql.numbers import COUNTING, SPACE
from app.storage.postgresql.types import OWN_TABLE as TABLE
from app.storage.types import Counted

CLEARED_EVERY = 100
_NO_TABLE = "42P01"
_MAKE = (
    f"CREATE UNLOGGED TABLE IF NOT EXISTS {TABLE} (name TEXT PRIMARY KEY, until DOUBLE PRECISION NOT NULL)"
)
_BEGIN = f"BEGIN; SET LOCAL synchronous_commit = off; SELECT pg_advisory_xact_lock({SPACE}, {COUNTING})"
_READ = (
    "SELECT extract(epoch FROM clock_timestamp())::float8,"
    f" coalesce((SELECT json_object_agg(name, until) FROM {TABLE} WHERE name = ANY(%s)), '{{}}')"
)
_WRITE = (
    f"INSERT INTO {TABLE} SELECT * FROM unnest(%s::text[], %s::float8[])"
    " ON CONFLICT (name) DO UPDATE SET until = excluded.until"
)
_CLEAR = f"DELETE FROM {TABLE} WHERE until < %s"


class PostgreSQLCounts:
    """Moments by name, for all processes; one connection, made when it is first used."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._driver: psycopg.Connection[Any] | None = None
        self._changes_count = 0

    @contextmanager
    def changing(self, names: Sequence[str]) -> Iterator[Counted]:
        """What stands for these names now; what it is changed to within counts for everyone from its end on.

        Nothing is changed where the block raises. Raises DaemonErrors where the server cannot be asked.
        """
        by_hash = {_hashed(name): name for name in names}
        with self._lock:
            try:
                counted = self._begun(by_hash)
                try:
                    yield counted
                except BaseException:
                    self._ask("ROLLBACK")
                    raise
                self._end(counted)
            except Exception as error:
                if not is_of_driver(error):
                    raise
                self._let_go()
                raise explained(error, self._url) from error

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            self._let_go()

    def _begun(self, by_hash: dict[str, str]) -> Counted:
        try:
            return self._read(by_hash)
        except psycopg.Error as error:
            if is_lost(error):  # while it rested
                self._let_go()
            elif code_of(error) == _NO_TABLE:
                self._ask("ROLLBACK")
                self._ask(_MAKE)
            else:
                raise
        return self._read(by_hash)

    def _read(self, by_hash: dict[str, str]) -> Counted:
        self._ask(_BEGIN)
        now, found = self._ask(_READ, (list(by_hash),)).fetchone()
        return Counted(float(now), {by_hash[name]: float(until) for name, until in found.items()})

    def _end(self, counted: Counted) -> None:
        names = list(counted.until)
        self._ask(_WRITE, ([_hashed(name) for name in names], [counted.until[name] for name in names]))
        self._changes_count += 1
        if self._changes_count % CLEARED_EVERY == 0:
            self._ask(_CLEAR, (counted.now,))
        self._ask("COMMIT")

    def _ask(self, statement: str, parameters: tuple[object, ...] | None = None) -> Any:
        if self._driver is None:
            self._driver = connect(self._url, application_name="daemon (counts)")
        return self._driver.execute(statement.encode(), parameters)

    def _let_go(self) -> None:
        driver, self._driver = self._driver, None
        if driver is not None:
            with suppress(psycopg.Error):
                driver.close()


def _hashed(name: str) -> str:
    return hashlib.blake2b(name.encode(errors="replace"), digest_size=16).hexdigest()
