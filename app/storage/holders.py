"""Lock holders. Who holds a file at this moment: which process, what it runs, and whose it is?

The kernel lists locks by device and inode in /proc/locks; no file is opened to ask. Where the system does not
tell (another system than Linux, a process of another container), no one is named.
"""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app import control_characters, log_lines
from app.disk import account_name

_LONGEST_COMMAND_CHARACTERS = 80


@dataclass(frozen=True)
class Holder:
    """A process that holds a lock; ``user`` and ``command`` are "" where they are not told."""

    pid: int
    user: str = ""
    command: str = ""

    def __str__(self) -> str:
        command = f": {self.command}" if self.command else ""
        return f"process {self.pid}{f' of {self.user}' if self.user else ''}{command}"


def holders_of_database(path: Path) -> list[Holder]:
    """Return the other processes that have the SQLite database open with a lock on it, by their number."""
    return holders_of(path, path.with_name(path.name + "-shm"))


def holders_of(*paths: Path) -> list[Holder]:
    """Return the other processes that hold a lock on one of the files, by their number."""
    places = {place for place in map(_place_of, paths) if place}
    try:
        lines = Path("/proc/locks").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    # "1: FLOCK  ADVISORY  WRITE 709 08:01:131 0 EOF"; one that only waits has "->" in the second place
    found = [parts for parts in map(str.split, lines) if len(parts) > 5 and parts[1] != "->"]
    pids = {int(parts[4]) for parts in found if parts[5] in places}
    return [_known(pid) for pid in sorted(pids) if pid > 0 and pid != os.getpid()]


def _place_of(path: Path) -> str:
    try:
        known = path.stat()
    except OSError:
        return ""
    return f"{os.major(known.st_dev):02x}:{os.minor(known.st_dev):02x}:{known.st_ino}"


def _known(pid: int) -> Holder:
    process, user, command = Path("/proc") / str(pid), "", ""
    with suppress(OSError):
        words = process.joinpath("cmdline").read_bytes().decode(errors="replace").split("\0")
        command = log_lines.hide_secrets(shlex.join(word for word in words if word))
        user = _name_of(process.stat().st_uid)
    return Holder(pid, user, control_characters.one_line(command)[:_LONGEST_COMMAND_CHARACTERS])


def _name_of(number: int) -> str:
    name = account_name(number)
    return f"user {number}" if name == str(number) else name
