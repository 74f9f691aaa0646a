"""Self-test in the background (thread). One at a time in a server; the result goes into its database."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Thread

from app import clock, log
from app.entries import selftests
from app.errors import DaemonError
from app.server.database_supervisor import DatabaseSupervisor
from app.storage.types import StorageError

_log = log.get_logger(__name__)


class SelftestRunner:
    """Runs self-tests of one server's database."""

    def __init__(self, supervisor: DatabaseSupervisor) -> None:
        self._supervisor = supervisor
        self._lock = Lock()
        self.is_running = False

    def start(self, look: Callable[[], tuple[str, ...]]) -> None:
        """Begin a self-test, which returns its faults, unless one is running; returns at once."""
        with self._lock:
            if self.is_running:
                return
            self.is_running = True
        Thread(target=self._run, args=(look,), name="selftest", daemon=True).start()

    def _run(self, look: Callable[[], tuple[str, ...]]) -> None:
        started = clock.now()
        try:
            faults = look()
            with self._supervisor.writing() as connection:
                done = selftests.record(connection, started, clock.now(), faults)
            level = _log.warning if done.faults else _log.info
            level("The self-test of privacy %s.", done.outcome, extra={"faults": list(done.faults)})
        except (DaemonError, OSError, StorageError) as error:
            _log.error("The self-test of privacy could not be done.", exc_info=error)
        finally:
            self.is_running = False
