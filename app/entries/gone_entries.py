"""Gone entries (many at once). How does a person delete many of their own, by a statement a table?

The lines of the audit, which hold what is deleted, are made before the turn to write, where they can be.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from sqlalchemy import Connection

from app import clock
from app.accounts import audit
from app.accounts.audit import Actor, Line
from app.entries import revisions, store, store_writing, unclaimed, view_changes, webhook_events
from app.entries.entry import Origin
from app.entries.json_safe import stored_text
from app.entries.webhook_events import Happened
from app.prepared_statements import compile_all


@dataclass(frozen=True)
class Ready:
    """Entries (kind, id) that are to be deleted: how they are kept, their audit lines, which have slugs."""

    owner_id: int
    entries: Sequence[tuple[str, int]]
    states: Sequence[revisions.State]
    lines: Sequence[Line]
    named: Set[int]


def make_ready(
    connection: Connection, owner_id: int, entries: Sequence[tuple[str, int]], origin: Origin
) -> Ready:
    """Return what `delete` writes of entries that are there, and the person's. Needs no turn to write."""
    compile_all(connection)
    entry_ids = [entry_id for _, entry_id in entries]
    rows, states = store.states_of(connection, entry_ids), revisions.present_states(connection, entry_ids)
    actor = Actor(owner_id, origin.ip_address, origin.user_agent)
    lines = [
        audit.line_of(
            audit.DELETE,
            "data_entries",
            entry_id,
            actor,
            old_text=stored_text(store.value_of(rows[entry_id], "data")),
            api_key_id=origin.api_key_id,
        )
        for entry_id in entry_ids
    ]
    named = {entry_id for entry_id, row in rows.items() if store.value_of(row, "slug") is not None}
    return Ready(owner_id, entries, [states[entry_id] for entry_id in entry_ids], lines, named)


def delete(connection: Connection, ready: Ready) -> None:
    """Mark entries as deleted that were made ready in the same state of the database.

    Writes what `write.delete` writes of each.
    """
    entry_ids, now = [entry_id for _, entry_id in ready.entries], clock.now()
    store_writing.delete_entries(connection, ready.states, ready.named, now)
    view_changes.forget_all(connection, entry_ids)
    unclaimed.settle_all(connection, entry_ids)
    audit.record_lines(connection, ready.lines, now)
    happened = (Happened(webhook_events.DELETED, kind, entry_id) for kind, entry_id in ready.entries)
    webhook_events.note_all(connection, ready.owner_id, happened, now)
