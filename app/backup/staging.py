"""Where is a file worked on before it is a backup? In a folder of its own, inside the backup folder.

The folder's name begins with a dot and ends with `.making`; it is on the same file system, so that the
finished file is moved out in one step. Anyone who works in it holds a lock (`flock`) on the file `lock`; the
kernel lets go of it when the process dies, and the next run clears the folder away. Making the folder also
takes the name: of two processes in one second only one gets it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app import clock, files
from app.backup.manifest import manifest_path
from app.storage.registry import DUMP_ENDING

_ENDING = ".making"
_ENDINGS = (".db", DUMP_ENDING)
_LOCK = "lock"
_FOLDER = re.compile(r"\.(?P<stem>[a-z_]+_\d{8}_\d{6}(?:_\d+)?)\.making")
_SECONDS_TO_TAKE_THE_LOCK = 60


@dataclass(frozen=True)
class Workbench:
    """A private folder, and the name that the finished file will have."""

    folder: Path
    stem: str
    ending: str = ".db"

    @property
    def file(self) -> Path:
        """Where to put what is being made."""
        return self.folder / f"database{self.ending}"

    @property
    def finished(self) -> Path:
        """Where it is when it is finished."""
        return self.folder.parent / f"{self.stem}{self.ending}"


@contextlib.contextmanager
def workbench(backup_dir: Path, kind: str, moment: datetime, ending: str = ".db") -> Iterator[Workbench]:
    """Make the folder ``backup_dir`` if need be and a workbench in it; cleared away at the end.

    ``kind`` is the first part of the name ("backup", "restore", "damaged"), ``ending`` the last. What killed
    runs left is cleared away first. Raises OSError.
    """
    files.private_folder(backup_dir)
    clear_leftovers(backup_dir)
    number = 1
    while True:
        folder = _bench_folder(backup_dir, kind, moment, number)
        bench = Workbench(folder, _stem(kind, moment, number), ending)
        lock = _take(bench)
        if lock is not None:
            break
        number += 1
    try:
        yield bench
    finally:
        _clear(bench.folder)
        os.close(lock)


def clear_leftovers(backup_dir: Path) -> list[Path]:
    """Remove the workbenches of processes that are gone; returns them. What is alive is left alone."""
    cleared = []
    for folder in sorted(backup_dir.glob(f".*{_ENDING}")):
        match = _FOLDER.fullmatch(folder.name)
        if not match or folder.is_symlink() or not folder.is_dir():
            continue
        with _abandoned(folder) as is_abandoned:
            if is_abandoned:
                for ending in _ENDINGS:
                    _take_back_manifest(backup_dir / f"{match['stem']}{ending}")
                _clear(folder)
                cleared.append(folder)
    return cleared


def _stem(kind: str, moment: datetime, number: int) -> str:
    return f"{kind}_{clock.stamp(moment)}" + (f"_{number}" if number > 1 else "")


def _bench_folder(backup_dir: Path, kind: str, moment: datetime, number: int) -> Path:
    return backup_dir / f".{_stem(kind, moment, number)}{_ENDING}"


def _take(bench: Workbench) -> int | None:
    """Return the locked descriptor, or None when the name is someone else's."""
    try:
        bench.folder.mkdir(mode=files.PRIVATE_FOLDER)
    except FileExistsError:
        return None
    files.settle_folder(bench.folder)
    lock = _lock_in(bench.folder)
    # Looked at only now: a run that finished has moved the file out before clearing the folder.
    if lock is not None and _is_taken(bench):
        _clear(bench.folder)
        os.close(lock)
        return None
    return lock


def _is_taken(bench: Workbench) -> bool:
    place = bench.finished
    names = (place.name, bench.stem, *(place.name + end for end in (".json", "-wal", "-shm", "-journal")))
    return any(os.path.lexists(place.with_name(name)) for name in names)


def _lock_in(folder: Path) -> int | None:
    path = folder / _LOCK
    try:
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, files.PRIVATE_FILE)
    except FileNotFoundError:
        return None  # cleared away by another process between the two calls
    if _try_lock(opened) and _is_still_there(opened, path):
        return opened
    os.close(opened)
    return None


def _is_still_there(opened: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(opened), path.stat())
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _abandoned(folder: Path) -> Iterator[bool]:
    """Whether no one works there; the lock is held meanwhile, so that no one begins to."""
    try:
        opened = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield _age_seconds(folder) > _SECONDS_TO_TAKE_THE_LOCK
        return
    except OSError:
        yield False  # another account's: not ours to clear
        return
    try:
        yield _try_lock(opened)
    finally:
        os.close(opened)


def _try_lock(opened: int) -> bool:
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _age_seconds(folder: Path) -> float:
    try:
        return clock.now().timestamp() - folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _take_back_manifest(backup: Path) -> None:
    """A manifest is put in place just before its backup: one that was left alone belongs to nothing."""
    if not os.path.lexists(backup):
        manifest_path(backup).unlink(missing_ok=True)


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
