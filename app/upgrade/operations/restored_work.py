"""Work in a restore. What of a backup must not go on by itself? What waited to be sent, what was being done.

What waited for a webhook was sent since, by the server that the backup is of; or it is another one's to send,
where the backup comes to another place. So it is kept, as not sent, and says why; its owner can have it sent
again. What becomes public later, by its time or once its kind is opened, is told then. An operation that went
on when the backup was made (the making of this backup may be one) does not go on here.
"""

from __future__ import annotations

from pathlib import Path

from app import clock
from app.storage.registry import storage_at

EVENTS, DELIVERIES = "webhook_events", "webhook_deliveries"
NOT_SENT, RESTORED, RESTORED_BEFORE = "not_sent", "restored", "restored:"
OPERATIONS = "operations"
WENT_ON = "It went on when the backup was made that was put back since. How it ended is not in there."
_WAITING = "state = 'waiting'"
# below 0 is a plan, and 0 says of one that it waits for its kind, however old it is (`webhook_events`)
_NOT_QUEUED = f"(id > 0 OR publishes <> 0 AND occurred_at <= :now) AND event NOT LIKE '{RESTORED_BEFORE}%'"


def hold_deliveries(copy: Path) -> bool:
    """Mark them in a private copy; return whether there were any. Raises StorageError, DaemonError."""
    now = {"now": clock.stored(clock.now())}
    with storage_at(copy).looking() as connection:
        if not all(connection.has("table", name) for name in (EVENTS, DELIVERIES)):
            return False
        waiting = connection.rows(f"SELECT 1 FROM {DELIVERIES} WHERE {_WAITING} LIMIT 1")
        noted = connection.rows(f"SELECT 1 FROM {EVENTS} WHERE {_NOT_QUEUED} LIMIT 1", now)
    if not waiting and not noted:
        return False
    with storage_at(copy).migration_connection() as migration:
        migration.execute(
            f"UPDATE {DELIVERIES} SET state = '{NOT_SENT}', last_fault = '{RESTORED}', next_attempt_at = NULL"
            f" WHERE {_WAITING}"
        )
        migration.execute(
            f"UPDATE {EVENTS} SET event = '{RESTORED_BEFORE}' || event WHERE {_NOT_QUEUED}", now
        )
        migration.commit_durably()
    return True


def end_operations(copy: Path) -> bool:
    """End what goes on in a private copy; return whether anything did. Raises StorageError, DaemonError."""
    with storage_at(copy).looking() as connection:
        if not connection.has("table", OPERATIONS):
            return False
        if not connection.rows(f"SELECT 1 FROM {OPERATIONS} WHERE state = 'running' LIMIT 1"):
            return False
    with storage_at(copy).migration_connection() as migration:
        migration.execute(
            f"UPDATE {OPERATIONS} SET state = 'failed', finished_at = seen_at, fault = :fault"
            " WHERE state = 'running'",
            {"fault": WENT_ON},
        )
        migration.commit_durably()
    return True
