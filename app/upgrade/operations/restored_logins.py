"""Sessions and one-time links in a restore. What of a backup must not open anything again? All of them.

What was logged out since, used once, or ended because someone else had a copy would be valid again. So people
log in again after a restore, and links are made anew. Passwords and API keys are those of the backup.
"""

from __future__ import annotations

from pathlib import Path

from app.storage.registry import storage_at

TABLES = ("sessions", "one_time_links")


def end_logins(copy: Path) -> bool:
    """Delete them in a private copy; return whether there were any. Raises StorageError, DaemonError."""
    with storage_at(copy).looking() as connection:
        found = [name for name in TABLES if connection.has("table", name) and connection.count(name)]
    if not found:
        return False
    with storage_at(copy).migration_connection() as migration:
        for name in found:
            migration.execute(f"DELETE FROM {name}")
        migration.commit_durably()
    return True
