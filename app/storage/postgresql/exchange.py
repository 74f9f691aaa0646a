"""Exchange of a database by its name. How does another database come into the place of the live one?

The other one is complete and proved. All sessions of both are ended, and one transaction renames the live one
to a name that is told and the other to the name of the live one: killed at any point, one of the two is there
under the name, whole. A session that came in between and wrote would be in the old one: both are compared
afterwards, and exchanged back where that was so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from app import clock
from app.database_urls import in_words
from app.errors import Busy
from app.progress import OnPages, say_nothing
from app.storage.postgresql import dump, note, scratch_databases
from app.storage.postgresql.connection import PostgreSQLConnection
from app.storage.postgresql.driver import connect
from app.storage.postgresql.errors import as_storage_errors
from app.storage.postgresql.numbers import EXCHANGED, NUMBER_OF_NAME
from app.storage.typed_rows import Digests
from app.storage.types import ServingLock

_TRIES = 20
_WAIT_SECONDS = 30.0
_END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = ANY(%s) AND pid <> pg_backend_pid()"
)
_RENAME = sql.SQL("ALTER DATABASE {} RENAME TO {}")
LockOf = Callable[[], ServingLock]


class Exchange:
    """The live database of a URL, to be exchanged; the caller has it alone. Methods raise StorageError."""

    def __init__(self, url: str, lock_of: LockOf, stack: ExitStack) -> None:
        """``lock_of`` makes a lock of what has the name by then, which ``stack`` holds to the end."""
        self._url = url
        self._lock_of = lock_of
        self._stack = stack
        self._dumped: Digests | None = None
        self.old_name = ""

    def copy_out(self, target: Path, report: OnPages = say_nothing) -> Digests:
        """Dump the live database into the new file ``target``; return the digests of that state."""
        self._dumped = dump.dump(self._url, target, report)
        return self._dumped

    @as_storage_errors()
    def copy_in(self, source: Path, report: OnPages = say_nothing) -> None:
        """Let the database that the dump ``source`` was restored into be the live one; the old one is kept.

        Until the one transaction that renames both, everything is as it was. The lock of the old one is of no
        use for the new one: until that is locked, too, its name is, and no server takes it.
        """
        with self._name_locked():
            with scratch_databases.kept(self._url):
                with scratch_databases.restored(self._url, source) as new:
                    self._keep_settings(new)
                    self._keep_note(new)
                self.old_name = self._swap(new)
                scratch_databases.forget(self._url, new)
            if self._was_written(self.old_name):
                self._swap_back(self.old_name, new)
                raise _in_use(self._url)
            with suppress(Busy):  # another operator, who waited for this one
                self._stack.enter_context(self._lock_of().exclusive(_WAIT_SECONDS))
        report(0, 1)

    @contextmanager
    def _name_locked(self) -> Iterator[None]:
        query = f"SELECT pg_advisory_lock(%s, {NUMBER_OF_NAME.format('%s')})"
        with scratch_databases.maintenance(self._url) as driver:
            driver.execute(query.encode(), (EXCHANGED, scratch_databases.name_in(self._url)))
            yield

    def _was_written(self, old: str) -> bool:
        """Whether the old database is not as it was when it was dumped: someone came in between."""
        if self._dumped is None:
            return False
        with closing(connect(scratch_databases.url_of(self._url, old))) as driver:
            driver.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return PostgreSQLConnection(driver).digests() != self._dumped

    def _swap_back(self, old: str, new: str) -> None:
        live = scratch_databases.name_in(self._url)
        with scratch_databases.maintenance(self._url) as driver:
            driver.execute(_END_SESSIONS, ([live, old],))
            with driver.transaction():
                driver.execute(_RENAME.format(sql.Identifier(live), sql.Identifier(new)))
                driver.execute(_RENAME.format(sql.Identifier(old), sql.Identifier(live)))
        scratch_databases.drop(self._url, new)

    def _keep_settings(self, new: str) -> None:
        """Give the new database what was set for the old one with ALTER DATABASE ... SET."""
        with scratch_databases.maintenance(self._url) as driver:
            found = driver.execute(
                "SELECT unnest(s.setconfig) FROM pg_db_role_setting s"
                " JOIN pg_database d ON d.oid = s.setdatabase"
                " WHERE s.setrole = 0 AND d.datname = %s",
                (scratch_databases.name_in(self._url),),
            ).fetchall()
            for (setting,) in found:
                name, _, value = str(setting).partition("=")
                statement = sql.SQL("ALTER DATABASE {} SET {} TO {}")
                driver.execute(statement.format(sql.Identifier(new), sql.Identifier(name), value))

    def _keep_note(self, new: str) -> None:
        """Give it what is noted with the old one: that is of the place, and of no state of the rows."""
        url = scratch_databases.url_of(self._url, new)
        with closing(connect(self._url)) as live, closing(connect(url)) as driver:
            note.copy(live, driver)

    def _swap(self, new: str) -> str:
        """Exchange the names; return that of the old one."""
        live = scratch_databases.name_in(self._url)
        with scratch_databases.maintenance(self._url) as driver:
            old = _free_name(driver, live)
            for left in reversed(range(_TRIES)):
                driver.execute(_END_SESSIONS, ([live, new],))
                try:
                    with driver.transaction():
                        driver.execute(_RENAME.format(sql.Identifier(live), sql.Identifier(old)))
                        driver.execute(_RENAME.format(sql.Identifier(new), sql.Identifier(live)))
                except psycopg.errors.ObjectInUse as error:
                    if not left:
                        raise _in_use(self._url) from error
                    time.sleep(0.05)
                else:
                    return old
        raise AssertionError("the last try ends or raises")


def _free_name(driver: psycopg.Connection[Any], live: str) -> str:
    """A name for the old one that says what it is: NAME_before_20261126_101500."""
    stamp, number = clock.stamp(clock.now()), 1
    while True:
        suffix = f"_before_{stamp}" + (f"_{number}" if number > 1 else "")
        name = live.encode()[: 63 - len(suffix)].decode("utf-8", "ignore") + suffix
        if driver.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
            return name
        number += 1


def _in_use(url: str) -> Busy:
    return Busy(
        f"Someone connects to {in_words(url)} again and again; nothing was changed.",
        hint="Stop what uses the database, and try again.",
    )


@contextmanager
def exchange(url: str, lock_of: LockOf) -> Iterator[Exchange]:
    """The live database, to be exchanged; what it was exchanged for is locked until the end."""
    with ExitStack() as stack:
        with as_storage_errors(), closing(connect(url)):
            pass  # it is there, and lets us in
        yield Exchange(url, lock_of, stack)
