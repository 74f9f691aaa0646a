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
    lost = find_lost_link(path)
    if lost is not None:
        sentence, hint = lost
        end = " Nothing was changed." if sentence.endswith("?") else "; nothing was changed."
        return Refused(f"{sentence}{end}", hint=f"{hint}   (or set DATABASE_URL to where the database is)")
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


def find_lost_link(path: Path) -> tuple[str, str] | None:
    """Return what is said of a path that is, or is below, a link to nowhere, and what mends it; else None."""
    link = next((one for one in (*reversed(path.parents), path) if _leads_nowhere(one)), None)
    if link is None:
        return None
    target = Path(os.path.normpath(link.parent / link.readlink()))
    which = "is a link" if link == path else f"is below {link}, which is a link"
    if os.path.lexists(target):
        return f"{path} {which} that leads back to itself", f"ls -la {_quoted(link.parent)}"
    return (
        f"{path} {which} to {target}, and that is not there: is a disk not mounted?",
        f"Mount it, then: ls -la {_quoted(target)}",
    )


def _leads_nowhere(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


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
