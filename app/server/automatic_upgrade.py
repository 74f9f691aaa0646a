"""Automatic upgrade at start. May the server upgrade its database by itself, and what does it say?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.log import get_logger
from app.server.database_status import DatabaseStatus, version_of

if TYPE_CHECKING:
    from app.progress import Event
    from app.settings import Settings
    from app.upgrade.readiness import Readiness

REFUSAL_SECONDS = 30.0  # how long a refusal to upgrade by itself stands before it is asked again

_log = get_logger(__name__)


class AutomaticUpgrade:
    """Upgrades where that is allowed; a refusal stands for a while, since asking costs a whole reading."""

    def __init__(self, settings: Settings, set_status: Callable[[DatabaseStatus], None]) -> None:
        """``set_status`` hears where the database stands: while it is upgraded, and where it is not."""
        self._settings = settings
        self._set_status = set_status
        self._refused_at = -REFUSAL_SECONDS
        self._refused_file: tuple[int, ...] = ()

    def attempt(self, gate: Readiness, status: DatabaseStatus) -> bool:
        """Return whether the database was upgraded; the status says why not. ``status``: the present one."""
        from app.upgrade.readiness import may_upgrade_by_itself

        if status.gate == "BEHIND" and self._is_refused_still():
            return False
        permission = may_upgrade_by_itself(self._settings, gate)
        if permission:
            return self._upgrade()
        self._refused_at, self._refused_file = time.monotonic(), file_stamp(self._settings.database_path)
        sentence = gate.sentence
        if self._settings.upgrade_on_start == "auto" and permission.reason not in sentence:
            sentence = f"{sentence} It was not upgraded by itself: {permission.reason}"
        refused = DatabaseStatus("maintenance", gate.state, sentence, gate.command, version_of(gate))
        self._set_status(refused if permission.is_wish else replace(refused, reason="UPGRADE_REFUSED"))
        return False

    def _is_refused_still(self) -> bool:
        is_recent = time.monotonic() - self._refused_at < REFUSAL_SECONDS
        return is_recent and self._refused_file == file_stamp(self._settings.database_path)

    def _upgrade(self) -> bool:
        """Upgrade; what does not succeed is remembered on disk, so that no start tries it again for ever."""
        from app.upgrade.readiness import upgrade_by_itself

        sentence, command = "The database is being upgraded.", "Wait; GET /health shows how far it is."
        upgrading = DatabaseStatus("upgrading", "BEHIND", sentence, command)

        def show(event: Event) -> None:
            self._set_status(replace(upgrading, progress=_as_progress(event)))

        self._set_status(upgrading)
        outcome = upgrade_by_itself(self._settings, show)
        if outcome.exit_code == 0:
            return True
        _log.error("The upgrade at start did not succeed.", extra={"why": outcome.message})
        failed = DatabaseStatus(
            "maintenance", "BEHIND", outcome.message, outcome.hint or "daemon upgrade run"
        )
        self._set_status(replace(failed, reason="UPGRADE_FAILED"))
        return False


def file_stamp(path: Path) -> tuple[int, ...]:
    """Return which file is there (the first two numbers), when it was changed, its bytes; () for none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def _as_progress(event: Event) -> dict[str, object]:
    return {
        "phase": event.phase,
        "message": event.message,
        "percent": event.percent,
        "eta_seconds": event.eta_seconds,
    }
