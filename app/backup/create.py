"""How is a backup made? Copied while others write, checked, described, made durable, and only then named.

The order is what makes a kill harmless: everything is done in a workbench; then the manifest is moved into
place, then the file. A backup exists from the moment its `.db` has its name, and by then all of it is on the
disk. What a killed run leaves is a workbench, which no one lists and the next run clears away.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from app import __version__, clock, files, interrupt, journal, log
from app.backup.catalog import Backup, ledger_of, list_backups, sha256_of
from app.backup.manifest import (
    FORMAT,
    FORMAT_OF_DUMPS,
    Describe,
    Manifest,
    check_purpose,
    manifest_path,
    moment_of,
)
from app.backup.order import next_number
from app.backup.ownership import Identity
from app.backup.staging import Workbench, workbench
from app.disk import real_path
from app.erasures import Erasure, ledger_in, merged
from app.errors import Damaged, UnknownDatabase
from app.progress import Event, OnEvent, OnPages, pages_reporter, say_nothing
from app.settings import Settings
from app.storage import failures
from app.storage.registry import DUMP_ENDING, storage_at, storage_for
from app.storage.typed_rows import Digests
from app.storage.types import Soundness, StorageConnection, StorageError

NAMED_ELSEWHERE = frozenset({"upgrade", "before_restore"})
"""Backups that the line of what needed them names in the journal."""
_SPARE_BYTES = 1 << 20
_MOST_FAULTS_SHOWN = 3
_UNCHANGED = "no backup was made; the database is as it was"
_logger = log.get_logger(__name__)

Copy = Callable[[Path, OnPages], Digests | None]
"""Copies the live database into a new file, reporting (pages left, pages in all).

Returns the digests of the very state that is in the file, where the file is a dump.
"""


class OnlineCopy(Protocol):
    """A consistent copy while others write; the storage has it (app/storage/engine.py)."""

    def copy_online(self, target: Path, progress: OnPages) -> Digests | None:
        """Copy the database into the new file ``target``; raises StorageError, OSError or DaemonError."""


@dataclass(frozen=True)
class Contents:
    """What a database holds, as the checks found it."""

    version: str
    fingerprint: str | None
    is_daemon: bool
    rows: dict[str, int]
    page_size: int
    soundness: Soundness = field(default_factory=Soundness, compare=False)
    digests: Mapping[str, str] = field(default_factory=dict)  # by table, of a database on a server
    erased: tuple[Erasure, ...] = field(default=(), compare=False)  # its ledger


def create_backup(
    settings: Settings,
    purpose: str = "manual",
    *,
    describe: Describe,
    identity: Identity | None = None,
    storage: OnlineCopy | None = None,
    on_event: OnEvent = say_nothing,
    may_exist: bool = False,
) -> Backup:
    """Make a verified backup of the configured database and return it, "good".

    Works while others write, and while this or another process holds the write lock: the backup is then the
    state before that transaction. The live file is read through SQLite only, never opened besides.
    Writes ``backup_YYYYMMDD_HHMMSS.db`` (UTC; ``_2``, ``_3`` where the name is taken) and its manifest into
    the backup folder, both durable when it returns. Raises UnknownDatabase when there is nothing to back up
    or it is not a Daemon's, Damaged when the database is, Busy, Refused (space, permission); there is no
    backup then, and the database is as it was.

    ``identity`` says whose it is: the manifest bears its id, and a number that is one more than that of its
    last one. With ``may_exist``, a good backup of it for the same purpose that holds the same pages is
    returned, and none is added: an upgrade that fails again and again must not fill the disk.
    """
    source = storage or storage_for(settings.database_url)
    return make_backup(
        settings,
        purpose,
        source.copy_online,
        describe=describe,
        identity=identity,
        on_event=on_event,
        may_exist=may_exist,
    )


def make_backup(
    settings: Settings,
    purpose: str,
    copy: Copy,
    *,
    describe: Describe,
    identity: Identity | None = None,
    on_event: OnEvent = say_nothing,
    may_exist: bool = False,
) -> Backup:
    """As `create_backup`, with the copy made by ``copy``."""
    check_purpose(purpose)
    began = time.monotonic()
    live = real_path(settings.database_path)
    moment = clock.now().replace(microsecond=0)
    with failures.named(settings.backup_dir, _UNCHANGED), storage_for(settings.database_url).opening_once():
        _refuse_nothing_to_copy(settings)
        files.private_folder(settings.backup_dir)
        _refuse_too_little_room(live, settings.backup_dir)
        ending = ending_of_backups(settings)
        with workbench(settings.backup_dir, "backup", moment, ending) as bench:
            journal_mode, seen = _copied(settings, bench.file, copy, on_event)
            interrupt.stop_if_asked()
            contents = _checked(settings, bench.file, describe, on_event, seen)
            interrupt.stop_if_asked()
            others = list_backups(settings, hashing=False, identity=identity) if identity or may_exist else []
            same = _find_same(others, purpose, bench.file) if may_exist else None
            if same is not None:
                _logger.info("the backup of this state exists: %s", same.path, extra={"backup": same.name})
                return replace(same, soundness=contents.soundness)
            manifest = _manifest_of(settings, bench, moment, purpose, contents, journal_mode)
            if identity is not None:
                number = next_number(others, identity.backups_made)
                erased = tuple(merged(contents.erased, ledger_of(others)))
                manifest = replace(
                    manifest, installation=identity.id_for_manifests, number=number, erased=erased
                )
            _publish(bench, manifest)
    made = Backup(
        name=manifest.file,
        path=bench.finished,
        created_at=moment_of(manifest),
        size_bytes=manifest.size_bytes,
        state="good",
        version=manifest.version,
        purpose=purpose,
        manifest=manifest,
        soundness=contents.soundness,
    )
    _tell(made, time.monotonic() - began, on_event)
    if purpose not in NAMED_ELSEWHERE:
        words = f"a backup was made ({purpose})"
        journal.try_to_write(settings, "backup", to_version=made.version, backup=made.name, message=words)
    return made


def _find_same(backups: list[Backup], purpose: str, copy: Path) -> Backup | None:
    """Return this one's newest backup for that purpose, if it is good and holds what ``copy`` holds."""
    newest = next((one for one in backups if one.whose == "this" and one.purpose == purpose), None)
    if newest is None or newest.manifest is None or not storage_at(newest.path).holds_the_same_as(copy):
        return None
    return newest if sha256_of(newest.path) == newest.manifest.sha256 else None


def examine(path: Path, describe: Describe) -> Contents:
    """Return what the private copy ``path`` holds; it must need no sibling. Writes nothing.

    Raises as `contents_of` does.
    """
    with damage_named(), storage_at(path).alone() as connection:
        return contents_of(connection, describe)


def rows_per_table(connection: StorageConnection) -> dict[str, int]:
    """Count the rows of every table, the owner's included, whatever of the owner's their keys need."""
    with connection.placeholders():
        return {table: connection.count(table) for table in connection.tables()}


@contextlib.contextmanager
def damage_named() -> Iterator[None]:
    """Turn what the engine says of damage into Damaged, with nothing but its words; other errors pass."""
    try:
        yield
    except StorageError as error:
        if error.is_damage:
            raise Damaged(str(error)) from error
        raise


def contents_of(connection: StorageConnection, describe: Describe) -> Contents:
    """Return what a database holds, after its integrity check.

    Raises Damaged, with nothing but the faults as its message, and StorageError for what is no damage.
    """
    with damage_named():
        soundness = connection.soundness()
        faults = soundness.damage
        if faults:
            raise Damaged("; ".join(faults[:_MOST_FAULTS_SHOWN]), faults=list(faults))
        found = describe(connection)
        digests = connection.digests()
        return Contents(
            version=found.version_label,
            fingerprint=found.fingerprint,
            is_daemon=found.is_daemon,
            rows={table: digest.count for table, digest in digests.items()} or rows_per_table(connection),
            page_size=connection.page_bytes(),
            soundness=soundness,
            digests={table: digest.digest for table, digest in digests.items()},
            erased=tuple(ledger_in(connection)),
        )


def ending_of_backups(settings: Settings) -> str:
    """How the names of backups end: a database of SQLite, or a dump of one on a server."""
    return ".db" if storage_for(settings.database_url).engine_name == "sqlite" else DUMP_ENDING


def _refuse_nothing_to_copy(settings: Settings) -> None:
    storage = storage_for(settings.database_url)
    misplacement = storage.find_misplacement()
    if misplacement is not None:
        raise misplacement
    if storage.file_kind() in ("missing", "empty"):
        raise UnknownDatabase(
            f"There is no database at {settings.database_name}: {_UNCHANGED}.",
            hint="daemon init   # or set DATABASE_URL to where the database is",
        )


def _refuse_too_little_room(live: Path, folder: Path) -> None:
    needed_bytes = storage_at(live).size_bytes() + _SPARE_BYTES
    failures.refuse_if_short(folder, needed_bytes, _UNCHANGED)


def _copied(settings: Settings, target: Path, copy: Copy, on_event: OnEvent) -> tuple[str, Digests | None]:
    """Return how the copy keeps its journal, and the digests of the copied state, where it is a dump."""
    what, live = f"copying {settings.database_name}", real_path(settings.database_path)
    on_event(Event("phase", "copy", what))
    with failures.named(live, _UNCHANGED):
        seen = copy(target, pages_reporter(on_event, "copy", what))
        journal_mode = storage_at(target).make_self_contained()
    files.private_file(target, live)
    return journal_mode, seen


def _checked(
    settings: Settings, copy: Path, describe: Describe, on_event: OnEvent, seen: Digests | None
) -> Contents:
    on_event(Event("phase", "check", "checking the copy"))
    unproved = None if seen is None else storage_at(copy).find_unprovable()
    try:
        if seen is None:
            contents = examine(copy, describe)
        elif unproved is None:
            contents = _proved_by_restore(copy, describe, seen)
        else:
            contents = _not_proved(settings, describe, seen, unproved.message)
    except Damaged as error:
        raise Damaged(
            f"The database is damaged, and so is every copy of it: {error.message}; {_UNCHANGED}.",
            hint="daemon backup list   # a good one can be put back with: daemon backup restore NAME",
        ) from error
    if not contents.is_daemon:
        raise UnknownDatabase(
            f"The database is not one of a Daemon: {_UNCHANGED}.", hint="daemon status", rows=contents.rows
        )
    return contents


def _proved_by_restore(copy: Path, describe: Describe, seen: Digests) -> Contents:
    """Return what a dump holds, restored into a scratch database: the rows of the state that was dumped."""
    contents = examine(copy, describe)
    if contents.digests != {table: one.digest for table, one in seen.items()}:
        raise Damaged("what was restored from the copy is not what the database held")
    return contents


def _not_proved(settings: Settings, describe: Describe, seen: Digests, why: str) -> Contents:
    """Return what a dump holds that can be restored nowhere: as its snapshot says, and the live database."""
    with storage_for(settings.database_url).looking() as connection:
        found = describe(connection)
        page_size = connection.page_bytes()
        erased = tuple(ledger_in(connection))
    return Contents(
        version=found.version_label,
        fingerprint=found.fingerprint,
        is_daemon=found.is_daemon,
        rows={table: one.count for table, one in seen.items()},
        page_size=page_size,
        soundness=Soundness(not_proven=(why,)),
        digests={table: one.digest for table, one in seen.items()},
        erased=erased,
    )


def _manifest_of(
    settings: Settings,
    bench: Workbench,
    moment: datetime,
    purpose: str,
    contents: Contents,
    journal_mode: str,
) -> Manifest:
    return Manifest(
        file=bench.finished.name,
        created_at=clock.rfc3339(moment),
        purpose=purpose,
        version=contents.version,
        fingerprint=contents.fingerprint,
        rows=contents.rows,
        sha256=sha256_of(bench.file),
        size_bytes=bench.file.stat().st_size,
        page_size=contents.page_size,
        journal_mode=journal_mode,
        database=settings.database_name,
        digests=contents.digests or None,
        erased=contents.erased,
        format=FORMAT_OF_DUMPS if contents.digests else FORMAT,
        tool_version=__version__,
        sqlite_version=storage_for(settings.database_url).engine_version(),
    )


def _publish(bench: Workbench, manifest: Manifest) -> None:
    """Make it durable, then give it its name: first the manifest, last the file that makes it a backup."""
    folder = bench.finished.parent
    files.sync_file(bench.file)
    draft = bench.folder / "manifest.json"
    files.write_atomically(draft, manifest.as_bytes(), like=Path(manifest.database))
    draft.rename(manifest_path(bench.finished))
    files.sync_folder(folder)
    bench.file.rename(bench.finished)
    files.sync_folder(folder)


def _tell(made: Backup, seconds: float, on_event: OnEvent) -> None:
    _logger.info(
        "backup made: %s",
        made.path,
        extra={
            "backup": made.name,
            "purpose": made.purpose,
            "database_version": made.version,
            "size_bytes": made.size_bytes,
            "seconds": round(seconds, 3),
        },
    )
    on_event(Event("result", "backup", f"backup made: {made.path}", 100.0))
