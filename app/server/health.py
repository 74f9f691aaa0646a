"""Health. What does the server say of itself to anyone, and to an admin besides?"""

from __future__ import annotations

import time
from dataclasses import asdict

from sqlalchemy.exc import DBAPIError

from app import __version__, clock
from app.entries.selftests import Selftest, find_last
from app.errors import DaemonError
from app.server import public_errors
from app.server.state import ServerState
from app.upgrade.records.running import find_running


def state_of(server: ServerState) -> dict[str, object]:
    """Return what anyone may hear of the server, as JSON values; ``hint`` is the command to type."""
    status, is_open = server.supervisor.status, server.supervisor.is_open
    is_writable = is_open and server.supervisor.write_health.is_writable
    state: dict[str, object] = {
        "status": ("healthy" if is_writable else "degraded") if is_open else status.phase,
        "version": __version__,
        "database": {"state": status.gate.lower(), "version": public_errors.version_of(status)},
        "timestamp": clock.rfc3339(clock.now()),
        "uptime_seconds": round(time.monotonic() - server.started_seconds, 3),
        "writable": is_writable,
    }
    if is_open and not is_writable:
        said = public_errors.not_writable()
        state |= {"detail": said.sentence, "hint": said.command}
    if not is_open:
        said = public_errors.of_status(status)
        state |= {"detail": said.sentence, "hint": said.command}
    if progress := progress_of(server):
        state["progress"] = progress
    return state


def progress_of(server: ServerState) -> dict[str, object]:
    """Return how far an upgrade is, of this process or of an operator's, without names or counts."""
    status = server.supervisor.status
    if status.progress:
        return public_errors.progress_of(status)
    running = None if server.supervisor.is_open else find_running(server.settings)
    return {} if running is None else {k: v for k, v in asdict(running).items() if k != "started_at"}


def text_search_of(server: ServerState) -> dict[str, object]:
    """Return how far the search of texts written before this set of detectors is, for admins only."""
    return asdict(server.text_backfill.progress)


def search_index_of(server: ServerState) -> dict[str, object]:
    """Return how far the index of the search is, for admins only."""
    return asdict(server.search_upkeep.progress)


def last_selftest(server: ServerState) -> Selftest | None:
    """Return how the last self-test of privacy ended, None before the first and where it cannot be read."""
    try:
        with server.supervisor.reading() as connection:
            return find_last(connection)
    except (DaemonError, DBAPIError):
        return None


def places_of(server: ServerState) -> dict[str, str]:
    """Return where everything is kept, for admins only."""
    settings = server.settings
    return {
        "database": settings.database_name,
        "backups": str(settings.backup_dir),
        "logs": str(settings.log_dir),
    }
