"""Self-test in the background (thread). One at a time in a server; the result goes into its database."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Thread
from typing import TYPE_CHECKING

from app import clock, log
from app.entries import selftests
from app.errors import DaemonError
from app.settings import Settings

if TYPE_CHECKING:
    from app.server.database_supervisor import DatabaseSupervisor
    from app.server.selftest.run import Served

_log = log.get_logger(__name__)


class SelftestRunner:
    """Runs self-tests of one server's database."""

    def __init__(self, settings: Settings, supervisor: DatabaseSupervisor) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._lock = Lock()
        self.is_running = False

    def start(self, make: Callable[[Settings], Served]) -> None:
        """Begin a self-test of the doors that ``make`` makes, unless one is running; returns at once."""
        with self._lock:
            if self.is_running:
                return
            self.is_running = True
        Thread(target=self._run, args=(make,), name="selftest", daemon=True).start()

    def _run(self, make: Callable[[Settings], Served]) -> None:
        from app.server.selftest.run import run_selftest  # it knows upgrades, which a start does not need

        started = clock.now()
        try:
            outcome = run_selftest(self._settings, make)
            with self._supervisor.writing() as connection:
                done = selftests.record(connection, started, clock.now(), outcome.faults)
            level = _log.warning if done.faults else _log.info
            level("The self-test of privacy %s.", done.outcome, extra={"faults": list(done.faults)})
        except (DaemonError, OSError) as error:
            _log.error("The self-test of privacy could not be done.", exc_info=error)
        finally:
            self.is_running = False
