"""Kept rows, verified. Can an odd table that was adopted be made again, byte for byte, from kept_values?"""

from __future__ import annotations

from dataclasses import dataclass

from app.storage.sqlite.connection import SQLiteConnection, driver_of
from app.storage.sqlite.errors import as_storage_errors
from app.storage.sqlite.integrity import rows_digest
from app.storage.types import StorageConnection, TableDigest

_OF_THIS_RUN = "id > ? AND table_name = ? COLLATE NOCASE"


@dataclass(frozen=True)
class KeptBefore:
    """What was there before a run: the last id of kept_values, and the CREATE statement of each table."""

    last_id: int
    sql: dict[str, str]


@as_storage_errors()
def mark_of(connection: StorageConnection) -> KeptBefore:
    """Return what tells later what this run kept; on another engine than SQLite there is nothing to keep."""
    if not isinstance(connection, SQLiteConnection):
        return KeptBefore(0, {})
    found = driver_of(connection).execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
    return KeptBefore(_last_id(connection), {str(name): str(sql) for name, sql in found})


@as_storage_errors()
def is_kept_whole(connection: StorageConnection, table: str, before: KeptBefore) -> bool:
    """Whether this run kept every value of the table, and not only its form."""
    if table not in before.sql or not connection.has("table", "kept_values"):
        return False
    query = f"SELECT 1 FROM kept_values WHERE {_OF_THIS_RUN} AND row_key = '' LIMIT 1"
    return driver_of(connection).execute(query, (before.last_id, table)).fetchone() is not None


@as_storage_errors()
def rebuilt_digest(
    connection: StorageConnection, table: str, columns: tuple[str, ...], before: KeptBefore
) -> TableDigest | None:
    """Return the digest of the rows as rebuilt from what this run kept; None where its form was not kept."""
    driver = driver_of(connection)
    kept_sql = driver.execute(
        f"SELECT value FROM kept_values WHERE {_OF_THIS_RUN} AND row_key = '' AND column_name = 'sql'",
        (before.last_id, table),
    ).fetchone()
    if kept_sql is None or kept_sql[0] != before.sql[table]:
        return None
    pivoted = ", ".join("max(CASE WHEN column_name = ? THEN value END)" for _ in columns)
    select = f"SELECT {pivoted} FROM kept_values WHERE {_OF_THIS_RUN} AND row_key <> '' GROUP BY row_key"
    return rows_digest(driver, select, (*columns, before.last_id, table))


def _last_id(connection: StorageConnection) -> int:
    if "id" not in connection.columns("kept_values"):
        return 0
    found = connection.rows("SELECT max(id) FROM kept_values")[0][0]
    return found if isinstance(found, int) else 0
