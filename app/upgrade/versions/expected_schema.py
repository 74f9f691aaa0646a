"""Expected schema. Which tables and columns has the database at each version, and since when?"""

from __future__ import annotations

from functools import cache

from app.storage.fingerprint import Schema, fingerprint
from app.storage.registry import schema_from_sql
from app.storage.schema import Index, folded
from app.storage.types import StorageConnection
from app.upgrade.versions.releases import FINGERPRINTS, NEWEST, SCHEMA_VERSIONS, sheet_of, version_key

CORE_TABLES = ("users", "endpoints", "data_entries", "api_keys", "audit_logs")
PRIVACY_TABLES = ("user_privacy_settings", "data_privacy_rules")


@cache
def schema_at(version: str) -> Schema:
    """Return the schema of one of our versions. Raises KeyError for what is none."""
    return schema_of_text(sheet_of(version))


@cache
def our_tables() -> tuple[str, ...]:
    """Return the names of all tables of the newest version, in the order of its sheet."""
    return tuple(schema_at(NEWEST).tables)


@cache
def our_indexes() -> dict[str, Index]:
    """Return our indexes by folded name, also those that a later version dropped: each as it was last."""
    schemas = (schema_at(row.version) for row in SCHEMA_VERSIONS)
    return {folded(name): index for schema in schemas for name, index in schema.indexes.items()}


@cache
def needed_since(version: str | None) -> dict[str, str]:
    """Return the folded names of tables and indexes that versions after ``version`` bring, with the first.

    None is a database without our mark: every name of ours is needed.
    """
    needed: dict[str, str] = {}
    had = _names(schema_at(version)) if version else frozenset()
    later = (row for row in SCHEMA_VERSIONS if version_key(row.version) > version_key(version or "0"))
    for row in later:
        for name in _names(schema_at(row.version)) - had:
            needed.setdefault(name, row.version)
    return needed


def is_whole(connection: StorageConnection, have: Schema, version: str) -> bool:
    """Return whether a schema that was found has all that a version has, exactly."""
    sheet = connection.spelled(schema_at(version))
    return fingerprint(have, sheet) == fingerprint_at(connection, version)


def fingerprint_at(connection: StorageConnection, version: str) -> str:
    """Return the fingerprint of a version on the engine of a database. That of SQLite's is written down."""
    if connection.engine_name == "sqlite":
        return FINGERPRINTS[version]
    sheet = connection.spelled(schema_at(version))
    return fingerprint(sheet, sheet)


@cache
def columns_at(table: str, version: str) -> frozenset[str]:
    """Return the folded names of the columns that a table has at a version; none where it is not there."""
    found = schema_at(version).tables.get(table)
    return frozenset(folded(name) for name in found.columns) if found else frozenset()


def only(schema: Schema, table: str) -> Schema:
    """Return what a schema has of one table: itself and the indexes on it."""
    return Schema(
        tables={name: found for name, found in schema.tables.items() if folded(name) == table},
        indexes={name: index for name, index in schema.indexes.items() if index.table == table},
    )


@cache
def schema_of_text(sql: str) -> Schema:
    """Return the schema that these CREATE statements make."""
    return schema_from_sql(sql)  # the same text is asked for once for each of its tables


def _names(schema: Schema) -> frozenset[str]:
    return frozenset(folded(name) for name in (*schema.tables, *schema.indexes))
