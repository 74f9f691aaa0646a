"""Misplaced database. Is a folder, a socket or a link to nowhere in the database's place?

Docker makes a folder where the file to be mounted does not exist; a disk that is not mounted leaves links
that lead nowhere. Nothing may begin in such a place. Looks only.
"""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from app.errors import Refused


def find_misplacement(path: Path) -> Refused | None:
    """Return why no database can be at ``path``, with what mends it; None for a file or an empty place."""
    link = _dangling_link(path)
    if link is not None:
        return _leads_nowhere(path, link)
    try:
        kind = path.stat().st_mode
    except OSError:
        return None
    if stat.S_ISREG(kind):
        return None
    if stat.S_ISDIR(kind):
        return _is_a_folder(path)
    return Refused(
        f"{path} is {_name_of(kind)}, where the database file should be; nothing was changed.",
        hint=f"ls -la {_quoted(path)}   then move it away, or set DATABASE_URL to where the database is",
    )


def _dangling_link(path: Path) -> Path | None:
    """Return the first of the path and its parents that is a link and leads nowhere."""
    for place in (*reversed(path.parents), path):
        if place.is_symlink() and not place.exists():
            return place
    return None


def _leads_nowhere(path: Path, link: Path) -> Refused:
    target = Path(os.path.normpath(link.parent / link.readlink()))
    whose = "is a link" if link == path else f"is below {link}, which is a link"
    return Refused(
        f"{path} {whose} to {target}, and that is not there: is a disk not mounted? Nothing was changed.",
        hint=f"Mount it, then: ls -la {_quoted(target)}   (or set DATABASE_URL to where the database is)",
    )


def _is_a_folder(path: Path) -> Refused:
    is_empty = _is_empty(path)
    sentence = f"{path} is a folder, where the database file should be; nothing was changed."
    if is_empty:
        sentence += " Docker makes an empty folder where a file that is to be mounted does not exist."
    remove = f"rmdir {_quoted(path)}   then " if is_empty else ""
    return Refused(
        sentence,
        hint=f"{remove}mount the whole data folder (./data:/app/data) and put the database file into it",
    )


def _is_empty(folder: Path) -> bool:
    try:
        return next(folder.iterdir(), None) is None
    except OSError:
        return False


def _name_of(kind: int) -> str:
    names = ((stat.S_ISSOCK, "a socket"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISBLK, "a disk"))
    return next((name for is_one, name in names if is_one(kind)), "a device")


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
