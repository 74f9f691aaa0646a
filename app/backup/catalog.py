"""Which backups are there, and which of them are sound? Looking writes nothing, anywhere."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from app.backup.manifest import Describe, Manifest, ManifestDamaged, manifest_path, moment_of, read_manifest
from app.backup.order import newest_first
from app.backup.ownership import Identity, Whose
from app.erasures import Erasure, merged
from app.errors import Damaged, NotFound, UsageError
from app.settings import Settings
from app.storage import failures
from app.storage.registry import DUMP_ENDING, storage_at
from app.storage.types import Soundness, StorageError

State = Literal["good", "unproved", "damaged", "foreign"]
WITHOUT_MANIFEST = "without manifest"
_STAMP = re.compile(r"_(\d{8}_\d{6})(?:_\d+)?\.")
_KEPT_ASIDE = re.compile(r"damaged_\d{8}_\d{6}(?:_\d+)?")
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Backup:
    """A file in the backup folder that is a backup, or may be one.

    ``state`` is "good" when the file is byte for byte what was checked when it was made; "unproved" when
    nothing speaks against it and nothing vouches for it; "damaged"; or "foreign", not a database at all.
    """

    name: str
    path: Path
    created_at: datetime
    size_bytes: int
    state: State
    note: str = ""
    version: str | None = None
    purpose: str | None = None
    manifest: Manifest | None = None
    whose: Whose = "this"
    soundness: Soundness = field(default_factory=Soundness)  # as the check found it when this process made it

    @property
    def number(self) -> int | None:
        """The how manieth of its installation it is; None where that was not counted yet."""
        return None if self.manifest is None else self.manifest.number


def ledger_of(backups: Iterable[Backup]) -> list[Erasure]:
    """Return what was erased, as the manifests of backups tell it."""
    return merged(*(one.manifest.erased for one in backups if one.manifest is not None))


def list_backups(
    settings: Settings,
    *,
    describe: Describe | None = None,
    hashing: bool = True,
    identity: Identity | None = None,
) -> list[Backup]:
    """Return the backups in the backup folder, newest first; none where there is no folder.

    With ``hashing`` every file that has a manifest is read and compared with it; without, it is "unproved" at
    best, which is quick. ``describe`` gives the version of files without a manifest. ``identity`` says whose
    each is, this one's first; without it all count as this one's. Neither a file nor a time stamp is written.
    Raises Refused when the folder may not be read.
    """
    folder = settings.backup_dir
    with failures.named(folder, "the backups cannot be listed"):
        if not folder.exists():
            return []
        found = [_look_at(path, describe, hashing) for path in _candidates(folder, settings.database_path)]
        if identity is not None:
            found = [replace(one, whose=identity.owner_of(one.path, one.manifest)) for one in found]
        found += [_kept_aside(path) for path in folder.iterdir() if _KEPT_ASIDE.fullmatch(path.name)]
    return newest_first(found)


def find_backup(settings: Settings, name: str, *, allow_outside: bool = False) -> Path:
    """Return the file that ``name`` means: a plain file that is directly in the backup folder.

    A path is taken too, as the shell completes it, when it leads into that folder. Raises UsageError for a
    name that leads elsewhere, a link, or the live database, NotFound where there is nothing.
    ``allow_outside`` lets a path lead anywhere.
    """
    folder = settings.backup_dir
    if not name or "\0" in name:
        raise UsageError("A backup has a name; nothing was changed.", hint="daemon backup list")
    path = _within(folder, name) or (Path.cwd() / name if allow_outside else None)
    if path is None:
        raise UsageError(
            f"{name} is not in the backup folder {folder}; nothing was changed.",
            hint=f"cp {shlex.quote(name)} {shlex.quote(str(folder))}/",
        )
    with failures.named(folder, "nothing was changed"):
        _refuse_what_is_no_plain_file(path, folder, settings.database_path)
    return path


def find_newest_good(
    settings: Settings, made_by: datetime | None = None, identity: Identity | None = None
) -> Backup | None:
    """Return this installation's newest backup that is byte for byte what was checked; reads few files.

    Those that say they were made after ``made_by`` are passed over: a clock was wrong then. Raises Refused.
    """
    for backup in list_backups(settings, hashing=False, identity=identity):
        is_candidate = backup.whose == "this" and backup.manifest is not None
        if is_candidate and (made_by is None or backup.created_at <= made_by):
            with failures.named(settings.backup_dir, "the backups cannot be listed"):
                known = _look_at(backup.path, None, True)
            if known.state == "good":
                return known
    return None


def read_known_manifest(path: Path) -> Manifest | None:
    """Return the manifest of the backup ``path``, None without one; raises Damaged when it was changed."""
    try:
        return read_manifest(manifest_path(path))
    except ManifestDamaged as error:
        raise _damaged_manifest(manifest_path(path), error) from error


def sha256_of(path: Path, each: Callable[[bytes], object] = lambda part: None) -> str:
    """Return the SHA-256 of a file's bytes; ``each`` is called with every part that is read."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while part := file.read(_CHUNK_BYTES):
            digest.update(part)
            each(part)
    return digest.hexdigest()


def _candidates(folder: Path, live: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        # The live database may be in this folder. It must not even be opened here: closing a plain
        # descriptor of it would drop the locks that SQLite holds on it in this process.
        if (
            path.is_file()
            and not _is_same(path, live)
            and (path.suffix in (".db", DUMP_ENDING) or _is_database(path))
        ):
            yield path


def _look_at(path: Path, describe: Describe | None, hashing: bool) -> Backup:
    try:
        manifest = read_manifest(manifest_path(path))
    except ManifestDamaged as error:
        return _backup(path, "damaged", str(error))
    except OSError as error:
        return _backup(path, "unproved", f"its manifest cannot be read: {error.strerror}")
    if path.is_symlink():
        return _backup(path, "foreign", "a link, not a file")
    if manifest is None:
        return _without_manifest(path, describe)
    state, note = _compared(path, manifest, hashing)
    return Backup(
        name=path.name,
        path=path,
        created_at=moment_of(manifest),
        size_bytes=path.stat().st_size,
        state=state,
        note=note,
        version=manifest.version,
        purpose=manifest.purpose,
        manifest=manifest,
    )


def _compared(path: Path, manifest: Manifest, hashing: bool) -> tuple[State, str]:
    size_bytes = path.stat().st_size
    if size_bytes != manifest.size_bytes:
        return "damaged", f"{size_bytes:,} bytes, {manifest.size_bytes:,} when it was made"
    if not hashing:
        return "unproved", ""
    try:
        same = sha256_of(path) == manifest.sha256
    except PermissionError as error:
        return "unproved", f"cannot be read: {error.strerror}"
    except OSError as error:
        return "damaged", f"cannot be read: {error.strerror}"
    return ("good", "") if same else ("damaged", "not the bytes that were checked when it was made")


def _without_manifest(path: Path, describe: Describe | None) -> Backup:
    storage = storage_at(path)
    try:
        kind = storage.file_kind()
    except OSError as error:
        return _backup(path, "unproved", f"{WITHOUT_MANIFEST}; cannot be read: {error.strerror}")
    if kind != "database":
        return _backup(path, "foreign", f"{WITHOUT_MANIFEST}; not a database")
    missing_bytes = storage.missing_bytes()
    if missing_bytes > 0:
        return _backup(path, "damaged", f"{WITHOUT_MANIFEST}; {missing_bytes:,} bytes are missing at its end")
    if path.suffix == DUMP_ENDING:  # to see more, it would have to be restored somewhere
        return _backup(path, "unproved", f"{WITHOUT_MANIFEST}; a dump of PostgreSQL")
    if describe is None:
        return _backup(path, "unproved", WITHOUT_MANIFEST)
    return _described(path, describe)


def _described(path: Path, describe: Describe) -> Backup:
    try:
        with storage_at(path).looking() as connection:
            found = describe(connection)
    except (StorageError, OSError) as error:
        return _backup(path, "damaged", f"{WITHOUT_MANIFEST}; {error}")
    if not found.is_daemon:
        return _backup(path, "foreign", f"{WITHOUT_MANIFEST}; a database, but not one of a Daemon")
    return _backup(path, "unproved", WITHOUT_MANIFEST, found.version_label)


def _backup(path: Path, state: State, note: str, version: str | None = None) -> Backup:
    known = path.lstat()
    return Backup(path.name, path, _made_at(path, known.st_mtime), known.st_size, state, note, version)


def _kept_aside(folder: Path) -> Backup:
    known = folder.stat()
    sizes = [path.stat().st_size for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    made_at = datetime.fromtimestamp(known.st_mtime, UTC)
    note = "a damaged database as it was before a restore, kept aside"
    return Backup(folder.name, folder, made_at, sum(sizes), "damaged", note, purpose="before_restore")


def _made_at(path: Path, modified: float) -> datetime:
    """The old server wrote the local time into its names; the file's own time may be that of a copy."""
    if match := _STAMP.search(path.name):
        with contextlib.suppress(ValueError, OverflowError):
            return datetime.strptime(match[1], "%Y%m%d_%H%M%S").astimezone(UTC)
    return datetime.fromtimestamp(modified, UTC)


def _is_database(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return storage_at(path).file_kind() == "database"
    return False


def _is_same(path: Path, other: Path) -> bool:
    with contextlib.suppress(OSError):
        return path.samefile(other)
    return False


def _within(folder: Path, name: str) -> Path | None:
    """The file of that name in the folder, or None when the name leads elsewhere."""
    if "/" not in name:
        return folder / name if name not in (".", "..") else None
    given = Path.cwd() / name
    with contextlib.suppress(OSError):
        if given.name not in (".", "..") and given.parent.samefile(folder):
            return folder / given.name
    return None


def _refuse_what_is_no_plain_file(path: Path, folder: Path, live: Path) -> None:
    if not os.path.lexists(path):
        if not folder.exists():
            raise _no_backup_folder(folder)
        raise NotFound(f"There is no backup {path.name} in {folder}.", hint="daemon backup list")
    if not stat.S_ISREG(path.lstat().st_mode):
        raise UsageError(
            f"{path} is a link, a folder or a device, not a backup; nothing was changed.",
            hint="daemon backup list",
        )
    if _is_same(path, live):
        raise UsageError(
            f"{path} is the live database itself; nothing was changed.", hint="daemon backup list"
        )


def _damaged_manifest(path: Path, error: Exception) -> Damaged:
    quoted = shlex.quote(str(path))
    return Damaged(
        f"{path}: {error}; nothing was changed.",
        hint=f"mv {quoted} {quoted}.odd   # then the file counts as one without manifest",
    )


def _no_backup_folder(folder: Path) -> NotFound:
    return NotFound(
        f"There is no backup folder {folder}; nothing was changed.",
        hint="daemon backup create   # or set BACKUP_DIR to the folder that holds the backups",
    )
