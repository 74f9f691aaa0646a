"""Records of a change. What is written beside an entry that is changed: audit, owner's line, webhooks?"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from app import clock
from app.accounts import audit
from app.entries import access, webhook_events
from app.entries.endpoints import Endpoint
from app.entries.entry import Origin
from app.entries.json_safe import read_content
from app.privacy.viewer import Viewer


def note_change(connection: Connection, endpoint: Endpoint, was: Row[Any] | None, after: Row[Any]) -> None:
    """Note for webhooks that an entry was changed, and whether strangers see it since."""
    webhook_events.note(
        connection,
        after.created_by_id,
        webhook_events.CHANGED,
        endpoint.name,
        after.id,
        lambda: _is_shown(after) and not (was is not None and _is_shown(was)),
    )


def _is_shown(row: Row[Any]) -> bool:
    return access.is_shown_to_strangers(row, read_content(row.data).value)


def audit_entry(
    connection: Connection,
    viewer: Viewer,
    origin: Origin,
    action: str,
    entry_id: int,
    *,
    old_text: str = "null",
    new_text: str = "null",
) -> None:
    """Write what a viewer did to an entry into the audit."""
    audit.record_texts(
        connection,
        action,
        "data_entries",
        entry_id,
        now=clock.now(),
        old_text=old_text,
        new_text=new_text,
        user_id=viewer.user_id,
        ip_address=origin.ip_address,
        user_agent=origin.user_agent,
        api_key_id=origin.api_key_id,
    )


def tell_owner(
    connection: Connection, viewer: Viewer, origin: Origin, kind: str, row: Row[Any], action: str
) -> None:
    """Leave a line about a person where someone else, an admin, has changed an entry of theirs."""
    if row.created_by_id is None or viewer.user_id is None or viewer.owns(row.created_by_id):
        return
    audit.record(
        connection,
        audit.ADMIN_CHANGE,
        "users",
        row.created_by_id,
        now=clock.now(),
        new_values={"kind": kind, "entry_id": row.id, "did": action},
        user_id=viewer.user_id,
        ip_address=origin.ip_address,
        user_agent=origin.user_agent,
    )
