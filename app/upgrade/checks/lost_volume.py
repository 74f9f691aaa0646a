"""Lost volume: where the configured database is not there, is one where it may have been moved from?

A wrong mount, a changed DATABASE_URL or a lost volume must never look like a first start. Databases are known
by their first bytes and their tables, whatever their names. A log or journal without its database is a sign
too: the database may only be absent. This file only looks; `operations.init` is where someone decides.
"""

from __future__ import annotations

import contextlib
import itertools
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app import database_urls
from app.backup.manifest import ManifestDamaged, manifest_path, read_manifest
from app.errors import DaemonError, LostVolume, Refused
from app.storage.registry import storage_at, storage_for
from app.storage.types import StorageConnection, StorageError
from app.upgrade.detect.recognise import recognise

if TYPE_CHECKING:
    from app.settings import Settings

OLD_DEFAULT = Path("daemon.db")  # where 0.1.x to 0.3.x put it when no one said otherwise
DATA_FOLDER = Path("data")
NEWEST_LOOKED_AT = 20  # of each folder: enough to be sure that there was a life before
MOST_FILES = 500  # of each folder: their first bytes are read


@dataclass(frozen=True)
class Found:
    """A Daemon database that is not the configured one: what it is (for people), and how much it holds."""

    path: Path
    label: str
    entries: int
    users: int
    is_backup: bool = False  # in the backup folder, or with a manifest: no life that was left
    made_of: str = ""  # the database that it is a backup of, where that was another place than this

    def sentence(self) -> str:
        """Say what was found, in one line."""
        users = f"{self.users} {'user' if self.users == 1 else 'users'}"
        entries = f"{self.entries} {'entry' if self.entries == 1 else 'entries'}"
        what = "the backup " if self.is_backup else ""
        whose = f" of {self.made_of}" if self.made_of else ""
        return f"{what}{self.path}{whose} ({self.label}; {users}, {entries})"


def look_for_lost_databases(settings: Settings) -> list[Found]:
    """Return the Daemon databases nearby when the configured file does not exist, else an empty list.

    Looks at ``./daemon.db``, in ``./data``, in the folder of the configured file, in the working folder, in
    the folders in the first two, and among the backups, the newest first within each; backups come last,
    of other places the very last: other installations may have the same backup folder.
    Writes nothing. What cannot be read, and what is no Daemon's, is passed over.
    """
    if settings.database_path.exists():
        return []
    seen: set[Path] = set()
    found = []
    for path in _candidates(settings):
        if path in seen:
            continue
        seen.add(path)
        known = _recognised(settings, path)
        if known is not None:
            found.append(known)
    return sorted(found, key=lambda one: (one.is_backup, bool(one.made_of)))


def refuse_if_lost(settings: Settings) -> None:
    """Raise LostVolume when the configured database is missing and another one was found nearby.

    Raises Refused when only its log or journal is there.
    """
    refuse_what_was_left(settings)
    found = look_for_lost_databases(settings)
    if found:
        raise LostVolume(
            lost_sentence(settings, found),
            hint=lost_hint(settings, found),
            found=[str(one.path) for one in found],
        )


def refuse_what_was_left(settings: Settings) -> None:
    """Raise Refused where a log or journal is in the place of a database that is not there."""
    left = storage_for(settings.database_url).left_behind()
    if left:
        raise Refused(left_sentence(settings, left), hint=left_hint(left))


def left_sentence(settings: Settings, left: list[Path]) -> str:
    """Say what is there without its database, and what it may hold."""
    names = " and ".join(path.name for path in left)
    return (
        f"There is no database at {settings.database_name}, but {names} of one: it may hold the last writes"
        " of a database that is only absent. A new database would be destroyed by it; nothing was made."
    )


def left_hint(left: list[Path]) -> str:
    """Return both ways on."""
    return (
        f"Put the database back beside it (or mount its disk): ls -la {_quoted(left[0].parent)}   "
        "To begin anew and keep it under another name: daemon init --fresh"
    )


def lost_sentence(settings: Settings, found: list[Found]) -> str:
    """Say that the configured file is missing and what was found instead."""
    listed = "; ".join(one.sentence() for one in found[:5])
    more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
    return f"There is no database at {settings.database_name}, but there is {listed}{more}."


def lost_hint(settings: Settings, found: list[Found]) -> str:
    """Return the commands that decide: go on with what was left, put a backup back, or begin anew."""
    lives, backups = ([one for one in found if one.is_backup is kind] for kind in (False, True))
    go_on = f"daemon init --adopt {_quoted(lives[0].path)}" if lives else ""
    if lives and database_urls.is_of_server(settings.database_url):
        go_on = move_command(settings, lives[0].path)
    ways = [f"To go on with it: {go_on}"] if lives else []
    ways += [f"To put the backup back: {_restore(settings, backups[0].path)}"] if backups else []
    return "   ".join([*ways, "To begin anew: daemon init --fresh"])


def move_command(settings: Settings, file: Path) -> str:
    """Return what moves a database of SQLite to the configured server."""
    return f"DATABASE_URL=sqlite:///{_quoted(file)} daemon move --to {settings.database_name}"


def _restore(settings: Settings, backup: Path) -> str:
    command = f"daemon backup restore {shlex.quote(backup.name)}"
    if _is_in(backup, settings.backup_dir):
        return command
    manifest, folder = _quoted(manifest_path(backup)), _quoted(settings.backup_dir)
    return f"mkdir -p {folder} && cp -p {_quoted(backup)} {manifest} {folder}/ && {command}"


def _is_in(path: Path, folder: Path) -> bool:
    try:
        return path.parent.samefile(folder)
    except OSError:
        return False


def _candidates(settings: Settings) -> Iterator[Path]:
    yield OLD_DEFAULT.absolute()
    data_folders = dict.fromkeys((DATA_FOLDER.absolute(), settings.data_dir))
    below = [folder for data in data_folders for folder in _folders_in(data)]
    for folder in (*data_folders, Path.cwd(), *below, settings.backup_dir.absolute()):
        yield from _newest_first(folder)


def _folders_in(folder: Path) -> list[Path]:
    return [path for path in _listed(folder) if path.is_dir() and not path.is_symlink()]


def _newest_first(folder: Path) -> list[Path]:
    """Return the SQLite files of a folder, by their first bytes, whatever their names."""
    files = [(path.stat().st_mtime, path) for path in _listed(folder) if _is_sqlite(path)]
    return [path for _, path in sorted(files, reverse=True)[:NEWEST_LOOKED_AT]]


def _listed(folder: Path) -> list[Path]:
    try:
        return list(itertools.islice(folder.iterdir(), MOST_FILES))
    except OSError:
        return []


def _is_sqlite(path: Path) -> bool:
    try:
        return path.is_file() and storage_at(path).file_kind() == "database"
    except (OSError, DaemonError):
        return False


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


def _recognised(settings: Settings, path: Path) -> Found | None:
    try:
        storage = storage_at(path)
        is_backup = _is_in(path, settings.backup_dir) or manifest_path(path).is_file()
        with storage.looking() as connection:
            known = recognise(connection)
            if known.kind not in ("daemon", "newer"):
                return None
            return Found(
                path,
                known.label,
                _count(connection, "data_entries"),
                _count(connection, "users"),
                is_backup,
                _made_of(settings, path),
            )
    except (OSError, StorageError, DaemonError):
        return None


def _made_of(settings: Settings, backup: Path) -> str:
    """Return which database a backup is of, "" where that is the configured one or no manifest tells."""
    with contextlib.suppress(OSError, ManifestDamaged):
        manifest = read_manifest(manifest_path(backup))
        if manifest is not None and not settings.is_this_database(manifest.database):
            return manifest.database
    return ""


def _count(connection: StorageConnection, table: str) -> int:
    try:
        return connection.count(table)
    except StorageError:
        return 0
