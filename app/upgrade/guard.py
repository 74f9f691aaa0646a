"""Where the configured database is not there: does one lie where it may have been moved from?

A wrong mount, a changed DATABASE_URL or a lost volume must never look like a first start. This file only
looks; `app.upgrade.init` is where somebody decides.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import LostVolume
from app.storage.engine import storage_at
from app.upgrade.recognise import recognise

if TYPE_CHECKING:
    from app.settings import Settings

OLD_DEFAULT = Path("daemon.db")  # where 0.1.x to 0.3.x put it when nobody said otherwise
DATA_FOLDER = Path("data")
NEWEST_LOOKED_AT = 20  # of each folder: enough to be sure that there was a life before


@dataclass(frozen=True)
class Found:
    """A Daemon database that is not the configured one: what it is (for people), and how much it holds."""

    path: Path
    label: str
    entries: int
    users: int
    modified_at: float

    def sentence(self) -> str:
        """Say what was found, in one line."""
        return f"{self.path} ({self.label}; {self.users} users, {self.entries} entries)"


def look_for_lost_databases(settings: Settings) -> list[Found]:
    """Return the Daemon databases nearby when the configured file does not exist, else an empty list.

    Looks at ``./daemon.db``, in ``./data``, in the folder of the configured file and among the backups, the
    newest first within each. Writes nothing. What cannot be read, and what is no Daemon's, is passed over.
    """
    if settings.database_path.exists():
        return []
    seen: set[Path] = set()
    found = []
    for path in _candidates(settings):
        if path in seen:
            continue
        seen.add(path)
        known = _recognised(path)
        if known is not None:
            found.append(known)
    return found


def refuse_if_lost(settings: Settings) -> None:
    """Raise LostVolume when the configured database is missing and another one was found nearby."""
    found = look_for_lost_databases(settings)
    if found:
        raise LostVolume(
            lost_sentence(settings, found),
            hint=lost_hint(found),
            found=[str(one.path) for one in found],
        )


def lost_sentence(settings: Settings, found: list[Found]) -> str:
    """Say that the configured file is missing and what was found instead."""
    listed = "; ".join(one.sentence() for one in found[:5])
    more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
    return f"There is no database at {settings.database_path}, but there is {listed}{more}."


def lost_hint(found: list[Found]) -> str:
    """Return the two commands that decide."""
    return f"To go on with it: daemon init --adopt {found[0].path}   To begin anew: daemon init --fresh"


def _candidates(settings: Settings) -> Iterator[Path]:
    yield OLD_DEFAULT.absolute()
    for folder in (DATA_FOLDER.absolute(), settings.data_dir, settings.backup_dir.absolute()):
        yield from _newest_first(folder)


def _newest_first(folder: Path) -> list[Path]:
    try:
        files = [(path.stat().st_mtime, path) for path in folder.glob("*.db") if path.is_file()]
    except OSError:
        return []
    return [path for _, path in sorted(files, reverse=True)[:NEWEST_LOOKED_AT]]


def _recognised(path: Path) -> Found | None:
    try:
        storage = storage_at(path)
        if storage.file_kind() != "sqlite":
            return None
        modified_at = path.stat().st_mtime
        with storage.looking() as connection:
            known = recognise(connection)
            if known.kind not in ("daemon", "newer"):
                return None
            return Found(
                path,
                known.label,
                _count(connection, "data_entries"),
                _count(connection, "users"),
                modified_at,
            )
    except (OSError, sqlite3.Error):
        return None


def _count(connection: sqlite3.Connection, table: str) -> int:
    try:
        return int(connection.execute(f'SELECT COUNT(*) FROM "{table}"').fetchone()[0])
    except sqlite3.Error:
        return 0
