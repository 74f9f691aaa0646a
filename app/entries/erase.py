"""Erasing entries. How does one go for good, and what is told of those that went?

Not a deletion, which can be undone: the entry's row, its states, what was found in it, its values in the
audit. What is left is a line of the ledger (`app.erasures`) and a row of the audit that says when and by
whom. What memories of the server hold, and free pages of the file, is the server's and the storage's matter.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from app import clock, erasures
from app.accounts import audit
from app.entries import history, search_index, storage_use, webhook_events
from app.entries.change_records import audit_entry, tell_owner
from app.entries.endpoints import Endpoint
from app.entries.entry import Origin
from app.entries.erased_before import line_of_origin
from app.erasures import ENTRIES, Erasure, OfToday
from app.privacy.viewer import Viewer

FROM_COMMAND_LINE = Origin()


def erase(
    connection: Connection,
    viewer: Viewer,
    endpoint: Endpoint,
    entry_id: int,
    *,
    origin: Origin = FROM_COMMAND_LINE,
) -> Erasure:
    """Erase an entry, deleted or not, that is the viewer's or that an admin names; raises NotFound.

    Writes every table that has something of it (`erasures.BY_ENTRY`), audit_logs and erasures.
    """
    row = history.kept_entry(connection, viewer, endpoint, entry_id)
    line = _erase(connection, viewer, origin, row)
    if row.is_active == 1:  # of a deleted one it was told already
        deleted = webhook_events.DELETED
        webhook_events.note(connection, row.created_by_id, deleted, endpoint.name, entry_id)
    tell_owner(connection, viewer, origin, endpoint.name, row, audit.ERASE)
    return line


def erase_again(connection: Connection, line: Erasure) -> bool:
    """Keep a line that a backup's manifest has; erase what it names where that is there; whether it was."""
    database = OfToday(connection)
    is_there = bool(list(erasures.still_there(database, [line], erasures.installation_id(database))))
    if is_there:
        search_index.forget(connection, [line.record_id])
        erasures.erase(database, line.record_id)
        line = line._replace(erased_at=erasures.precise(clock.now()))  # so that free pages are cleared
        audit_entry(connection, Viewer("admin"), FROM_COMMAND_LINE, audit.ERASE, line.record_id)
    erasures.record(database, line)
    return is_there


def _erase(connection: Connection, viewer: Viewer, origin: Origin, row: Row[*tuple[Any, ...]]) -> Erasure:
    database, entry_id = OfToday(connection), int(row.id)
    made = "" if row.created_at is None else str(row.created_at)
    line = Erasure(
        erasures.installation_id(database),
        ENTRIES,
        entry_id,
        made,
        erasures.precise(clock.now()),
        row.created_by_id,
    )
    came_from = line_of_origin(connection, line)
    search_index.forget(connection, [entry_id])
    erasures.erase(database, entry_id)
    for each in (line, came_from):
        if each is not None:
            erasures.record(database, each)
    if row.created_by_id is not None:
        storage_use.forget(connection, row.created_by_id)
    audit_entry(connection, viewer, origin, audit.ERASE, entry_id)
    return line
