"""Write guard (epoch, schema number). May this transaction write to this database, at this moment?

Asked inside every transaction that writes, after it has the lock of those who write: so nothing that it asks
can change before its commit. It writes nothing where

- an operator upgrades or restores, or has done so since: SERVED is not to be had, or the schema's number is
  another one than when this server opened the database;
- the server is a standby, or an old primary that came back: its epoch (the timeline, which each promotion
  counts up) is older than one that this process has seen;
- the database was renamed away: another one bears the name of DATABASE_URL now;
- it was moved away, or a move was taken back: what is noted with it is another note.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from app.errors import Busy
from app.storage.postgresql import mark, note
from app.storage.postgresql.numbers import SERVED, SPACE, WRITING

LOCK_SECONDS = 10
_SAID = f"concat_ws(E'\\n', ({mark.READ}), ({note.READ}))"

BEGIN_WRITING = (
    "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE;"
    f" SET LOCAL lock_timeout = '{LOCK_SECONDS}s';"
    f" SELECT pg_advisory_xact_lock({SPACE}, {WRITING});"
    f" SELECT pg_try_advisory_xact_lock_shared({SPACE}, {SERVED}), {_SAID}, current_database(),"
    " CASE WHEN pg_is_in_recovery() THEN 0 ELSE"
    " ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint END,"
    " pg_current_snapshot()::text"
).encode()


@dataclass(frozen=True)
class State:
    """What a database says of itself in one transaction."""

    is_free: bool  # of operators
    said: str  # its mark, and what is noted with it
    name: str
    epoch: int  # 0: a standby
    snapshot: str  # which transactions it sees, as the server writes it


class WriteGuard:
    """What one process knows of the database that it writes to: what it was when it was opened."""

    def __init__(self) -> None:
        self.may_write: Callable[[], bool] = _always
        """Whether the session that holds the database for this server lives, as far as is known."""
        self.is_another = False
        """Whether a transaction found another database, or another mark or note, than was opened."""
        self._known: tuple[str, str] | None = None
        self._epoch = 0  # the highest that was seen: it never goes back

    def learn(self, driver: psycopg.Connection[Any]) -> None:
        """Note what the database says of itself, where it has just been opened. Raises psycopg.Error."""
        if self._known is None:
            row = driver.execute(f"SELECT {_SAID}, current_database()".encode()).fetchone()
            self._known = row and (row[0], row[1])

    def begin(self, driver: psycopg.Connection[Any]) -> str:
        """Begin a transaction that writes; return its snapshot.

        Raises Busy where it may not, and psycopg.Error.
        """
        if not self.may_write():
            raise _lost()
        state = read(driver)
        refused = self._refusal(state)
        if refused is not None:
            driver.execute("ROLLBACK")
            raise refused
        self._epoch = state.epoch
        return state.snapshot

    def forget(self) -> None:
        """The database is opened anew: what it says then counts."""
        self._known, self.is_another = None, False

    def _refusal(self, state: State) -> Busy | None:
        if not state.is_free:
            return Busy(
                "An upgrade or a restore is at work on the database; nothing was written.", hint=_AGAIN
            )
        if state.epoch < max(self._epoch, 1):
            return Busy(
                "The database server is not the primary any more; nothing was written.",
                hint="Try again in a moment: this server looks for the other one.",
            )
        if self._known not in (None, (state.said, state.name)):
            self.is_another = True
            return Busy(
                "The database was upgraded, exchanged or moved under this server; nothing was written.",
                hint=_AGAIN,
            )
        return None


_AGAIN = "Try again in a moment."


def read(driver: psycopg.Connection[Any]) -> State:
    """Begin a transaction that writes, and read what the database says of itself."""
    cursor = driver.execute(BEGIN_WRITING)
    while cursor.nextset():
        pass
    row = cursor.fetchone()
    assert row is not None  # of a SELECT without FROM
    return State(*row)


def _always() -> bool:
    return True


def _lost() -> Busy:
    return Busy(
        "The connection that holds the database for this server is lost; nothing was written.", hint=_AGAIN
    )
