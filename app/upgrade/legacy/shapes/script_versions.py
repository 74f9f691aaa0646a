"""What did version_tracker.py leave? database_versions, where any version may stand about any schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

TITLE = "keep the version table of the old scripts as a list of claims, with room for a real history"
KEEP_VALUES = False  # no row is changed: the table gains columns
SCHEMAS = {
    "script versions": """
        CREATE TABLE database_versions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            version VARCHAR(20) NOT NULL,
            applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
            migration_script VARCHAR(100),
            description TEXT,
            rollback_notes TEXT
        );
    """,
}
ADDED = (
    ("from_version", "VARCHAR(20)"),
    ("started_at", "TIMESTAMP"),
    ("duration_ms", "INTEGER"),
    ("outcome", "VARCHAR(20)"),
    ("backup_file", "VARCHAR(255)"),
    ("tool_version", "VARCHAR(20)"),
    ("steps_hash", "VARCHAR(64)"),
    ("is_claim", "BOOLEAN"),
)


def adopt(bind: Connection, table: str) -> tuple[list[str], dict[int, int]]:
    """Add the columns of our own history; every row that is there is marked as a claim."""
    for column, declared in ADDED:
        bind.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column} {declared}")
    bind.exec_driver_sql(f"UPDATE {table} SET is_claim = 1")
    count = bind.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
    return [f"{count} versions that old scripts wrote are kept as claims"], {}
