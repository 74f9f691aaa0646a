"""A database that is behind, on either engine: how do tests make one of 0.5.0, and see what is in it?"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from app.settings import Settings
from app.storage.registry import storage_for
from app.storage.types import Row, StorageConnection
from app.upgrade.detect.recognise import recognise
from app.upgrade.model import Plan
from app.upgrade.steps.apply import apply
from app.upgrade.steps.steps import steps_between
from app.upgrade.versions.releases import FIRST_ON_SERVERS
from tests.databases import Databases, PostgreSQLDatabases
from tests.postgresql import template

ENTRIES = 5


def make_older(url: str) -> None:
    """Make a database of the oldest version that there is on a server, with a person and some entries."""
    storage = storage_for(url)
    if storage.engine_name == "sqlite":
        storage.path.parent.mkdir(parents=True, exist_ok=True)
        storage.path.touch()
    with storage.migration_connection() as migration:
        nothing = recognise(migration)
        apply(migration, nothing, Plan(nothing, FIRST_ON_SERVERS, steps_between(nothing, FIRST_ON_SERVERS)))
        migration.execute(
            "INSERT INTO users (id, username, email, hashed_password, is_active, is_admin)"
            " VALUES (1, 'ann', 'ann@example.org', 'x', 1, 1)"
        )
        for number in range(ENTRIES):
            migration.execute(
                "INSERT INTO data_entries (id, endpoint_id, data, is_active, created_by_id, visibility)"
                " VALUES (:id, 1, :data, 1, 1, 'public')",
                {"id": number + 1, "data": json.dumps({"title": f"Ünïcode {number} % :x"})},
            )
        migration.commit_durably()


def place_older(databases: Databases, folder: Path, base: Path) -> str:
    """The URL of such a database: a copy of one that was made once."""
    if isinstance(databases, PostgreSQLDatabases):
        return databases.copy_of(template(databases.server, "older", base, make_older))
    url, made = databases.place(folder), base / "older.db"
    if not made.exists():
        make_older(f"sqlite:///{made}")
    storage_for(url).path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(made, storage_for(url).path)
    return url


def contents(connection: StorageConnection) -> dict[str, object]:
    """What its owner wrote, in the columns of FIRST_ON_SERVERS."""
    return {
        "users": connection.as_written("users", ("id", "username", "email", "is_admin")),
        "data_entries": connection.as_written("data_entries", ("id", "data", "visibility", "created_at")),
        "endpoints": connection.as_written("endpoints", ("id", "name", "schema")),
    }


def seen(settings: Settings) -> dict[str, object]:
    """The contents as anyone sees them now."""
    with storage_for(settings.database_url).looking() as connection:
        return contents(connection)


def change(settings: Settings, *statements: str, content: bytes = b"") -> None:
    """Change a database by hand, as its owner may, through no engine's own words.

    ``:content`` in a statement are the bytes, which each engine writes its own way.
    """
    with storage_for(settings.database_url).migration_connection() as migration:
        for statement in statements:
            migration.execute(statement, {"content": content} if ":content" in statement else {})
        migration.commit_durably()


def asked(settings: Settings, query: str) -> list[Row]:
    """What a query gives now."""
    with storage_for(settings.database_url).looking() as connection:
        return connection.rows(query)
