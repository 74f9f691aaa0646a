"""How does a backup come into a sound database? The state before out, the backup in, under one lock."""

from __future__ import annotations

import contextlib
import shlex
from dataclasses import replace
from pathlib import Path

from app import files
from app.backup.create import Contents, examine, make_backup
from app.backup.manifest import Manifest
from app.backup.restore.job import UNCHANGED, Kept, Task
from app.errors import DaemonError, Damaged, OperatorNeeded, UnknownDatabase
from app.progress import Event
from app.storage import failures
from app.storage.registry import storage_at
from app.storage.types import ExclusiveConnection, StorageError

PURPOSE = "before_restore"


def exchange_for_backup(task: Task) -> Kept | None:
    """Keep the live database as a backup and make it the one that is to be restored, durably.

    Returns None where it turns out to be damaged, or its copy does: nothing was written then. Raises Busy,
    Refused, UnknownDatabase (a database of another program), with the live database as before, and
    OperatorNeeded where no one can promise that the backup is there to stay.
    """
    kept = None
    try:
        with failures.named(task.live, UNCHANGED), contextlib.ExitStack() as stack:
            try:
                held = stack.enter_context(storage_at(task.live).exclusive())
                kept = _keep_state(task, held)
            except (StorageError, Damaged) as error:
                if isinstance(error, Damaged) or failures.is_damage(error):
                    return None
                raise
            kept = _amended(task, kept)
            task.copy_in(held)
            kept = replace(kept, old_database=held.old_name)
        files.sync_folder(task.folder)
    except (DaemonError, OSError, KeyboardInterrupt) as error:
        if kept is None or not _is_there_nevertheless(task):
            raise
        _once_more(task, kept, error)
    return kept


def _keep_state(task: Task, held: ExclusiveConnection) -> Kept:
    task.on_event(Event("phase", "keep", "keeping the state before as a backup"))
    try:
        safety = make_backup(
            task.settings,
            PURPOSE,
            held.copy_out,
            describe=task.describe,
            identity=task.identity,
            on_event=task.on_event,
        )
    except UnknownDatabase as error:
        if error.details.get("rows"):
            raise _not_ours(task.live) from error
        return Kept()  # a database without a single table: there is nothing to keep
    assert safety.manifest is not None
    return Kept(_contents_of(safety.manifest), safety.path)


def _amended(task: Task, kept: Kept) -> Kept:
    """Let the copy be changed by what is in the state before, and look at what it holds now."""
    if task.amend is None or kept.safety is None:
        return kept
    task.amend(task.copy, kept.safety)
    storage_at(task.copy).make_self_contained()
    files.sync_file(task.copy)
    return replace(kept, amended=examine(task.copy, task.describe))


def _is_there_nevertheless(task: Task) -> bool:
    """Whether the live database is the backup although an error came: then it came with the commit."""
    found = task.copy.with_name(f"found{task.copy.suffix}")
    try:
        with storage_at(task.live).exclusive() as held:
            held.copy_out(found)
        storage_at(found).make_self_contained()
        return storage_at(found).holds_the_same_as(task.copy)
    except (StorageError, OSError):
        return False
    finally:
        found.unlink(missing_ok=True)


def _once_more(task: Task, kept: Kept, error: BaseException) -> None:
    """After an error at the commit no one knows what is durable: write every page again, or say so."""
    try:
        with storage_at(task.live).exclusive() as held:
            task.copy_in(held)
        files.sync_folder(task.folder)
    except (StorageError, OSError) as second:
        safety = f" The state before is {kept.safety}." if kept.safety else ""
        raise OperatorNeeded(
            f"{task.source.name} was restored, but the disk reported errors at the end ({error}; {second}):"
            f" it may not outlast a power cut.{safety}",
            hint=f"daemon backup restore {shlex.quote(task.source.name)}",
        ) from error


def _contents_of(manifest: Manifest) -> Contents:
    return Contents(
        version=manifest.version,
        fingerprint=manifest.fingerprint,
        is_daemon=True,
        rows=dict(manifest.rows),
        page_size=manifest.page_size,
    )


def _not_ours(live: Path) -> UnknownDatabase:
    quoted = shlex.quote(str(live))
    return UnknownDatabase(
        f"{live} is a database of another program, and a restore would overwrite it; {UNCHANGED}.",
        hint=f"mv {quoted} {quoted}.other   # or set DATABASE_URL to where the database is",
    )
