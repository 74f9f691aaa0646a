"""Who does the container run as? The owner of the mounted data folder; never root.

A bind mount that the engine had to create belongs to root: it is given to user 1000 first. One that belongs
to someone keeps its owner, and the server runs as that user. Needs the standard library only, and does
nothing but change its own user when the container was started with a user already.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

FALLBACK_ID = 1000
FOLDERS = ("/app/data", "/app/backups", "/app/logs")


def owner_of(folder: Path) -> tuple[int, int]:
    """User and group that the server is to run as: those of the data folder, or 1000 where root owns it."""
    found = folder.stat()
    return (found.st_uid or FALLBACK_ID, found.st_gid or FALLBACK_ID)


def give(folder: Path, user: int, group: int) -> None:
    """Hand what root owns in a mounted folder to the user; leave what belongs to anyone else alone."""
    for path in (folder, *folder.rglob("*")):
        if path.is_symlink() or path.stat().st_uid != 0:
            continue
        os.chown(path, user, group)


def become(user: int, group: int) -> None:
    """Give up root for good."""
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)
    os.environ["HOME"] = "/app"


def main() -> None:
    """Change to the folder's owner and run the command that was given in this process's place."""
    if os.geteuid() == 0:
        user, group = owner_of(Path(FOLDERS[0]))
        for name in FOLDERS:
            try:
                give(Path(name), user, group)
            except OSError as error:
                sys.stderr.write(f"{name}: cannot be given to user {user}: {error.strerror}\n")
        become(user, group)
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        sys.stderr.write(f"Error: the container cannot begin: {error.strerror}{where}.\n")
        sys.stderr.write(
            "Is there a folder /app/data, and may the container change its user (--user, cap_add)?\n"
        )
        sys.exit(15)
