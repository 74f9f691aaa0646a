"""What came in through the open local door, and what does its owner do with it? Publish it, or delete it.

Nothing of it is shown to anyone before: with the first account everything is that account's, and private.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from app import clock
from app.accounts import audit
from app.entries import store, store_writing, unclaimed, view_changes, webhook_events
from app.entries.change_records import audit_entry
from app.entries.endpoints import default_of, find_by_id
from app.entries.entry import Origin
from app.entries.json_safe import read_content, stored_text, whole_text
from app.entries.read import Watch
from app.entries.spans import Spans
from app.entries.visibility import default_visibility, visibility_of
from app.entries.write import FROM_COMMAND_LINE
from app.errors import Conflict, NotAuthenticated, NotFound
from app.privacy.viewer import Viewer

EXCERPT_CHARACTERS = 200
Listed = dict[str, Any]
"""One entry that waits: id, kind, received_at, size_bytes (of its text), publishes_as (the visibility that
publishing gives it), excerpt (the beginning of its JSON text)."""


def waiting(connection: Connection, viewer: Viewer, *, watch: Watch | None = None) -> list[Listed]:
    """Return what waits for the viewer's review, by id: their own, for admins everyone's.

    ``watch`` is told of each that is shown to an admin and belongs to someone else. Raises NotAuthenticated
    for anyone who has no account.
    """
    found = _rows(connection, viewer)
    for row in found:
        is_somebodys = row.created_by_id is not None and not viewer.owns(row.created_by_id)
        if watch is not None and is_somebodys:
            watch(row.created_by_id, row.kind)
    return [_listed(row) for row in found]


def publish(
    connection: Connection,
    viewer: Viewer,
    entry_ids: Iterable[int] | None,
    *,
    origin: Origin = FROM_COMMAND_LINE,
) -> list[Listed]:
    """Give entries the visibility that they were written with, or else their kind's default; None: all.

    Returns what was published. Raises NotFound where one of them does not wait for the viewer's review, and
    Conflict before the installation is claimed; then nothing is changed. Writes data_entries, audit_logs.
    """
    chosen = _chosen(connection, viewer, entry_ids)
    if any(row.created_by_id is None for row in chosen):
        raise Conflict(
            "No one has claimed this installation: there is no owner who could publish it.",
            hint="daemon user create NAME --admin",
        )
    for row in chosen:
        before, after = {"visibility": "private"}, {"visibility": _publishes_as(row)}
        now = clock.now()
        store_writing.change_entry(connection, row.id, now, **after)
        _note_as_shown(connection, viewer, row, now)
        is_shown = after["visibility"] == "public"
        _tell(connection, row, webhook_events.CHANGED, publishes=is_shown)
        _settle(connection, viewer, origin, audit.PUBLISH, row.id, json.dumps(before), json.dumps(after))
    return [_listed(row) for row in chosen]


def delete(
    connection: Connection, viewer: Viewer, entry_ids: Iterable[int], *, origin: Origin = FROM_COMMAND_LINE
) -> list[int]:
    """Mark entries as deleted; returns their ids. Raises NotFound as `publish` does."""
    chosen = _chosen(connection, viewer, entry_ids)
    for row in chosen:
        store_writing.change_entry(connection, row.id, clock.now(), is_active=0, slug=None)
        _tell(connection, row, webhook_events.DELETED)
        _settle(connection, viewer, origin, audit.DELETE, row.id, stored_text(row.data), "null")
    return [row.id for row in chosen]


# -- inside


def _tell(connection: Connection, row: Row[Any], event: str, *, publishes: bool = False) -> None:
    """Note for webhooks what became of an entry."""
    webhook_events.note(connection, row.created_by_id, event, row.kind, row.id, lambda: publishes)


def _rows(connection: Connection, viewer: Viewer) -> Sequence[Row[Any]]:
    if viewer.is_admin:
        return unclaimed.waiting(connection)
    if viewer.user_id is None:
        raise NotAuthenticated(
            "What came in before the claim is looked through by anyone who owns it.",
            hint="Log in; or on the machine itself: daemon claim review",
        )
    return unclaimed.waiting(connection, viewer.user_id)


def _chosen(connection: Connection, viewer: Viewer, entry_ids: Iterable[int] | None) -> Sequence[Row[Any]]:
    found = {row.id: row for row in _rows(connection, viewer)}
    wanted = list(found) if entry_ids is None else list(dict.fromkeys(entry_ids))
    missing = [str(each) for each in wanted if each not in found]
    if missing:
        raise NotFound(
            f"No entry {', '.join(missing[:10])} waits for a review; nothing was changed.",
            hint="daemon claim review lists those that do.",
        )
    return [found[each] for each in wanted]


def _settle(
    connection: Connection,
    viewer: Viewer,
    origin: Origin,
    action: str,
    entry_id: int,
    old_text: str,
    new_text: str,
) -> None:
    audit_entry(connection, viewer, origin, action, entry_id, old_text=old_text, new_text=new_text)
    unclaimed.settle(connection, entry_id)


def _note_as_shown(connection: Connection, viewer: Viewer, row: Row[Any], now: datetime) -> None:
    """Write down that strangers see the entry from now on, at each level at which they do."""
    endpoint = find_by_id(connection, row.endpoint_id)
    shown = store.find_entry(connection, viewer, endpoint, row.id) if endpoint else None
    if endpoint is not None and shown is not None:
        hashes = view_changes.view_hashes(endpoint, shown, Spans(connection))
        view_changes.record(connection, shown, {}, hashes, now)


def _publishes_as(row: Row[Any]) -> str:
    default = default_visibility(default_of(row), row.is_public == 1)
    return visibility_of(stored_text(row.data), default)


def _listed(row: Row[Any]) -> Listed:
    content = read_content(row.data)
    return {
        "id": row.id,
        "kind": whole_text(row.kind),
        "received_at": None if row.received_at is None else clock.rfc3339(str(row.received_at)),
        "size_bytes": len(content.text.encode("utf-8", "replace")),
        "publishes_as": _publishes_as(row),
        "excerpt": whole_text(content.text[:EXCERPT_CHARACTERS]),
    }
