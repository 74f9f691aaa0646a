"""State of the machine and of the installation, for admins. How much memory, disk and database is there?"""

from __future__ import annotations

import os
import platform
import shutil
from typing import TYPE_CHECKING

from app import __version__, clock
from app.disk import nearest_existing
from app.storage.registry import storage_for

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings


def system_state(settings: Settings, database_version: str) -> dict[str, object]:
    """Return what an admin is told; what cannot be known is None."""
    is_file = storage_for(settings.database_url).engine_name == "sqlite"
    return {
        "system": {
            "python_version": platform.python_version(),
            "platform": platform.platform(),
            "cpu_count": os.cpu_count(),
            "memory_total": _memory("SC_PHYS_PAGES"),
            "memory_available": _memory("SC_AVPHYS_PAGES"),
            "disk_usage": _disk(settings.database_path.parent),
        },
        "application": {
            "version": __version__,
            "database": settings.database_name,
            "database_version": database_version,
            "database_size": settings.database_path.stat().st_size if is_file else None,
            "backup_dir": str(settings.backup_dir),
            "backup_enabled": settings.backup_enabled,
            "rate_limit": f"{settings.rate_limit_person}/60s",
        },
        "timestamp": clock.rfc3339(clock.now()),
    }


def _memory(name: str) -> int | None:
    try:
        return os.sysconf(name) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _disk(folder: Path) -> dict[str, int] | None:
    try:
        found = shutil.disk_usage(nearest_existing(folder))
    except OSError:
        return None
    return {"total": found.total, "used": found.used, "free": found.free}
