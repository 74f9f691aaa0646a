"""Watch (commits). Has anyone committed since the last look, asked on a connection of its own?"""

from __future__ import annotations

import select
import threading
from contextlib import suppress

import psycopg

from app.errors import Busy
from app.storage.postgresql.driver import Connection, connect
from app.storage.postgresql.errors import as_daemon_error, is_of_driver

WATCH_SECONDS = 0.5  # so long at most whoever asks for the state is held up by a server that says nothing


class PostgreSQLWatch:
    """A connection of its own that asks which transactions are committed; for any thread, one at a time.

    Two snapshots that are told alike see the same; so whoever commits, in whichever program, is noticed.
    Where the connection is lost, a thread makes another one: who asks meanwhile is not held up, but told
    Busy.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._seen = b""
        self._count = 0
        self._is_connecting = self._is_closed = False
        try:
            self._driver: Connection | None = connect(url, application_name="daemon (watch)")
        except Exception as error:
            raise as_daemon_error(error, url) from error

    def commits(self) -> int:
        """A number that is another one after a commit by anyone. Raises DaemonErrors."""
        with self._lock:
            if self._driver is None:
                self._connect_again()
                raise Busy("The connection to the database was lost.", hint="Try again in a moment.")
            found = self._snapshot(self._driver)
            if found != self._seen:
                self._seen = found
                self._count += 1
            return self._count

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            self._is_closed = True
            self._let_go()

    def _let_go(self) -> None:
        driver, self._driver = self._driver, None
        if driver is not None:
            with suppress(psycopg.Error):
                driver.close()

    def _snapshot(self, driver: Connection) -> bytes:
        # Below the driver's own way, which takes four times as long: this is asked before every kept answer.
        connection = driver.pgconn
        try:
            connection.send_query(b"SELECT pg_current_snapshot()")
            while connection.is_busy():
                if not select.select((connection.socket,), (), (), WATCH_SECONDS)[0]:
                    raise Busy("The database server does not answer.", hint="Try again in a moment.")
                connection.consume_input()
            found = b""
            while result := connection.get_result():
                found = (result.get_value(0, 0) or b"") if result.ntuples else b""
            if not found:
                raise Busy("The connection to the database was lost.", hint="Try again in a moment.")
        except (psycopg.Error, OSError, ValueError, Busy) as error:
            self._let_go()  # a late answer would be taken for that of the next question
            raise as_daemon_error(error, self._url) from error
        return found

    def _connect_again(self) -> None:
        if not self._is_connecting:
            self._is_connecting = True
            threading.Thread(target=self._connect, name="database-watch", daemon=True).start()

    def _connect(self) -> None:
        try:
            driver = connect(self._url, application_name="daemon (watch)")
        except Exception as error:
            if not is_of_driver(error):
                raise
        else:
            with self._lock:
                self._driver, self._seen = driver, b""
                if self._is_closed:
                    self._let_go()
        finally:
            self._is_connecting = False
