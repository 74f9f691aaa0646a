"""Findings of a person, over all their entries. What is found in their texts, what did they release?"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from sqlalchemy import Connection

from app import clock
from app.entries import endpoints, store
from app.entries.json_safe import whole_text
from app.entries.publish_guard import findings_view
from app.entries.release_rows import releases_of
from app.entries.spans import Spans
from app.errors import NotFound
from app.privacy.released import Release

ENTRIES_READ = 200  # for one answer
FindingView = dict[str, Any]
"""One finding as `publish_guard` shows it, and besides: entry_id, entry_kind."""


def findings_of(
    connection: Connection, user_id: int, *, entry_id: int | None = None, after_id: int = 0
) -> tuple[list[FindingView], int | None]:
    """Return what was found in a person's entries, by entry, and after which entry to go on (None: all).

    One answer looks at ENTRIES_READ entries, so that it may hold few findings and still go on. ``entry_id``:
    of this entry only; raises NotFound where the person has none of that id.
    """
    spans = Spans(connection)
    endpoint_of = cache(partial(endpoints.find_by_id, connection))
    rows = list(store.own_entries(connection, user_id, after_id, ENTRIES_READ + 1, entry_id))
    if entry_id is not None and not rows:
        raise NotFound("There is no such entry.")
    found: list[FindingView] = []
    for row in rows[:ENTRIES_READ]:
        endpoint = endpoint_of(row.endpoint_id)
        if endpoint is not None:
            named = {"entry_id": row.id, "entry_kind": whole_text(row.kind)}
            found += [named | each for each in findings_view(endpoint, row, spans)]
    return found, rows[ENTRIES_READ - 1].id if len(rows) > ENTRIES_READ else None


def releases_view(connection: Connection, user_id: int) -> list[dict[str, Any]]:
    """Return what a person has released, oldest first, each as `release_view` does."""
    rows = sorted(releases_of(connection, user_id).rows, key=lambda one: (str(one.created_at), one.id))
    return [release_view(connection, one) for one in rows]


def release_view(connection: Connection, one: Release) -> dict[str, Any]:
    """Return one release: id, entry_id, kind, detector, value_hash, created_at.

    None: of any entry, of any kind of entry, any contact data, any value.
    """
    kind = None if one.endpoint_id is None else endpoints.find_name(connection, one.endpoint_id)
    return {
        "id": one.id,
        "entry_id": one.entry_id,
        "kind": None if kind is None else whole_text(kind),
        "detector": one.detector,
        "value_hash": one.value_hash,
        "created_at": None if one.created_at is None else clock.rfc3339(str(one.created_at)),
    }
