"""How is a backup put back? Proved first, then exchanged for what is there, which is kept.

A live database that SQLite can open is changed by one transaction, through the backup API: a kill at any
point leaves it fully old or fully new. Where there is none, or SQLite cannot even open it, the proved copy is
moved into place in one step; the bytes of what was there lie in the backup folder by then.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from app import clock, files, log
from app.backup.catalog import find_backup
from app.backup.create import Contents, contents_of, ending_of_backups, examine
from app.backup.manifest import Describe
from app.backup.ownership import Identity
from app.backup.restore import replace_file
from app.backup.restore.in_transaction import exchange_for_backup
from app.backup.restore.job import UNCHANGED, Amend, Kept, Prepare, Task
from app.backup.staging import workbench
from app.backup.verify import proved_copy
from app.errors import DaemonError, Damaged, Failed, FailedRestored, OperatorNeeded, Refused, UsageError
from app.progress import Event, OnEvent, say_nothing
from app.settings import Settings
from app.storage import failures
from app.storage.registry import DUMP_ENDING, process_lock_at, storage_at, storage_for
from app.storage.sharing import refuse_shared
from app.storage.types import StorageError

_WAIT_SECONDS = 30.0
_SPARE_BYTES = 1 << 20
_logger = log.get_logger(__name__)


@dataclass(frozen=True)
class Restored:
    """A restore that was done: what is there now, what was there before and where that is kept.

    ``safety`` is the name of the backup of the state before (restore it to undo); None where there was no
    sound database. ``kept_aside`` is then the folder with the bytes that were there, None if there were none.
    ``old_database`` is what the database that was there is called on its server now.
    """

    name: str
    path: Path
    now: Contents
    before: Contents | None
    safety: str | None
    kept_aside: Path | None
    seconds: float
    old_database: str = ""


def restore_backup(
    settings: Settings,
    name: str,
    *,
    describe: Describe,
    allow_outside: bool = False,
    on_event: OnEvent = say_nothing,
    wait_seconds: float = _WAIT_SECONDS,
    amend: Amend | None = None,
    prepare: Prepare | None = None,
    identity: Identity | None = None,
    refuse: Callable[[], None] | None = None,
) -> Restored:
    """Make the configured database that of the backup ``name``, and return what was done.

    The server is asked to let go of the database and waited for, ``wait_seconds`` at most. ``amend`` changes
    what is put back by what is in the state before, under the same lock and in the same transaction; it is
    not called where there is no sound state before, and what it raises leaves all as it was. ``prepare``
    changes it before, whatever is there, and returns whether rows are gone. ``identity`` says whose the
    backup of the state before is. ``refuse`` is asked once the database is locked, and raises where it may
    not be changed any more.

    Raises UsageError and NotFound for the name, Damaged and UnknownDatabase for what is in the file, Busy,
    Refused (space, permission), Failed: nothing was changed then. FailedRestored: it went wrong after the
    commit, and the state before was put back. OperatorNeeded: that failed too; the message says where
    everything is.
    """
    began = time.monotonic()
    source = find_backup(settings, name, allow_outside=allow_outside)
    refuse_shared(settings.database_path, UNCHANGED)
    refuse_other_engine(settings, source)
    moment = clock.now().replace(microsecond=0)
    with (
        failures.named(settings.backup_dir, UNCHANGED),
        storage_for(settings.database_url).opening_once(),
        workbench(settings.backup_dir, "restore", moment, ending_of_backups(settings)) as bench,
    ):
        manifest, wanted = proved_copy(source, bench.file, describe, on_event)
        journal_mode = "delete" if manifest is None else manifest.journal_mode
        if prepare is not None:
            has_other_rows = prepare(bench.file)
            files.sync_file(bench.file)
            wanted = examine(bench.file, describe) if has_other_rows or wanted.digests else wanted
        task = Task(settings, source, bench.file, wanted, journal_mode, describe, on_event, amend, identity)
        files.private_folder(settings.data_dir)
        refuse_unwritable(task.live)
        _refuse_too_little_room(task)
        on_event(Event("phase", "wait", "waiting for the server to let go of the database"))
        with process_lock_at(settings.database_path).exclusive(wait_seconds):
            if refuse is not None:
                refuse()
            kept = _put_back(task)
    done = Restored(
        name=source.name,
        path=source,
        now=kept.amended or wanted,
        before=kept.contents,
        safety=kept.safety.name if kept.safety else None,
        kept_aside=kept.folder,
        seconds=time.monotonic() - began,
        old_database=kept.old_database,
    )
    _tell(done, task)
    return done


def _put_back(task: Task) -> Kept:
    """Choose the way by what is there; the fence is held."""
    if storage_at(task.live).engine_name != "sqlite":
        return _put_back_on_server(task)
    replace_file.clear_leftovers(task)
    live = task.live
    kept = None
    if replace_file.is_absent(live):
        kept = replace_file.place_backup(task)
    elif not (replace_file.has_writes_pending(live) and replace_file.is_unsound(live)):
        kept = exchange_for_backup(task)
    if kept is None:
        _refuse_if_sound_after_all(task)
        kept = replace_file.place_backup(task)
    _close_to_others(live)
    _verify(task if kept.amended is None else replace(task, wanted=kept.amended), kept)
    return kept


def _put_back_on_server(task: Task) -> Kept:
    kept = exchange_for_backup(task)
    if kept is None:
        raise Damaged(
            f"{task.settings.database_name} is damaged, and cannot be kept as a backup; {UNCHANGED}.",
            hint="Rename it on the server, make an empty one of its name, and restore into that.",
        )
    _verify(task if kept.amended is None else replace(task, wanted=kept.amended), kept)
    return kept


def refuse_other_engine(settings: Settings, source: Path) -> None:
    """Raise UsageError where a backup is of another engine than the configured database."""
    is_dump = source.suffix == DUMP_ENDING
    if is_dump == (storage_for(settings.database_url).engine_name != "sqlite"):
        return
    of, into = ("PostgreSQL", "SQLite") if is_dump else ("SQLite", "PostgreSQL")
    raise UsageError(
        f"{source.name} is a backup of {of}, and DATABASE_URL names a database of {into}; {UNCHANGED}.",
        hint=f"Set DATABASE_URL to a database of {of}, restore there, and then: daemon move --to URL",
    )


def _close_to_others(live: Path) -> None:
    """As every start does. Whom the file does not belong to may restore it all the same."""
    try:
        files.close_to_others(live)
    except OSError as error:
        _logger.warning("every account of this machine may look into %s: %s", live, error.strerror)


def _refuse_if_sound_after_all(task: Task) -> None:
    if not replace_file.is_unsound(task.live):
        raise Failed(
            f"The state before could not be kept: its copy in {task.settings.backup_dir} is damaged, the"
            f" database itself is not; {UNCHANGED}.",
            hint="Look at the disk of the backup folder: dmesg | tail",
        )


def refuse_unwritable(live: Path) -> None:
    """Raise Refused where this account may not write the database and its folder; nothing was changed then.

    SQLite opens such a file for reading, without a word, and fails when the first page is to be written.
    """
    refusal = storage_at(live).find_refusal()
    if refusal is not None:
        raise Refused(f"{refusal.message.rstrip('.')}: {UNCHANGED}.", hint=refusal.hint)


def _refuse_too_little_room(task: Task) -> None:
    """The folder of the database holds, for a while, the new pages and the journal of the old ones."""
    if storage_at(task.live).engine_name != "sqlite":
        return  # the room is needed on the server, which is not asked
    live_bytes = task.live.stat().st_size if task.live.exists() else 0
    needed_bytes = max(task.copy.stat().st_size, live_bytes) + _SPARE_BYTES
    failures.refuse_if_short(task.folder, needed_bytes, UNCHANGED)


def _verify(task: Task, kept: Kept) -> None:
    """Open the database anew and compare; where it is not what it should be, put the state before back."""
    task.on_event(Event("phase", "verify", "opening the database anew and checking it"))
    fault = _fault(task) and _fault(task)  # once more: a disk may fail to read, and someone may be in the way
    if not fault:
        return
    if kept.safety is None:
        raise OperatorNeeded(
            f"What was put in place is not sound ({fault}), and there was no sound database before. The"
            f" backup is {task.source}" + (f"; what was there is in {kept.folder}." if kept.folder else "."),
            hint=f"daemon backup prove {shlex.quote(task.source.name)}",
        )
    _undo(task, kept.safety, fault)


def _fault(task: Task) -> str:
    """What is wrong with the restored database, "" for nothing."""
    try:
        with storage_at(task.live).peek() as connection:
            found = contents_of(connection, task.describe)
    except (StorageError, OSError, DaemonError) as error:
        return str(error)
    return "" if found == task.wanted else "it does not hold what the backup holds"


def _undo(task: Task, safety: Path, fault: str) -> None:
    try:
        with storage_at(task.live).exclusive() as held:
            held.copy_in(safety)
        files.sync_folder(task.folder)
    except (StorageError, OSError) as error:
        raise OperatorNeeded(
            f"What was put in place is not sound ({fault}), and the state before could not be put back"
            f" ({error}). The state before is {safety}, the backup is {task.source}.",
            hint=f"daemon backup restore {shlex.quote(safety.name)}",
        ) from error
    raise FailedRestored(
        f"What was put in place was not sound ({fault}); the state before was put back.",
        hint=f"daemon backup prove {shlex.quote(task.source.name)}",
    )


def _tell(done: Restored, task: Task) -> None:
    _logger.info(
        "backup restored: %s",
        done.path,
        extra={
            "backup": done.name,
            "database": str(task.live),
            "database_version": done.now.version,
            "safety_backup": done.safety,
            "old_database": done.old_database or None,
            "kept_aside": str(done.kept_aside) if done.kept_aside else None,
            "seconds": round(done.seconds, 3),
        },
    )
    task.on_event(Event("result", "restore", f"{done.name} was restored", 100.0))
