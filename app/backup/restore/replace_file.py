"""How is a backup put where no sound database is? What is there is kept byte for byte first."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from app import clock, files, interrupt
from app.backup.restore.job import UNCHANGED, Kept, Task
from app.backup.staging import workbench
from app.progress import Event
from app.storage import failures
from app.storage.registry import storage_at
from app.storage.types import StorageError


def is_absent(live: Path) -> bool:
    """Whether there is no database: no file, or an empty one."""
    return not live.exists() or live.stat().st_size == 0


def has_writes_pending(live: Path) -> bool:
    """Whether opening the database would write into it, and so change bytes that might have to be kept."""
    return any(path.stat().st_size for path in storage_at(live).writes_beside())


def is_unsound(live: Path) -> bool:
    """Whether the live database fails its integrity check, looked at without writing.

    Raises StorageError for what is no damage, Busy, Refused.
    """
    try:
        with storage_at(live).looking() as connection:
            return bool(connection.soundness().damage)
    except StorageError as error:
        if error.is_damage:
            return True
        raise


def place_backup(task: Task) -> Kept:
    """Keep the bytes that are there, in a folder among the backups, and put the backup there, durably.

    Raises DaemonError; the bytes are kept then, or nothing was changed, as the message says.
    """
    interrupt.last_moment()
    kept = _keep_bytes(task)
    outcome = f"what was there is kept in {kept.folder}" if kept.folder else UNCHANGED
    with failures.named(task.live, outcome):
        if is_absent(task.live) or not _written_over(task):
            _move_into_place(task)
        files.sync_folder(task.folder)
    return kept


def clear_leftovers(task: Task) -> None:
    """Remove what a killed restore left; no other one is at work while the fence is held. Raises OSError."""
    _part(task).unlink(missing_ok=True)


def _keep_bytes(task: Task) -> Kept:
    there = [task.live] if task.live.exists() else []
    parts = [part for part in (*there, *storage_at(task.live).writes_beside()) if part.stat().st_size]
    if not parts:
        return Kept()
    task.on_event(Event("phase", "keep", "keeping the bytes that are there"))
    folder = task.settings.backup_dir
    with workbench(folder, "damaged", clock.now()) as bench:
        collected = bench.folder / "kept"
        files.private_folder(collected)
        for part in parts:
            _copy_durably(part, collected / part.name)
        files.sync_folder(collected)
        collected.rename(folder / bench.stem)
        files.sync_folder(folder)
        return Kept(folder=folder / bench.stem)


def _written_over(task: Task) -> bool:
    """Put the backup in by a transaction; False where the engine cannot even open what is there."""
    try:
        with storage_at(task.live).exclusive() as held:
            task.copy_in(held)
    except StorageError as error:
        if error.is_damage:
            return False
        raise
    return True


def _move_into_place(task: Task) -> None:
    part = _part(task)
    try:
        _copy_durably(task.copy, part)
        files.take_access_of(part, task.live)
        # What is beside belongs to the database that was: SQLite would write it into the one that comes.
        for sibling in storage_at(task.live).companions():
            sibling.unlink()
        files.sync_folder(task.folder)
        part.replace(task.live)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    files.sync_folder(task.folder)
    if task.journal_mode == "wal":
        _set_wal(task.live)


def _set_wal(live: Path) -> None:
    """As the database had it that was backed up. It is whole in either mode, so a refusal is no failure."""
    with contextlib.suppress(StorageError):
        storage_at(live).set_journal_mode("wal")


def _part(task: Task) -> Path:
    return task.live.with_name(f".{task.live.name}.restoring")


def _copy_durably(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    files.private_file(target)
    files.sync_file(target)
