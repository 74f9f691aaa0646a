"""Scrubbing (VACUUM FULL). How do rows that were deleted leave the files of a PostgreSQL database?

A deleted row stays in its page until that is vacuumed, and its bytes after that until something else comes
there. So each table is written anew. Whoever still sees an older state would have the deleted rows written
anew too: that is waited for, and refused where it lasts.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from app.errors import Busy

WAIT_SECONDS = 5.0
_PAUSE_SECONDS = 0.05
_LOCK_TIMEOUT = "2s"  # whoever comes after one that waits for a table waits too
_NEXT = "SELECT pg_snapshot_xmax(pg_current_snapshot())::xid::text"
_OLDER_READERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_xmin IS NOT NULL AND age(backend_xmin) > age(%s::text::xid)"
)

Driver = psycopg.Connection[tuple[Any, ...]]


def scrub(driver: Driver, tables: Sequence[str]) -> None:
    """Write tables anew, outside of a transaction. Raises Busy, psycopg.Error."""
    _wait_for_readers(driver)
    driver.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT}'".encode())
    try:
        for table in tables:
            driver.execute(sql.SQL("VACUUM (FULL) {}").format(sql.Identifier(table)))
    finally:
        driver.execute(b"RESET lock_timeout")


def _wait_for_readers(driver: Driver) -> None:
    """Wait until no one of this database sees a state from before now."""
    next_transaction = _value(driver, _NEXT.encode(), ())
    ends = time.monotonic() + WAIT_SECONDS
    while _value(driver, _OLDER_READERS.encode(), (next_transaction,)):
        if time.monotonic() >= ends:
            raise Busy("Someone reads an older state of the database.", hint="Try again in a moment.")
        time.sleep(_PAUSE_SECONDS)


def _value(driver: Driver, query: bytes, parameters: tuple[object, ...]) -> Any:
    row = driver.execute(query, parameters).fetchone()
    return row[0] if row else None
