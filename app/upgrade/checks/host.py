"""Host of the database. May this account, disk and engine do what an upgrade needs? Looks only.

Each finding is one sentence and one command to type.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from app.disk import free_bytes, nearest_existing, real_path
from app.errors import Refused
from app.journal import journal_path
from app.sizes import size_in_words
from app.storage.access import FOLDER, WRITE, Denial, find_denial
from app.storage.misplaced import find_lost_link
from app.storage.registry import process_lock_at, storage_at, storage_for
from app.storage.sharing import find_sharing
from app.upgrade.model import Needs, Problem

if TYPE_CHECKING:
    from app.settings import Settings
    from app.storage.engine import StorageEngine

REFUSED_MOUNTS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ncpfs"})
DOUBTFUL_MOUNTS = frozenset({"9p", "virtiofs", "ceph", "glusterfs", "lustre", "gfs2", "ocfs2"})


def about_permissions(settings: Settings) -> list[Problem]:
    """Return everything that an upgrade opens for writing, and that this account may not open so."""
    live = real_path(settings.database_path)
    storage = storage_for(settings.database_url)
    if storage.engine_name != "sqlite":
        return [*_about_server(storage), *_about_backup_folder(settings)]
    wanted = [
        ("The database cannot be written", live, WRITE, "database_not_writable"),
        ("The database's folder cannot be written", live.parent, FOLDER, "data_folder_not_writable"),
        *(
            ("What is beside the database cannot be written", beside, WRITE, "beside_not_writable")
            for beside in storage_at(live).companions()
        ),
    ]
    problems = [
        denied(what, denial, code)
        for what, path, access, code in wanted
        if (denial := find_denial(path, access, like=live))
    ]
    if (process_lock := process_lock_at(live).find_refusal()) is not None:
        problems.append(_refused(process_lock.message, process_lock.hint, code="lock_not_usable"))
    return [*problems, *_about_backup_folder(settings)]


def _about_server(storage: StorageEngine) -> list[Problem]:
    """Return why the role may not change the tables there."""
    refusal = storage.find_refusal()
    return [] if refusal is None else [_refused(refusal.message, refusal.hint, code="database_not_writable")]


def _about_backup_folder(settings: Settings) -> list[Problem]:
    place = nearest_existing(settings.backup_dir)
    code = "backup_folder_not_writable"
    if (lost := find_lost_link(settings.backup_dir)) is not None:
        return [_refused(f"The backup folder is not there: {lost[0]}", lost[1], code=code)]
    if not place.is_dir():
        message = f"The backup folder {settings.backup_dir} cannot be made: {place} is not a folder."
        return [_refused(message, "Set BACKUP_DIR to a folder that can be written.", code=code)]
    if (denial := find_denial(place, FOLDER)) is not None:
        return [denied("The backup folder cannot be written", denial, code)]
    if (denial := find_denial(journal_path(settings), WRITE)) is not None:
        return [denied("The journal of upgrades cannot be written", denial, "journal_not_writable")]
    return []


def denied(what: str, denial: Denial, code: str) -> Problem:
    """Return the finding that something may not be used."""
    return _refused(f"{what}: {denial.sentence}.", denial.command, code=code)


def about_sharing(settings: Settings) -> list[Problem]:
    """Return a blocker where the file alone is mounted, or has a second name."""
    found = find_sharing(settings.database_path)
    return [] if found is None else [_refused(f"{found.sentence}.", found.command, code=found.code)]


def about_place(settings: Settings, mount: str, journal_mode: str) -> list[Problem]:
    """Return a blocker where the database is on a network file system."""
    uses_wal = journal_mode == "wal"
    if mount in REFUSED_MOUNTS or (uses_wal and is_unfit_for_wal(mount)):
        return [
            _refused(
                f"{settings.data_dir} is a network file system ({mount}), where locks and syncs are "
                f"not to be relied on{' in WAL mode' if uses_wal else ''}.",
                "Move the database to a local disk and set DATABASE_URL to it.",
                code="network_filesystem",
            )
        ]
    return []


def is_unfit_for_wal(mount: str) -> bool:
    """Whether a write-ahead log, whose index is shared memory, is not to be relied on there."""
    return mount in REFUSED_MOUNTS or _is_doubtful(mount)


def about_doubtful_place(mount: str) -> list[Problem]:
    """Return a warning where it is on a shared file system."""
    if mount in REFUSED_MOUNTS or not _is_doubtful(mount):
        return []
    return [
        _refused(
            f"The database is on a shared file system ({mount}), which may not keep its promises.",
            "A local disk or a named volume is safer.",
            code="doubtful_filesystem",
        )
    ]


def _is_doubtful(mount: str) -> bool:
    return mount in DOUBTFUL_MOUNTS or mount.startswith("fuse")


def about_engine(settings: Settings) -> list[Problem]:
    """Return a blocker where the database engine is too old."""
    found = storage_for(settings.database_url).find_too_old()
    return [] if found is None else [_refused(found.message, found.hint, code="sqlite_too_old")]


def about_space(settings: Settings, needs: Needs) -> list[Problem]:
    """Return a blocker for each file system that has too little room for what the upgrade needs on it."""
    backups = nearest_existing(settings.backup_dir)
    data = real_path(settings.database_path).parent  # a link may lead to another disk
    if storage_for(settings.database_url).engine_name != "sqlite":
        wanted = {backups: needs.backup_bytes}  # the rest is needed on the server, which does not tell
    elif data.stat().st_dev == backups.stat().st_dev:
        wanted = {data: needs.data_bytes + needs.backup_bytes}
    else:
        wanted = {data: needs.data_bytes, backups: needs.backup_bytes}
    return [
        _refused(
            f"There is not enough room: the upgrade needs {size_in_words(needed)} on the disk of {folder}, "
            f"and {size_in_words(free)} are free.",
            f"Free some (df -h {shlex.quote(str(folder))}), or set BACKUP_DIR to another disk.",
            code="no_space",
        )
        for folder, needed in wanted.items()
        if (free := free_bytes(folder)) < needed
    ]


def refuse_if_short(settings: Settings, needs: Needs) -> None:
    """Raise Refused when a disk has too little room for ``needs``."""
    for problem in about_space(settings, needs):
        raise Refused(problem.message, hint=problem.hint)


def _refused(message: str, hint: str = "", *, code: str) -> Problem:
    return Problem(code, message, hint, Refused.exit_code)


def about_backups(settings: Settings) -> list[Problem]:
    """Return why no backup could be made here, without which nothing is upgraded."""
    found = storage_for(settings.database_url).find_no_backup()
    return [] if found is None else [_refused(found.message, found.hint, code="no_backup_program")]


def about_proof_of_backups(settings: Settings) -> list[Problem]:
    """Return why backups could be made here and not be put back."""
    found = storage_for(settings.database_url).find_unprovable()
    return [] if found is None else [_refused(found.message, found.hint, code="no_createdb")]
