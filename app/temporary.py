"""Temporary folders. Where is there room and permission for a private copy that is thrown away?

In SQLITE_TMPDIR, the backup folder, the folder of the file that is copied, and last where the system keeps
temporary files: a container often has none, or a tiny one, and the other folders have to hold copies anyway.

Who works in such a folder holds a lock (`flock`) on it. The kernel lets go of it when the process is killed,
and the next one that needs a folder there, or does something, clears away what was left.
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.disk import free_bytes
from app.errors import Refused

_preferred: list[Path] = []
_OURS = re.compile(r"\.daemon-[a-z]+-[a-z0-9_]{8}")  # as `mkdtemp` completes a prefix of ours


def prefer(*folders: Path | None) -> None:
    """Say for this process which folders are tried first, in order; an earlier call is forgotten."""
    _preferred[:] = [folder for folder in folders if folder is not None]


@contextmanager
def temporary_folder(prefix: str, near: Path, needed_bytes: int) -> Iterator[Path]:
    """A new private folder with room for ``needed_bytes``; removed at the end, if it is still there.

    ``near`` is the folder of what is copied. The times of the folder that it is in stay as they were.
    Raises Refused, with every place that was tried, where none has room and may be written.
    """
    folder, lock = _made(prefix, [*_preferred, near], needed_bytes)
    try:
        yield folder
    finally:
        remove(folder)
        os.close(lock)


def clear_leftovers(*places: Path) -> None:
    """Remove the temporary folders of processes that were killed, there and in the preferred places."""
    for place in dict.fromkeys([*_preferred, *places]):
        with suppress(OSError):
            found = [folder for folder in place.iterdir() if _OURS.fullmatch(folder.name)]
            for folder in found:
                _clear_if_left(folder)


def remove(folder: Path) -> None:
    """Remove a folder of `temporary_folder` before its time: what is open in it stays open."""
    if not folder.exists():
        return
    with _times_kept(folder.parent):
        shutil.rmtree(folder, ignore_errors=True)


def _made(prefix: str, places: list[Path], needed_bytes: int) -> tuple[Path, int]:
    tried = []
    clear_leftovers(*places)
    for place in dict.fromkeys([*places, *_of_the_system()]):
        try:
            free = free_bytes(place)
            if free < needed_bytes:
                tried.append(f"{place} ({free:,} are free)")
                continue
            with _times_kept(place):
                return _locked_folder(prefix, place)
        except OSError as error:
            tried.append(f"{place} ({error.strerror or error})")
    raise Refused(
        f"There is no room for a private copy ({needed_bytes:,} bytes) in any of {', '.join(tried)}.",
        hint="Make room, or name a folder that has it: SQLITE_TMPDIR="
        f"{shlex.quote(str(places[-1]))} daemon upgrade check",
        needed_bytes=needed_bytes,
    )


def _locked_folder(prefix: str, place: Path) -> tuple[Path, int]:
    """A new folder and the descriptor that holds its lock. Raises OSError."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
        # Before the lock is ours, another process may take it for one that was left, and clear it away.
        with suppress(FileNotFoundError):
            opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            if _has_lock(opened) and folder.exists():
                return folder, opened
            os.close(opened)


def _has_lock(opened: int) -> bool:
    """Take the lock; True too on a file system without locks, where no one clears anything away."""
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _clear_if_left(folder: Path) -> None:
    """Remove it where it is this account's and its lock is free."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if os.fstat(opened).st_uid == os.geteuid():
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(folder)
        finally:
            os.close(opened)


def _of_the_system() -> list[Path]:
    with suppress(OSError):  # FileNotFoundError: none can be written
        return [Path(tempfile.gettempdir())]
    return []


@contextmanager
def _times_kept(folder: Path) -> Iterator[None]:
    """Looking leaves no trace: the folder's times are as before, where this account may set them."""
    before = folder.stat()
    yield
    with suppress(OSError):
        os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))
