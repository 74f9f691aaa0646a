"""How is a backup put back? Proved first, then exchanged for what is there, which is kept.

A live database that SQLite can open is changed by one transaction, through the backup API: a kill at any
point leaves it fully old or fully new. Where there is none, or SQLite cannot even open it, the proved copy is
moved into place in one step; the bytes of what was there lie in the backup folder by then.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from app import clock, files, log
from app.backup import obstacles
from app.backup.catalog import find_backup
from app.backup.create import Contents, contents_of, make_backup
from app.backup.manifest import Describe, Manifest
from app.backup.progress import Event, OnEvent, pages_reporter, say_nothing
from app.backup.prove import proved_copy
from app.backup.workbench import workbench
from app.errors import DaemonError, Damaged, FailedRestored, OperatorNeeded, UnknownDatabase
from app.settings import Settings
from app.storage.exchange import Exchange, exchange, is_same_database, make_self_contained
from app.storage.fence import Fence
from app.storage.sqlite import SQLiteStorage
from app.storage.sqlite_checks import integrity_faults
from app.storage.sqlite_files import present_siblings as siblings

PURPOSE = "before_restore"
_UNCHANGED = "nothing was changed"
_WAIT_SECONDS = 30.0
_SPARE_BYTES = 1 << 20
_logger = log.get_logger(__name__)


@dataclass(frozen=True)
class Restored:
    """A restore that was done: what is there now, what was there before and where that is kept.

    ``safety`` is the name of the backup of the state before (restore it to undo); None where there was no
    sound database. ``kept_aside`` is then the folder with the bytes that were there, None if there were none.
    """

    name: str
    path: Path
    now: Contents
    before: Contents | None
    safety: str | None
    kept_aside: Path | None
    seconds: float


@dataclass(frozen=True)
class _Kept:
    """The state before, kept in one way or the other."""

    contents: Contents | None = None
    safety: Path | None = None
    folder: Path | None = None


@dataclass(frozen=True)
class _Task:
    """What a restore needs to know at every turn."""

    settings: Settings
    source: Path
    copy: Path
    wanted: Contents
    journal_mode: str
    describe: Describe
    on_event: OnEvent

    @property
    def live(self) -> Path:
        return self.settings.database_path


def restore_backup(
    settings: Settings,
    name: str,
    *,
    describe: Describe,
    allow_outside: bool = False,
    on_event: OnEvent = say_nothing,
    wait_seconds: float = _WAIT_SECONDS,
) -> Restored:
    """Make the configured database that of the backup ``name``, and return what was done.

    The server is asked to let go of the database and waited for, ``wait_seconds`` at most. Raises UsageError
    and NotFound for the name, Damaged and UnknownDatabase for what is in the file, Busy, Refused (space,
    permission): nothing was changed then. FailedRestored: it went wrong after the commit, and the state
    before was put back. OperatorNeeded: that failed too; the message says where everything is.
    """
    began = time.monotonic()
    source = find_backup(settings, name, allow_outside=allow_outside)
    moment = clock.now().replace(microsecond=0)
    with (
        obstacles.named(settings.backup_dir, _UNCHANGED),
        workbench(settings.backup_dir, "restore", moment) as bench,
    ):
        manifest, wanted = proved_copy(source, bench.file, describe, on_event)
        journal_mode = "delete" if manifest is None else manifest.journal_mode
        task = _Task(settings, source, bench.file, wanted, journal_mode, describe, on_event)
        files.private_folder(settings.data_dir)
        _refuse_too_little_room(task)
        on_event(Event("phase", "wait", "waiting for the server to let go of the database"))
        with Fence(task.live).exclusive(wait_seconds):
            kept = _put_back(task)
    done = Restored(
        name=source.name,
        path=source,
        now=wanted,
        before=kept.contents,
        safety=kept.safety.name if kept.safety else None,
        kept_aside=kept.folder,
        seconds=time.monotonic() - began,
    )
    _tell(done, task)
    return done


def _put_back(task: _Task) -> _Kept:
    """Choose the way by what is there; the fence is held."""
    _clear_part(task)
    kept = None
    if _is_absent(task.live):
        kept = _keep_bytes(task)
        _move_into_place(task)
    elif not (_has_writes_pending(task.live) and _is_unsound(task.live)):
        kept = _exchange(task)
    if kept is None:
        kept = _keep_bytes(task)
        _replace_unsound(task)
    _verify(task, kept)
    return kept


# -- a sound database: one transaction ----------------------------------------------------------------------


def _exchange(task: _Task) -> _Kept | None:
    """Copy the state before out and the backup in, under one lock; raises, with the live database as before.

    Returns None where the live database turns out to be damaged: nothing was written then.
    """
    kept = None
    try:
        with obstacles.named(task.live, _UNCHANGED), contextlib.ExitStack() as held_open:
            try:
                held = held_open.enter_context(exchange(task.live))
                kept = _keep_state(task, held)
            except (sqlite3.DatabaseError, Damaged) as error:
                if isinstance(error, Damaged) or obstacles.is_damage(error):
                    return None
                raise
            _copy_in(task, held)
        files.sync_folder(task.settings.data_dir)
    except (DaemonError, OSError, KeyboardInterrupt) as error:
        if kept is None or not _is_there_nevertheless(task):
            raise
        _once_more(task, kept, error)
    return kept


def _is_there_nevertheless(task: _Task) -> bool:
    """Whether the live database is the backup although an error came: then it came with the commit."""
    found = task.copy.with_name("found.db")
    try:
        with exchange(task.live) as held:
            held.copy_out(found)
        make_self_contained(found)
        return is_same_database(found, task.copy)
    except (sqlite3.Error, OSError):
        return False
    finally:
        found.unlink(missing_ok=True)


def _once_more(task: _Task, kept: _Kept, error: BaseException) -> None:
    """After an error at the commit nobody knows what is durable: write every page again, or say so."""
    try:
        with exchange(task.live) as held:
            _copy_in(task, held)
        files.sync_folder(task.settings.data_dir)
    except (sqlite3.Error, OSError) as second:
        safety = f" The state before is {kept.safety}." if kept.safety else ""
        raise OperatorNeeded(
            f"{task.source.name} was restored, but the disk reported errors at the end ({error}; {second}):"
            f" it may not outlast a power cut.{safety}",
            hint=f"daemon backup restore {task.source.name}",
        ) from error


def _keep_state(task: _Task, held: Exchange) -> _Kept:
    task.on_event(Event("phase", "keep", "keeping the state before as a backup"))
    try:
        safety = make_backup(
            task.settings, PURPOSE, held.copy_out, describe=task.describe, on_event=task.on_event
        )
    except UnknownDatabase as error:
        if error.details.get("rows"):
            raise _not_ours(task) from error
        return _Kept()  # a database without a single table: there is nothing to keep
    assert safety.manifest is not None
    return _Kept(_contents_of(safety.manifest), safety.path)


def _copy_in(task: _Task, held: Exchange) -> None:
    what = f"putting {task.source.name} back"
    task.on_event(Event("phase", "restore", what))
    held.copy_in(task.copy, pages_reporter(task.on_event, "restore", what))


def _contents_of(manifest: Manifest) -> Contents:
    return Contents(
        version=manifest.version,
        fingerprint=manifest.fingerprint,
        is_daemon=True,
        rows=dict(manifest.rows),
        orphans=manifest.orphans,
        page_size=manifest.page_size,
    )


def _not_ours(task: _Task) -> UnknownDatabase:
    return UnknownDatabase(
        f"{task.live} is a database of another program, and a restore would overwrite it; {_UNCHANGED}.",
        hint=f"mv {task.live} {task.live}.other   (or set DATABASE_URL to where the database is)",
    )


# -- nothing there, or nothing that can be opened -----------------------------------------------------------


def _is_absent(live: Path) -> bool:
    return not os.path.lexists(live) or live.stat().st_size == 0


def _has_writes_pending(live: Path) -> bool:
    """Whether opening the database would write into it, and so change bytes that might have to be kept."""
    return any(sibling.stat().st_size for sibling in siblings(live) if not sibling.name.endswith("-shm"))


def _is_unsound(live: Path) -> bool:
    """Whether the live database fails its integrity check, looked at without writing."""
    try:
        with SQLiteStorage(live).looking() as connection:
            return bool(integrity_faults(connection))
    except sqlite3.DatabaseError as error:
        if obstacles.is_damage(error):
            return True
        raise


def _keep_bytes(task: _Task) -> _Kept:
    """Copy what lies at the live path, with all that belongs to it, into a folder among the backups."""
    parts = [part for part in (task.live, *siblings(task.live)) if os.path.lexists(part)]
    parts = [part for part in parts if part.stat().st_size and not part.name.endswith("-shm")]
    if not parts:
        return _Kept()
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
        return _Kept(folder=folder / bench.stem)


def _replace_unsound(task: _Task) -> None:
    """By a transaction where SQLite opens what is there, else by moving the copy into its place."""
    try:
        with exchange(task.live) as held:
            _copy_in(task, held)
    except sqlite3.DatabaseError as error:
        if not obstacles.is_damage(error):
            raise
        _move_into_place(task)
    files.sync_folder(task.settings.data_dir)


def _move_into_place(task: _Task) -> None:
    part = _part(task)
    _copy_durably(task.copy, part)
    # What lies beside belongs to the database that was: SQLite would write it into the one that comes.
    for sibling in siblings(task.live):
        sibling.unlink()
    files.sync_folder(task.settings.data_dir)
    part.replace(task.live)
    files.sync_folder(task.settings.data_dir)
    if task.journal_mode == "wal":
        _set_wal(task.live)


def _set_wal(live: Path) -> None:
    with contextlib.closing(sqlite3.connect(live, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _part(task: _Task) -> Path:
    return task.live.with_name(f".{task.live.name}.restoring")


def _clear_part(task: _Task) -> None:
    """What a killed restore left; no other one is at work while the fence is held."""
    _part(task).unlink(missing_ok=True)


def _copy_durably(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    files.private_file(target)
    opened = os.open(target, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _refuse_too_little_room(task: _Task) -> None:
    """The folder of the database holds, for a while, the new pages and the journal of the old ones."""
    live_bytes = task.live.stat().st_size if task.live.exists() else 0
    needed_bytes = max(task.copy.stat().st_size - live_bytes, 0) + live_bytes + _SPARE_BYTES
    if obstacles.free_bytes(task.settings.data_dir) < needed_bytes:
        raise obstacles.no_space(task.settings.data_dir, _UNCHANGED, needed_bytes)


# -- afterwards ---------------------------------------------------------------------------------------------


def _verify(task: _Task, kept: _Kept) -> None:
    """Open the database anew and compare; where it is not what it should be, put the state before back."""
    task.on_event(Event("phase", "verify", "checking the restored database"))
    fault = _fault(task)
    if not fault:
        return
    if kept.safety is None:
        raise OperatorNeeded(
            f"The restored database is not sound ({fault}), and there was no sound one before. The backup is"
            f" {task.source}" + (f"; what was there is in {kept.folder}." if kept.folder else "."),
            hint=f"daemon backup prove {task.source.name}",
        )
    _undo(task, kept.safety, fault)


def _undo(task: _Task, safety: Path, fault: str) -> None:
    try:
        with exchange(task.live) as held:
            held.copy_in(safety)
        files.sync_folder(task.settings.data_dir)
    except (sqlite3.Error, OSError) as error:
        raise OperatorNeeded(
            f"The restored database is not sound ({fault}), and the state before could not be put back"
            f" ({error}). The state before is {safety}, the backup is {task.source}.",
            hint=f"daemon backup restore {safety.name}",
        ) from error
    raise FailedRestored(
        f"The restored database was not sound ({fault}); the state before was put back.",
        hint=f"daemon backup prove {task.source.name}",
    )


def _fault(task: _Task) -> str:
    try:
        with SQLiteStorage(task.live).peek() as connection:
            found = contents_of(connection, task.describe)
    except (sqlite3.Error, OSError, DaemonError) as error:
        return str(error)
    return "" if found == task.wanted else "it does not hold what the backup holds"


def _tell(done: Restored, task: _Task) -> None:
    _logger.info(
        "backup restored: %s",
        done.path,
        extra={
            "backup": done.name,
            "database": str(task.live),
            "database_version": done.now.version,
            "safety_backup": done.safety,
            "kept_aside": str(done.kept_aside) if done.kept_aside else None,
            "seconds": round(done.seconds, 3),
        },
    )
    task.on_event(Event("result", "restore", f"{done.name} was restored", 100.0))
