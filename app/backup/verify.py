"""Backup verification. Is this backup sound? A scratch copy of it is opened, checked and counted."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from app.backup.catalog import WITHOUT_MANIFEST, find_backup, read_known_manifest, sha256_of
from app.backup.create import Contents, examine
from app.backup.manifest import Describe, Manifest
from app.errors import Busy, Damaged, UnknownDatabase
from app.progress import Event, OnEvent, say_nothing
from app.settings import Settings
from app.storage import failures
from app.storage.registry import storage_at, storage_for
from app.storage.types import StorageError
from app.temporary import temporary_folder

_UNCHANGED = "nothing was changed"
_OPENED = "opened as a copy, integrity check passed"


@dataclass(frozen=True)
class Proof:
    """What was found out about a sound backup; ``checks`` says in words what was done.

    ``orphans`` counts the foreign keys that lead nowhere: old servers left some, and they are no damage.
    """

    name: str
    path: Path
    contents: Contents
    orphans: int
    manifest: Manifest | None
    checks: tuple[str, ...]
    seconds: float


def prove_backup(
    settings: Settings, name: str, *, describe: Describe, on_event: OnEvent = say_nothing
) -> Proof:
    """Return the proof that the backup ``name`` can be restored; raises Damaged or UnknownDatabase if not.

    Writes nothing but a private copy in a temporary folder, which is removed. Raises UsageError and
    NotFound for the name, Refused where the copy finds no room.
    """
    began = time.monotonic()
    path = find_backup(settings, name)
    with (
        storage_for(settings.database_url).opening_once(),
        temporary_folder(".daemon-prove-", path.parent, storage_at(path).size_bytes()) as scratch,
        failures.named(scratch, _UNCHANGED),
    ):
        copy = scratch / f"copy{path.suffix}"
        manifest, contents = proved_copy(path, copy, describe, on_event)
        with storage_at(copy).alone() as connection:
            orphans = connection.orphans_count()
    checks = _words(manifest, contents, orphans)
    on_event(Event("result", "prove", f"{path.name} is sound", 100.0))
    return Proof(path.name, path, contents, orphans, manifest, checks, time.monotonic() - began)


def proved_copy(
    source: Path, target: Path, describe: Describe, on_event: OnEvent = say_nothing
) -> tuple[Manifest | None, Contents]:
    """Copy the backup ``source`` to ``target`` and check that very copy, which then needs no sibling.

    With a manifest the bytes and the rows must be those it names. Without one, what is beside the file
    (``-wal``, ``-journal``) is taken in first. Raises Damaged, UnknownDatabase, Busy, OSError, StorageError.
    """
    manifest = read_known_manifest(source)
    _refuse_too_little_room(source, target.parent)
    on_event(Event("phase", "copy", f"copying {source.name}"))
    try:
        if manifest is None:
            _copy_with_siblings(source, target)
            storage_at(target).make_self_contained()
        else:
            _copy_and_compare(source, target, manifest)
        on_event(Event("phase", "check", f"checking {source.name}"))
        contents = examine(target, describe)
    except StorageError as error:
        if not error.is_damage:
            raise
        raise _damaged(source, str(error)) from error
    except Damaged as error:
        raise _damaged(source, error.message) from error
    if not contents.is_daemon:
        raise UnknownDatabase(
            f"{source.name} is not a database of a Daemon; {_UNCHANGED}.", hint="daemon backup list"
        )
    _refuse_other_rows(source, manifest, contents)
    return manifest, contents


def _copy_and_compare(source: Path, target: Path, manifest: Manifest) -> None:
    with target.open("xb") as into:
        os.fchmod(into.fileno(), 0o600)
        found = sha256_of(source, into.write)
    if found != manifest.sha256:
        raise Damaged("its bytes are not those that were checked when it was made")


def _copy_with_siblings(source: Path, target: Path) -> None:
    parts = [source, *storage_at(source).writes_beside()]
    before = [_identity(part) for part in parts]
    for part in parts:
        shutil.copyfile(part, target.with_name(target.name + part.name.removeprefix(source.name)))
    if before != [_identity(part) for part in parts]:
        raise Busy(f"Someone is writing to {source}; {_UNCHANGED}.", hint="daemon backup list")


def _identity(path: Path) -> tuple[int, int, int]:
    known = path.stat()
    return known.st_ino, known.st_size, known.st_mtime_ns


def _refuse_too_little_room(source: Path, folder: Path) -> None:
    needed_bytes = sum(part.stat().st_size for part in [source, *storage_at(source).companions()])
    failures.refuse_if_short(folder, needed_bytes, _UNCHANGED)


def _refuse_other_rows(source: Path, manifest: Manifest | None, contents: Contents) -> None:
    if manifest is None:
        return
    has_other_digests = manifest.digests is not None and dict(manifest.digests) != contents.digests
    if dict(manifest.rows) != contents.rows or has_other_digests:
        raise _damaged(source, "it does not hold the rows that its manifest names")


def _damaged(source: Path, fault: str) -> Damaged:
    return Damaged(f"The backup {source.name} is damaged: {fault}; {_UNCHANGED}.", hint="daemon backup list")


def _words(manifest: Manifest | None, contents: Contents, orphans: int) -> tuple[str, ...]:
    rows = f"{sum(contents.rows.values()):,} rows in {len(contents.rows)} tables"
    how = "restored into a scratch database, each row as it was" if contents.digests else _OPENED
    opened = (how, f"{orphans} foreign keys lead nowhere")
    if manifest is None:
        return (f"{WITHOUT_MANIFEST}: nothing vouches for its bytes", *opened, rows)
    return ("SHA-256 as in its manifest", *opened, f"{rows}, as in its manifest")
