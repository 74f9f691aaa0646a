"""What does the server do by itself, now and then? It backs up, and keeps the audit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from app import clock, log
from app.errors import DaemonError
from app.server.state import ServerState
from app.settings import Settings

ROUND_SECONDS = 30.0
BACKUP_LOOK_SECONDS = 3600.0
BACKUP_EVERY = timedelta(hours=24)
CLOCKS_DIFFER = timedelta(hours=1)  # a backup from later than that was made while the clock was wrong

_log = log.get_logger(__name__)


class BackgroundJobs:
    """One thread that goes round. Whatever fails there is written down and harms nobody."""

    def __init__(self, server: ServerState) -> None:
        self._server = server
        self._stopping = threading.Event()
        self._backup_looked_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="rounds", daemon=True)

    def start(self) -> None:
        """Begin going round."""
        self._thread.start()

    def stop(self) -> None:
        """Go round no more; a backup that runs is cut off, which leaves nothing but an unfinished file."""
        self._stopping.set()
        self._thread.join(1.0)
        if self._server.supervisor.is_open:
            self._go("The last lines of the audit were not written.", self._server.pending_audit.write)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._server.supervisor.is_open:
                self._go("A round failed.", self._round)
            log.tell_what_was_folded()
            self._stopping.wait(1.0 if self._backup_looked_at is None else ROUND_SECONDS)

    def _round(self) -> None:
        self._server.pending_audit.note_uses()
        self._server.pending_audit.write(clock.now())
        self._server.pending_audit.clear()
        self._look_after_backups()

    def _go(self, otherwise: str, work: Callable[[], None]) -> None:
        try:
            work()
        except DaemonError as error:
            _log.warning(otherwise, extra={"why": error.message, "hint": error.hint})
        except Exception as error:  # noqa: BLE001 - the server serves on
            _log.error(otherwise, exc_info=error)

    def _look_after_backups(self) -> None:
        server = self._server  # an installation that nobody has claimed has nothing to lose yet
        if not server.settings.backup_enabled or not server.is_claimed or not self._is_time_to_look():
            return
        self._backup_looked_at = time.monotonic()
        back_up_daily(server.settings)

    def _is_time_to_look(self) -> bool:
        looked_at = self._backup_looked_at
        return looked_at is None or time.monotonic() - looked_at >= BACKUP_LOOK_SECONDS


def back_up_daily(settings: Settings) -> bool:
    """Make a backup where the newest good one is older than a day, then prune; return whether one was made.

    A backup from the future does not count: it would stop this one until its day has come.

    Raises what making and pruning backups raise.
    """
    from app.backup.catalog import find_newest_good
    from app.backup.create import create_backup
    from app.backup.prune import prune_backups
    from app.upgrade.detect.recognise import describe

    now = clock.now()
    newest = find_newest_good(settings, made_by=now + CLOCKS_DIFFER)
    if newest is not None and now - newest.created_at < BACKUP_EVERY:
        return False
    made = create_backup(settings, "daily", describe=describe)
    _log.info("The daily backup was made.", extra={"backup": made.name})
    prune_backups(settings)
    return True
