"""Registry of database engines. Which one serves this URL, or this file?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path

from app import database_urls
from app.errors import Refused, SettingsError
from app.storage.engine import StorageEngine
from app.storage.schema import Schema
from app.storage.sqlite.files import SIBLINGS
from app.storage.types import MemoryTables, ServingLock

DUMP_ENDING = ".dump"
"""How the names of files end that pg_dump wrote: no name of a database of SQLite does."""
COMPANION_ENDINGS = SIBLINGS
"""How the names of files end that are beside a database and belong to it."""


def storage_for(url: str) -> StorageEngine:
    """The storage engine of a database URL. Raises SettingsError for an engine that is not supported."""
    try:
        url = database_urls.read(url)
    except ValueError as error:
        raise SettingsError(
            f"DATABASE_URL must be a file of SQLite or a database of PostgreSQL, and is of the kind"
            f" {url.partition('://')[0]!r}.",
            hint="DATABASE_URL=sqlite:///./data/daemon.db",
        ) from error
    if database_urls.is_of_server(url):
        return _on_server(url, database_urls.place_of(url))
    return storage_at(database_urls.file_of(url))


def storage_at(path: Path) -> StorageEngine:
    """The storage engine of a file that may be a database, or of what `Settings.database_path` stands for."""
    url = database_urls.url_at(path)
    if url is not None:
        return storage_for(url)
    if path.suffix == DUMP_ENDING:
        return _dump(path)
    from app.storage.sqlite.storage import SQLiteStorage

    return SQLiteStorage(path)


@lru_cache(maxsize=64)
def _on_server(url: str, place: Path) -> StorageEngine:
    """One for each database and process: what one connection learns of it counts for all that write."""
    from app.storage.postgresql.driver import load

    load()
    from app.storage.postgresql.storage import PostgreSQLStorage

    return PostgreSQLStorage(url, place)


def _dump(path: Path) -> StorageEngine:
    """A dump, which is looked into on the server of this process's database. Raises Refused without one."""
    from app.storage.postgresql.driver import load

    load()
    from app.storage.postgresql.dump_storage import DumpStorage

    return DumpStorage(path, database_urls.newest_url())


def process_lock_at(path: Path) -> ServingLock:
    """The lock between servers and operators of the database at a place; making one opens nothing."""
    return storage_at(path).process_lock()


def is_wanted_at(path: Path) -> bool:
    """Whether an upgrade or a restore is at work on the database, or waits for it. Makes no file.

    Raises Busy where a server of a database cannot be asked.
    """
    try:
        return process_lock_at(path).wanted()
    except Refused:  # it cannot be told; that it cannot be locked either is a finding of its own
        return False


def memory_tables(tables: Mapping[str, Collection[str]]) -> MemoryTables:
    """Tables in memory with these columns, for SQL on rows that are in no database."""
    from app.storage.sqlite.memory_tables import SQLiteMemoryTables

    return SQLiteMemoryTables(tables)


def schema_from_sql(text: str) -> Schema:
    """The schema that these CREATE statements make. Raises StorageError where they are not valid."""
    from app.storage.sqlite.schema import schema_from_sql

    return schema_from_sql(text)
