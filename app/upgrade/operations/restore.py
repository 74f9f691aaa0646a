"""Restore operation. How is a backup put back so that the server does not upgrade it again by itself?

A person who restores an older database wants it. The hold is set before the database is touched, because a
server that wakes up in between must not upgrade what was just put back, and is taken away again if the
restore is refused.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from app import files, interrupt, journal, log
from app.backup.catalog import find_backup, read_known_manifest
from app.backup.restore.job import UNCHANGED
from app.backup.restore.restore import Restored, refuse_other_engine, refuse_unwritable, restore_backup
from app.disk import real_path
from app.errors import DaemonError, OtherInstallation
from app.progress import OnEvent, say_nothing
from app.storage import failures
from app.storage.registry import DUMP_ENDING, storage_at, storage_for
from app.storage.sharing import refuse_shared
from app.storage.types import StorageError
from app.upgrade.detect.recognise import describe, is_past
from app.upgrade.operations.erase_again import erase_again, known_erasures
from app.upgrade.operations.kept_erasures import forget_erased
from app.upgrade.operations.moving import Moving, find_moving
from app.upgrade.plan import look
from app.upgrade.records import auto_upgrade_block
from app.upgrade.records.moved import refuse_moved
from app.upgrade.versions.releases import NEWEST, version_key

if TYPE_CHECKING:
    from pathlib import Path

    from app.erasures import Erasure
    from app.settings import Settings

_logger = log.get_logger(__name__)


def restore_and_hold(
    settings: Settings,
    name: str,
    *,
    allow_outside: bool = False,
    other_installation: bool = False,
    on_event: OnEvent = say_nothing,
) -> Restored:
    """Make the database that of the backup ``name``; when that is an older one, set the hold.

    Into a database without accounts comes another installation's backup with its id: that is how one moves to
    a new machine. Over accounts it comes only with ``other_installation``, and the id stays the one of here.

    Raises OtherInstallation, what `restore_backup` raises, and OSError where the hold cannot be written; the
    database and the hold are then as they were; Interrupted too, but from the moment on in which the database
    is written to, signals change nothing.
    """
    with interrupt.interruptible(), storage_for(settings.database_url).opening_once():
        refuse_moved(settings)
        source = find_backup(settings, name, allow_outside=allow_outside)
        refuse_other_engine(settings, source)
        moving = find_moving(settings, source)
        if moving.is_over_others and not other_installation:
            raise _of_another(source, settings)
        return _restored_and_held(settings, name, source, allow_outside, on_event, moving)


def _restored_and_held(
    settings: Settings, name: str, source: Path, allow_outside: bool, on_event: OnEvent, moving: Moving
) -> Restored:
    ledger, erased = known_erasures(settings, moving), list[int]()

    def prepare(copy: Path) -> bool:
        had_logins = moving.prepare(copy)
        erased.append(erase_again(copy, ledger, moving.id_of_source()))
        return had_logins or bool(ledger)

    with held_when(is_older(source), settings, f"the backup {source.name} of an older version was restored"):
        done = restore_backup(
            settings,
            name,
            describe=describe,
            allow_outside=allow_outside,
            on_event=on_event,
            prepare=prepare,
            identity=moving.identity_afterwards(),
            refuse=partial(refuse_moved, settings),
        )
    _forget_in_files(settings, ledger, moving)
    journal.try_to_write(
        settings,
        "restored",
        from_version=done.before.version if done.before else None,
        to_version=done.now.version,
        backup=done.safety,
        message=f"{done.name} was restored",
        restored=done.name,
        erased_again=sum(erased),
        installation=moving.id_afterwards(),
    )
    return done


def _forget_in_files(settings: Settings, ledger: list[Erasure], moving: Moving) -> None:
    """Have what was erased leave the files beside the database, too; else the server does it."""
    try:
        with storage_for(settings.database_url).looking() as connection:
            forget_erased(settings.database_path, connection, ledger, moving.id_of_source() or "")
    except (StorageError, DaemonError, OSError) as error:
        _logger.warning("files beside the database may hold what was erased: %s", error)


def _of_another(source: Path, settings: Settings) -> OtherInstallation:
    return OtherInstallation(
        f"{source.name} is a backup of another installation, and {settings.database_name} has people of its"
        " own: nothing was changed.",
        hint=f"To put the other one's people and entries in their place:"
        f" daemon backup restore {shlex.quote(source.name)} --other-installation",
    )


def is_older(path: Path) -> bool:
    """Return whether the database in the file ``path`` is one that an upgrade would change."""
    manifest = read_known_manifest(path) if path.suffix == DUMP_ENDING else None
    if manifest is not None and version_key(manifest.version) > (
        -1,
    ):  # else it would have to be restored to be asked
        return version_key(manifest.version) < version_key(NEWEST)
    known = look(storage_at(path)).recognition
    return known.kind == "daemon" and not is_past(known, NEWEST)


@contextmanager
def held_when(wanted: bool, settings: Settings, reason: str) -> Iterator[None]:
    """Set the hold for what is done within; when that fails, the hold is as it was before.

    Raises Refused where the database or the hold cannot be written.
    """
    if not wanted:
        yield
        return
    refuse_shared(settings.database_path, UNCHANGED)
    refuse_unwritable(real_path(settings.database_path))
    files.private_folder(settings.data_dir)  # a new machine has none yet
    before = auto_upgrade_block.find_hold(settings)
    with failures.named(settings.hold_path, UNCHANGED):
        auto_upgrade_block.set_hold(settings, reason)
    try:
        yield
    except BaseException:
        if before is None:
            auto_upgrade_block.clear_hold(settings)
        else:
            auto_upgrade_block.set_hold(settings, before.reason)
        raise
