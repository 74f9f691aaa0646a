"""What does an admin see of a row of the audit? Everything that it holds but secrets, as JSON."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from app import clock
from app.entries.json_safe import presentable, read_content

SECRETS = frozenset({"hashed_password", "password", "password_hash", "key_hash", "key", "token", "secret"})
"""Members that no row of ours has, beside those of entries; whatever else wrote one, no one is shown it."""


def audit_view(row: Row[Any]) -> dict[str, Any]:
    """Return a row: what happened to which record, by whom, from where, and the values before and after."""
    shown = {
        "id": row.id,
        "created_at": None if row.created_at is None else clock.rfc3339(str(row.created_at)),
        "action": row.action,
        "table_name": row.table_name,
        "record_id": row.record_id,
        "user_id": row.user_id,
        "username": row.username,
        "api_key_id": row.api_key_id,
        "ip_address": row.ip_address,
        "user_agent": row.user_agent,
        "old_values": _values(row.old_values, row.table_name),
        "new_values": _values(row.new_values, row.table_name),
    }
    return {name: _said(value) for name, value in shown.items()}


def _said(value: object) -> object:
    return presentable(value.decode("utf-8", "replace") if isinstance(value, bytes) else value)


def _values(stored: object, table_name: object) -> object:
    """Return the JSON value that is stored; text that is none as it stands."""
    content = read_content(stored)
    value = content.value if content.is_readable else content.text
    if isinstance(value, dict) and table_name != "data_entries":
        return {name: each for name, each in value.items() if name not in SECRETS}
    return value
