"""Signing secret. What are tokens signed with? The operator's own, or one made once and kept in a file."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from app.files import private_folder, sync_folder, write_atomically
from app.log import get_logger
from app.published_secrets import why_known
from app.settings import Settings

MADE_BYTES = 32

_log = get_logger(__name__)


def signing_secret(settings: Settings) -> str:
    """Return the secret of this installation; makes ``data/secret_key`` (0600) where none is given.

    What someone put there and anyone may know is replaced. Raises OSError where the file can be neither
    read nor made.
    """
    if settings.secret_key:
        return settings.secret_key
    why = why_known(read_line(settings.secret_path) or secrets.token_urlsafe(MADE_BYTES))
    if why:
        _log.warning("The secret in the file secret_key %s; it is replaced by a generated one.", why)
        settings.secret_path.unlink(missing_ok=True)
    return read_or_make(settings.secret_path)


def read_or_make(path: Path) -> str:
    """Return the random line in ``path``; of several processes that find none, exactly one makes it."""
    found = read_line(path)
    if found:
        return found
    private_folder(path.parent)  # there, unless the database is on a server and this machine a new one
    made = path.with_name(f".{path.name}.{secrets.token_hex(4)}.made")
    write_atomically(made, secrets.token_urlsafe(MADE_BYTES).encode() + b"\n")
    try:
        _give_name(made, path)
    finally:
        made.unlink(missing_ok=True)
    sync_folder(path.parent)
    return read_line(path)


def replace_line(path: Path) -> str:
    """Put another random line into ``path``, and return it."""
    made = secrets.token_urlsafe(MADE_BYTES)
    write_atomically(path, made.encode() + b"\n")
    sync_folder(path.parent)
    return made


def read_line(path: Path) -> str:
    """Return the text in ``path``, empty where there is no file or nothing in it."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return ""


def _give_name(made: Path, path: Path) -> None:
    try:
        os.link(made, path)
    except FileExistsError:
        if not read_line(path):  # left empty by a crash of something else
            made.replace(path)
    except OSError:  # a file system without links: of two writers at once the last wins
        made.replace(path)
