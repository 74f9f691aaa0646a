"""How does a file get onto the disk whole, private and owned by the right account?

Rules that hold for every file this project makes: readable by its owner only; made by root, it gets the
owner of the folder it lies in (so that `sudo daemon ...` leaves nothing behind that the service cannot
read); replaced in one step, and durable before anybody is told so.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def private_file(path: Path) -> None:
    """Make ``path`` readable by its owner only and, when run as root, owned by its folder's owner.

    A symbolic link, and whatever is not a plain file, is left alone. Raises OSError (FileNotFoundError where
    there is none).
    """
    _settle(path, PRIVATE_FILE)


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
        _settle(folder, PRIVATE_FOLDER)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "Not a directory", str(path))


def write_atomically(path: Path, content: bytes, mode: int = PRIVATE_FILE) -> None:
    """Put ``content`` into ``path`` in one step: a reader sees the old file or the new one, whole.

    Durable when it returns. Raises OSError; ``path`` is then as it was, or (only if the very last sync of
    the folder failed) already the new one.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        opened = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        try:
            _write_all(opened, content)
            _give_to_folder_owner(opened, path.parent)
            os.fchmod(opened, mode)
            os.fsync(opened)
        finally:
            os.close(opened)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def append_line(path: Path, text: str) -> None:
    """Add ``text`` as one line to the end of ``path``, durable when it returns.

    Makes the file (mode 0600) where there is none. A line that an earlier crash cut short is closed first,
    so that it spoils nothing but itself. Raises OSError.
    """
    is_new = not path.exists()
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    opened = os.open(path, flags, PRIVATE_FILE)
    try:
        if is_new:
            _give_to_folder_owner(opened, path.parent)
        start = b"" if _ends_with_newline(opened) else b"\n"
        _write_all(opened, start + text.replace("\n", " ").encode() + b"\n")
        os.fsync(opened)
    finally:
        os.close(opened)
    if is_new:
        sync_folder(path.parent)


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


def _give_to_folder_owner(opened: int, folder: Path) -> None:
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(opened, owner.st_uid, owner.st_gid)


def _settle(path: Path, mode: int) -> None:
    """Set mode and owner of a plain file or a folder by name, without opening it.

    An ordinary descriptor would do harm: closing one of the live database drops the locks that SQLite holds
    on it in this process. Linux's O_PATH does not, and nobody can slip in a link between look and change.
    """
    if not hasattr(os, "O_PATH"):
        _change(path, path.lstat().st_mode, mode, path.parent)
        return
    opened = os.open(path, os.O_PATH | os.O_NOFOLLOW)
    try:
        _change(Path(f"/proc/self/fd/{opened}"), os.fstat(opened).st_mode, mode, path.parent)
    finally:
        os.close(opened)


def _change(path: Path, kind: int, mode: int, folder: Path) -> None:
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        return
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
    if stat.S_IMODE(kind) != mode:
        path.chmod(mode)
