"""Gone entries (many at once). How does a person delete many of their own, by a statement a table?"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from app import clock
from app.accounts import audit
from app.accounts.audit import Actor
from app.entries import store, store_writing, unclaimed, view_changes, webhook_events
from app.entries.entry import Origin
from app.entries.json_safe import stored_text


def delete(connection: Connection, owner_id: int, entries: Sequence[tuple[str, int]], origin: Origin) -> None:
    """Mark entries (kind, id) as deleted that are there, and the person's, who deletes them.

    Writes what `write.delete` writes of each.
    """
    entry_ids, now = [entry_id for _, entry_id in entries], clock.now()
    texts = _texts_of(connection, entry_ids)
    store_writing.delete_entries(connection, entry_ids, now)
    view_changes.forget_all(connection, entry_ids)
    unclaimed.settle_all(connection, entry_ids)
    actor = Actor(owner_id, origin.ip_address, origin.user_agent)
    lines = (
        audit.line_of(
            audit.DELETE,
            "data_entries",
            entry_id,
            actor,
            old_text=texts[entry_id],
            api_key_id=origin.api_key_id,
        )
        for entry_id in entry_ids
    )
    audit.record_lines(connection, lines, now)
    told = ((kind, entry_id, False) for kind, entry_id in entries)
    webhook_events.note_all(connection, owner_id, webhook_events.DELETED, told, now)


def _texts_of(connection: Connection, entry_ids: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for begin in range(0, len(entry_ids), store.IDS_AT_ONCE):
        some = store.texts_of(connection, entry_ids[begin : begin + store.IDS_AT_ONCE])
        found |= {entry_id: stored_text(stored) for entry_id, (_, stored) in some.items()}
    return found
