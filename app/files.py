"""File writes (atomic, fsync, permissions). How does a file get onto the disk whole, private, rightly owned?

Rules that hold for every file this project makes: readable by its owner only, and by the group where the
operator shares the database with one; made by root, it gets the owner of the database, or of the folder it
is in (so that `sudo daemon ...` leaves nothing behind that the service cannot read); replaced in one step,
and durable before anyone is told so. What is there already keeps its owner and its group's access.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
OTHERS = stat.S_IRWXO
_GROUP_MAY = stat.S_IRGRP | stat.S_IWGRP


def private_file(path: Path, like: Path | None = None) -> None:
    """Make the new file ``path`` readable by its owner only and, when run as root, give it to its folder's.

    With ``like``, the database, it gets the owner and group of that file instead, unless it is root's alone;
    and the group may read and write it where it may write the database: that is how several accounts share
    one. A symbolic link, and whatever is not a plain file, is left alone. Raises OSError (FileNotFoundError
    where there is none).
    """
    owner = _owner_for(path, like)
    with _without_opening(path) as (place, known):
        if stat.S_ISREG(known.st_mode):
            _give(place, known, owner)


def take_access_of(path: Path, before: Path) -> None:
    """Give the new file ``path``, which will take the place of ``before``, the owner and group of that one.

    The group may do what it could, everyone else nothing. Where there is no ``before`` it is as
    `private_file` says. Raises OSError.
    """
    owner = _owner_for(path, None)
    with contextlib.suppress(FileNotFoundError):
        model = before.stat()
        owner = _Owner(model.st_uid, model.st_gid, model.st_mode & _GROUP_MAY, True)
    with _without_opening(path) as (place, known):
        if stat.S_ISREG(known.st_mode):
            _give(place, known, owner)


def close_to_others(path: Path) -> bool:
    """Take from everyone but owner and group what they may do with ``path``, file or folder.

    Returns whether they could do anything. Links, and whatever is neither file nor folder, are left alone.
    Raises OSError.
    """
    with _without_opening(path) as (place, known):
        mode = stat.S_IMODE(known.st_mode)
        is_ours = stat.S_ISREG(known.st_mode) or stat.S_ISDIR(known.st_mode)
        if not is_ours or not mode & OTHERS:
            return False
        place.chmod(mode & ~OTHERS)
        return True


def private_folder(path: Path) -> None:
    """Make the folder ``path`` and what is missing above it, mode 0700; folders that exist stay as they are.

    Made by root, each gets the owner of the folder above it. Raises OSError.
    """
    missing: list[Path] = []
    here = path
    while not here.exists():
        missing.append(here)
        here = here.parent
    for folder in reversed(missing):
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        settle_folder(folder)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "Not a directory", str(path))


def write_atomically(path: Path, content: bytes, mode: int = PRIVATE_FILE, like: Path | None = None) -> None:
    """Put ``content`` into ``path`` in one step: a reader sees the old file or the new one, whole.

    With ``like`` it belongs to whom that file belongs to, as in `private_file`. Durable when it returns.
    Raises OSError; ``path`` is then as it was, or (only if the very last sync of the folder failed) already
    the new one.
    """
    write_pieces(path, (content,), mode, like)


def write_pieces(
    path: Path, pieces: Iterable[bytes], mode: int = PRIVATE_FILE, like: Path | None = None
) -> None:
    """As `write_atomically`, of content that comes piece by piece; what stops that leaves no part of it."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        opened = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        try:
            for piece in pieces:
                _write_all(opened, piece)
            os.fchmod(opened, mode)
            _give(opened, os.fstat(opened), _owner_for(path, like), mode)
            os.fsync(opened)
        finally:
            os.close(opened)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def append_line(path: Path, text: str, like: Path | None = None) -> None:
    """Add ``text`` as one line to the end of ``path``, durable when it returns.

    Makes the file where there is none; it is as `private_file` says. A line that an earlier crash cut short
    is closed first, so that it spoils nothing but itself. Raises OSError.
    """
    is_new = not path.exists()
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    opened = os.open(path, flags, PRIVATE_FILE)
    try:
        if is_new:
            _give(opened, os.fstat(opened), _owner_for(path, like))
        start = b"" if _ends_with_newline(opened) else b"\n"
        _write_all(opened, start + text.replace("\n", " ").encode() + b"\n")
        os.fsync(opened)
    finally:
        os.close(opened)
    if is_new:
        sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Make the content of the file ``path`` durable; its name is `sync_folder`'s. Raises OSError."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def sync_folder(path: Path) -> None:
    """Make the names in the folder ``path`` durable; nothing where its file system cannot. Raises OSError."""
    opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(opened)


def _ends_with_newline(opened: int) -> bool:
    size_bytes = os.fstat(opened).st_size
    return size_bytes == 0 or os.pread(opened, 1, size_bytes - 1) == b"\n"


def _write_all(opened: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(opened, left) :]


@dataclass(frozen=True)
class _Owner:
    """Whom a new file belongs to, and what its group may do with it; ``is_told``: a file says so."""

    user: int
    group: int
    group_may: int
    is_told: bool


def _owner_for(path: Path, like: Path | None) -> _Owner:
    if like is not None:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            known = like.stat()
            is_shared = bool(stat.S_ISREG(known.st_mode) and known.st_mode & stat.S_IWGRP)
            if is_shared or known.st_uid != 0:  # root's alone, it says nothing of whom the service is
                return _Owner(known.st_uid, known.st_gid, _GROUP_MAY if is_shared else 0, True)
    known = path.parent.stat()
    return _Owner(known.st_uid, known.st_gid, 0, False)


def _give(place: Path | int, known: os.stat_result, owner: _Owner, mode: int = PRIVATE_FILE) -> None:
    """Give a file to its owner; the group gets its access only where the file is that group's by then."""
    group = known.st_gid
    if os.geteuid() == 0:
        os.chown(place, owner.user, owner.group)
        group = owner.group
    elif owner.is_told and group != owner.group:
        with contextlib.suppress(PermissionError):  # of a group that this account is not in
            os.chown(place, -1, owner.group)
            group = owner.group
    wanted = mode | (owner.group_may if group == owner.group else 0)
    if stat.S_IMODE(known.st_mode) != wanted:
        os.chmod(place, wanted)  # noqa: PTH101 a descriptor is no path


def settle_folder(path: Path) -> None:
    """Give the new folder ``path`` its mode and, made by root, the owner of the folder above it."""
    owner = _owner_for(path, None)
    with _without_opening(path) as (place, known):
        if stat.S_ISDIR(known.st_mode):
            _give(place, known, owner, PRIVATE_FOLDER)


@contextlib.contextmanager
def _without_opening(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Give an address of ``path`` at which its mode can be changed, and what it is now, without opening it.

    An ordinary descriptor would do harm: closing one of the live database drops the locks that SQLite holds
    on it in this process. Linux's O_PATH does not, and no one can slip in a link between look and change.
    Errors name ``path``, whatever address the system was given.
    """
    opened = os.open(path, os.O_PATH | os.O_NOFOLLOW) if hasattr(os, "O_PATH") else None
    try:
        if opened is None:
            yield path, path.lstat()
        else:
            address = Path(f"/proc/self/fd/{opened}")
            yield (address if os.path.lexists(address) else path), os.fstat(opened)  # no /proc in some jails
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        if opened is not None:
            os.close(opened)
