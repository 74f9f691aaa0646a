"""Registry of database engines. Which one serves this URL, or this file?"""

from __future__ import annotations

from pathlib import Path

from app.errors import SettingsError
from app.storage.engine import StorageEngine
from app.storage.schema import Schema
from app.storage.sqlite.files import SIBLINGS

COMPANION_ENDINGS = SIBLINGS
"""How the names of files end that are beside a database and belong to it."""


def storage_for(url: str) -> StorageEngine:
    """The storage engine of a database URL. Raises SettingsError for an engine that is not supported."""
    scheme, _, place = url.partition("://")
    if scheme.partition("+")[0] != "sqlite" or not place.startswith("/"):
        raise SettingsError(
            f"DATABASE_URL must be a file of SQLite, and is of the kind {scheme!r}; PostgreSQL follows.",
            hint="DATABASE_URL=sqlite:///./data/daemon.db",
        )
    return storage_at(Path.cwd() / place.removeprefix("/"))


def storage_at(path: Path) -> StorageEngine:
    """The storage engine of a file that may be a database."""
    from app.storage.sqlite.storage import SQLiteStorage

    return SQLiteStorage(path)


def schema_from_sql(text: str) -> Schema:
    """The schema that these CREATE statements make. Raises StorageError where they are not valid."""
    from app.storage.sqlite.schema import schema_from_sql

    return schema_from_sql(text)
