"""What does a person see of the audit? What they did, what was done about them, and no text of an entry."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from app import clock
from app.entries.json_safe import presentable
from app.entries.shown_audit import audit_view

TOLD = (
    *("kind", "count", "others", "entry_id", "did", "is_active", "is_admin", "role", "name", "can_write"),
    "issuer",
)
"""Members of what an audit row says that are told to whom it is about."""


def own_audit_view(row: Row[Any], user_id: int) -> dict[str, Any]:
    """Return a row as whom it is about is shown it: where someone else came from is not theirs to know.

    Without its id, which counts what everyone does.
    """
    whole = audit_view(row)
    is_own = row.user_id == user_id
    said = whole["new_values"] if row.table_name != "data_entries" else None
    told = {name: said[name] for name in TOLD if name in said} if isinstance(said, dict) else {}
    return {
        "created_at": None if row.created_at is None else clock.rfc3339(str(row.created_at)),
        "action": whole["action"],
        "by": whole["username"],
        "is_own": is_own,
        "table_name": whole["table_name"],
        "record_id": whole["record_id"],
        "api_key_id": whole["api_key_id"] if is_own else None,
        "ip_address": whole["ip_address"] if is_own else None,
        "user_agent": whole["user_agent"] if is_own else None,
        "details": presentable(told),
    }
