"""File modes: what of this installation could every account of the machine read? It loses that, and is told.

Older servers and scripts left databases, backups and logs as the umask had it. Owner, group and what the
group may do stay as the operator gave them. A folder is narrowed only where nothing is in it but these
files; the data folder may be a checkout and the backup folder a share.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from app import files, log
from app.backup.manifest import ManifestDamaged, read_manifest
from app.disk import account_name, real_path
from app.journal import JOURNAL_NAME
from app.storage.registry import COMPANION_ENDINGS

if TYPE_CHECKING:
    from app.settings import Settings

_BESIDE = ("", *COMPANION_ENDINGS, ".lock", ".wanted", ".attempt", ".hold")
_BACKUP = re.compile(
    r"(?:daemon_backup|pre_restore|backup)_\d{8}_\d{6}(?:_\d+)?\.db(?:-wal|-shm|-journal|\.json)?"
)
_IN_WORK = re.compile(r"\.[a-z_]+_\d{8}_\d{6}(?:_\d+)?\.making|damaged_\d{8}_\d{6}(?:_\d+)?")
_ASIDE = re.compile(r"\.(?:empty|left)-\d{8}_\d{6}(?:_\d+)?(?:-wal|-shm|-journal)?")
_LOG = re.compile(rf"{re.escape(log.FILE_NAME)}(?:\.\d+)?")


def narrow_files(settings: Settings) -> tuple[str, ...]:
    """Take from others what they may do with the files of this installation; return what was done, in words.

    Files are only ever changed by name: no database is opened, the live one least of all. What this account
    may not change, and a folder in which other files are too, is told with the command. Raises nothing.
    """
    narrowed: list[Path] = []
    left: list[tuple[Path, str]] = []
    ours = _our_files(settings)
    for path in sorted(ours):
        _narrow(path, narrowed, left)
    folders = _folders(settings)
    for folder in sorted(filter(_is_open, folders)):
        if all(folder / name in ours | folders for name in _names_in(folder)):
            _narrow(folder, narrowed, left)
        else:
            left.append((folder, "it holds other files too"))
    return (*_told(narrowed), *(_left_open(path, why) for path, why in left))


def _folders(settings: Settings) -> set[Path]:
    database = real_path(settings.database_path)
    others = (settings.data_dir, settings.backup_dir, settings.log_dir)
    return {database.parent, *(real_path(folder) for folder in others)}


def _our_files(settings: Settings) -> set[Path]:
    """What Daemon or an older server made; a file of another name is its owner's."""
    database, data = real_path(settings.database_path), real_path(settings.data_dir)
    backups, logs = real_path(settings.backup_dir), real_path(settings.log_dir)
    kept = (settings.claim_path.name, settings.secret_path.name, settings.proxies_path.name)
    return {
        *(database.parent / name for name in _names_in(database.parent) if _is_of(database.name, name)),
        *(data / name for name in _names_in(data) if name in kept),
        *(backups / name for name in _names_in(backups) if _is_of_backups(backups, name)),
        *(logs / name for name in _names_in(logs) if _LOG.fullmatch(name)),
    }


def _is_of(database: str, name: str) -> bool:
    """Whether ``name`` is the database, a file made beside it, or one that `init` moved out of its place."""
    rest = name.removeprefix(database)
    return name.startswith(database) and (rest in _BESIDE or bool(_ASIDE.fullmatch(rest)))


def _is_of_backups(folder: Path, name: str) -> bool:
    if name == JOURNAL_NAME or _BACKUP.fullmatch(name) or _IN_WORK.fullmatch(name):
        return True
    # A backup that its owner renamed is known by the manifest that was renamed with it.
    database = name.removesuffix(".json")
    return database.endswith(".db") and _is_manifest(folder / f"{database}.json")


def _is_manifest(path: Path) -> bool:
    try:
        return read_manifest(path) is not None
    except (OSError, ManifestDamaged):
        return False


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []


def _is_open(folder: Path) -> bool:
    try:
        return bool(folder.stat().st_mode & files.OTHERS)
    except OSError:
        return False


def _narrow(path: Path, narrowed: list[Path], left: list[tuple[Path, str]]) -> None:
    try:
        if files.close_to_others(path):
            narrowed.append(path)
    except FileNotFoundError:  # gone meanwhile, as a journal goes
        pass
    except OSError as error:
        left.append((path, f"this account may not change it: {error.strerror}"))


def _told(narrowed: list[Path]) -> Iterator[str]:
    if narrowed:
        listed, more = ", ".join(str(path) for path in narrowed[:5]), len(narrowed) - 5
        yield (
            f"Every account of this machine could read {listed} and {more} more; now only owner and "
            "group can."
            if more > 0
            else f"Every account of this machine could read {listed}; now only owner and group can."
        )


def _left_open(path: Path, why: str) -> str:
    quoted = shlex.quote(str(path))
    command = f"sudo chmod o-rwx {quoted}"
    if not _is_owner(path) and os.geteuid() != 0 and _only_as_others(path):
        command = f"sudo chown {shlex.quote(account_name())} {quoted} && {command}"
    return f"Every account of this machine may look into {path} ({why}). To end that: {command}"


def _is_owner(path: Path) -> bool:
    try:
        return path.stat().st_uid == os.geteuid()
    except OSError:
        return True


def _only_as_others(path: Path) -> bool:
    """Whether this account itself gets in only because everyone does: it must not shut itself out."""
    try:
        return path.stat().st_gid not in (os.getegid(), *os.getgroups())
    except OSError:
        return False
