"""Bind mounts and hard links of the file alone. Is the database reached without what is beside it?

Journal, write-ahead log and lock are found by the file's name, in its folder. Where a container is given the
file alone, they are in the container's own folder and are lost with it; where the file has a second name,
anyone who opens it under that one does not see them, and damages it. Looks only.
"""

from __future__ import annotations

import shlex
import stat
from dataclasses import dataclass
from pathlib import Path

from app.disk import real_path
from app.errors import Refused
from app.storage.mounts import is_mount_point


@dataclass(frozen=True)
class Sharing:
    """How the file is shared, in a sentence without its full stop, and what mends it."""

    code: str
    sentence: str
    command: str

    @property
    def in_words(self) -> str:
        """Both, for the log."""
        return f"{self.sentence}. {self.command}"


def find_sharing(path: Path) -> Sharing | None:
    """Return how the file at ``path``, or where a link there leads, is shared; None where it is not."""
    try:
        real = real_path(path)
        known = real.stat()
    except OSError:
        return None
    if not stat.S_ISREG(known.st_mode):
        return None
    if is_mount_point(real):
        return _mounted_alone(real)
    return _linked(real, known.st_nlink) if known.st_nlink > 1 else None


def refuse_shared(path: Path, state: str) -> None:
    """Raise Refused where the file is shared; ``state`` says in which state things are."""
    found = find_sharing(path)
    if found is not None:
        raise Refused(f"{found.sentence}: {state}.", hint=found.command)


def _mounted_alone(path: Path) -> Sharing:
    file = f"./{path.name}:{path}"
    folder = f"./data:{path.parent}"
    return Sharing(
        "mounted_alone",
        f"{path} is mounted alone, without its folder: its journal, log and lock are in the container's own "
        "layer, are lost with the container and unseen by any other",
        f"Stop the container (it leaves no journal then), put {path.name} into ./data on the host, and mount "
        f"that folder. In compose.yml, under volumes: - {shlex.quote(folder)}   in the place of: "
        f"- {shlex.quote(file)}",
    )


def _linked(path: Path, count: int) -> Sharing:
    place, own = shlex.quote(str(path)), shlex.quote(f"{path}.own")
    return Sharing(
        "hard_links",
        f"{path} has {count} names (hard links): its journal and log are found by the name, so what uses "
        "another name damages it, and what is changed here is changed there too",
        f"To see the others: find / -xdev -samefile {place}   Go on under the one that has a -wal or "
        "-journal beside it. Where none has, and nothing uses the file, give this name a file of its own: "
        f"cp -p {place} {own} && mv {own} {place}",
    )
