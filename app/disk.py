"""Disk space and account names. How much may still be written there, and whose is what is written?"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
from pathlib import Path


def free_bytes(folder: Path) -> int:
    """Return what this account may still write at ``folder``, or at what exists of it. Raises OSError."""
    return shutil.disk_usage(nearest_existing(folder)).free


def nearest_existing(path: Path) -> Path:
    """Return ``path``, or the nearest thing above it that exists and may be looked at."""
    with contextlib.suppress(PermissionError):
        while not path.exists() and path != path.parent:
            path = path.parent
    return path


def real_path(path: Path) -> Path:
    """Return where ``path`` leads, following links; one that leads back to itself raises nothing."""
    return Path(os.path.realpath(path))


def account_name(number: int | None = None) -> str:
    """Return the name of the account of that number (None is this process's), the number if it has none."""
    number = os.geteuid() if number is None else number
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
