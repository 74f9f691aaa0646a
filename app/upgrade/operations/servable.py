"""Servable backups. Can this Daemon serve what is in a backup, by itself or after an upgrade?

Where it cannot, putting it back leaves a server that answers 503 until another version is installed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import __version__
from app.backup.catalog import read_known_manifest
from app.errors import DaemonError, NewerDatabase, UnusableSchema
from app.storage.registry import DUMP_ENDING, storage_at
from app.upgrade.versions.releases import NEWEST, SCHEMA_VERSIONS, version_key

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings


_SCHEMA_NUMBER = re.compile(r"schema number (\d+),")


@dataclass(frozen=True)
class Unservable:
    """Why what is in a backup cannot be served: a sentence, and the error that says it."""

    sentence: str
    error: type[DaemonError]


def find_unservable(settings: Settings, backup: Path) -> Unservable | None:
    """Return why this Daemon could not serve the database in the file; None where it could, or is damaged."""
    if backup.suffix == DUMP_ENDING:
        return _by_manifest(backup)
    from app.upgrade.checks import soundness  # here: whoever lists backups asks only `is_newer`
    from app.upgrade.plan import look

    facts = look(storage_at(backup))
    known = facts.recognition
    unread = [one for one in facts.unusable if not one.lacks]
    if known.kind == "newer":
        sentence = f"{backup.name} was written by a newer Daemon ({known.label}); {_cannot()}"
        return Unservable(sentence, NewerDatabase)
    if unread:
        sentence = f"{backup.name}: {soundness.unread_sentence(settings, unread[0])}; {_cannot()}"
        return Unservable(sentence, UnusableSchema)
    if known.kind == "not_proven":
        sentence = f"{backup.name} cannot be read as a whole by this SQLite ({known.label}); {_cannot()}"
        return Unservable(sentence, UnusableSchema)
    return None


def _by_manifest(backup: Path) -> Unservable | None:
    """The same of a dump, by its manifest: it would have to be restored somewhere to be asked."""
    manifest = read_known_manifest(backup)
    if manifest is None or not is_newer(manifest.version):
        return None
    sentence = f"{backup.name} was written by a newer Daemon ({manifest.version}); {_cannot()}"
    return Unservable(sentence, NewerDatabase)


def is_newer(version: str | None) -> bool:
    """Return whether a backup's version, as its manifest tells it, is past what this Daemon knows."""
    if number := _SCHEMA_NUMBER.match(version or ""):
        return int(number[1]) > SCHEMA_VERSIONS[-1].user_version
    words = (version or "").replace(",", " ").split()  # a label may say how it is known, after a comma
    return bool(words) and version_key(words[0]) > version_key(NEWEST)


def _cannot() -> str:
    return f"this Daemon ({__version__}) cannot serve it, and answers 503 while it is in place"
