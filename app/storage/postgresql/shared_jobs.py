"""Shared jobs. Which of the processes that serve a database does what one of them has to do?

Whoever is first, for as long as its session lives; then the next one that asks.
"""

from __future__ import annotations

import hashlib
import threading
from contextlib import suppress
from typing import Any

import psycopg

from app.storage.postgresql.driver import connect
from app.storage.postgresql.errors import explained, is_of_driver
from app.storage.postgresql.numbers import JOBS


class PostgreSQLJobs:
    """The jobs that are this process's; one connection, made when the first is asked for."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._driver: psycopg.Connection[Any] | None = None
        self._mine: set[str] = set()

    def is_mine(self, job: str) -> bool:
        """Whether this process does the job; raises DaemonErrors where the server cannot be asked."""
        with self._lock:
            try:
                return self._asked(job)
            except Exception as error:
                if not is_of_driver(error):
                    raise
                self._let_go()
                raise explained(error, self._url) from error

    def close(self) -> None:
        """Leave all of them to others."""
        with self._lock:
            self._let_go()

    def _asked(self, job: str) -> bool:
        if self._driver is None or self._driver.closed:
            self._mine = set()
            self._driver = connect(self._url, application_name="daemon (jobs)")
        if job in self._mine:
            self._driver.execute("SELECT 1")  # a session that is lost has lost them
            return True
        row = self._driver.execute("SELECT pg_try_advisory_lock(%s, %s)", (JOBS, _number_of(job))).fetchone()
        if row and row[0]:
            self._mine.add(job)
        return job in self._mine

    def _let_go(self) -> None:
        driver, self._driver = self._driver, None
        self._mine = set()
        if driver is not None:
            with suppress(psycopg.Error):
                driver.execute("SELECT pg_advisory_unlock_all()")
            driver.close()


def _number_of(job: str) -> int:
    digest = hashlib.blake2b(job.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big", signed=True)
