"""Permissions. May this account use a file or folder as it must, and if not: why, and what mends it?

A mode is only one reason. A file system that can only be read, and the marks "immutable" and "append only",
stop root too, and no chown mends them. Looks only.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import struct
from dataclasses import dataclass
from pathlib import Path

from app.disk import account_name
from app.storage.descriptors import opened
from app.storage.mounts import read_only_mount

READ = os.R_OK
WRITE = os.R_OK | os.W_OK
FOLDER = os.R_OK | os.W_OK | os.X_OK
ENTER = os.X_OK

_GET_FLAGS = 0x80086601  # FS_IOC_GETFLAGS of 64-bit Linux
_MARKS = {0x10: ("immutable", "i"), 0x20: ("append only", "a")}


@dataclass(frozen=True)
class Denial:
    """What may not be used so, in a sentence without its full stop, and the command that mends it.

    ``is_lasting`` where no account may, so that putting another file there is no way round.
    """

    path: Path
    sentence: str
    command: str
    is_lasting: bool = False

    @property
    def message(self) -> str:
        """The sentence, to stand alone."""
        return f"{self.sentence[0].upper()}{self.sentence[1:]}."


def find_denial(path: Path, access: int, *, like: Path | None = None) -> Denial | None:
    """Return why this account may not use the existing ``path`` so; None where it may, or none is there.

    ``like`` is the file whose owner and mode it should have.
    """
    closed = _closed_folder_above(path)
    if closed is not None and closed == path.parent:  # its own, and not only one on the way
        return _by_mode(closed, ENTER, like)
    if closed is not None:
        what = f"the account {account_name()} may not go into {closed}, which is above {path.name}"
        return Denial(closed, what, f"sudo chmod a+x {_quoted(closed)}")
    if not os.path.lexists(path):
        return None
    if access & os.W_OK:
        lasting = _read_only(path) or _marked(path)
        if lasting is not None:
            return lasting
    return None if _may(path, access) else _by_mode(path, access, like)


def _may(path: Path, access: int) -> bool:
    return os.access(path, access, effective_ids=os.access in os.supports_effective_ids)


def _closed_folder_above(path: Path) -> Path | None:
    for folder in reversed(path.parents):
        if not _may(folder, os.X_OK):
            return folder if folder.exists() else None
    return None


def _read_only(path: Path) -> Denial | None:
    try:
        is_read_only = bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return None
    if not is_read_only:
        return None
    point, command = read_only_mount(path) or (path, f"ls -la {_quoted(path)}")
    what = f"{path} is on a file system that can only be read (read-only, mounted at {point})"
    in_container = (
        "   (in a container: take `:ro` from that volume; after an error of the disk: dmesg | tail)"
    )
    return Denial(path, what, command + in_container, is_lasting=True)


def _marked(path: Path) -> Denial | None:
    flags = _flags_of(path)
    for bit, (name, letter) in _MARKS.items():
        if flags & bit:
            command = f"sudo chattr -{letter} {_quoted(path)}"
            return Denial(path, f"{path} is marked {name} (chattr +{letter})", command, is_lasting=True)
    return None


def _flags_of(path: Path) -> int:
    """The marks of the file system; 0 where it has none, or does not tell."""
    answer = bytearray(struct.calcsize("l"))
    try:
        with opened(path) as descriptor:
            fcntl.ioctl(descriptor, _GET_FLAGS, answer)
    except OSError:
        return 0
    return int(struct.unpack("l", answer)[0])


def _by_mode(path: Path, access: int, like: Path | None) -> Denial:
    verb = "read and write" if access & os.W_OK else "go into" if access == ENTER else "read"
    what = f"the account {account_name()} may not {verb} {path}"
    mode = "u+rwx" if path.is_dir() else "u+rw" if access & os.W_OK else "u+r"
    place = _quoted(path)
    if path.lstat().st_uid == os.geteuid():
        return Denial(path, what, f"chmod {mode} {place}")
    if like is not None and not path.is_dir() and _may(like, access):
        alike = f"--reference={_quoted(like)} {place}"
        return Denial(path, what, f"sudo chown {alike} && sudo chmod {alike}")
    return Denial(
        path, what, f"sudo chown {shlex.quote(account_name())} {place} && sudo chmod {mode} {place}"
    )


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
