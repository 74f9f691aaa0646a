"""Words of the audit. What are its actions, its tables and what it tells of them called on screens?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.web.admin.language import _, mark, ngettext
from app.web.admin.shown import kind_name, role_word

ACTIONS = {
    "CREATE": mark("Made"),
    "CREATE_UNCLAIMED": mark("Made before the claim"),
    "UPDATE": mark("Changed"),
    "DELETE": mark("Deleted"),
    "PUBLISH": mark("Published"),
    "CLAIM": mark("Installation claimed"),
    "PASSWORD": mark("Password changed"),
    "LOGGED_OUT": mark("Signed out"),
    "REFRESH_REUSED": mark("A used token came again: session ended"),
    "ADMIN": mark("Role changed"),
    "ACTIVE": mark("Kept out or let in"),
    "REVOKE": mark("Revoked"),
    "LINK_USED": mark("Link used"),
    "SECOND_FACTOR": mark("Second factor changed"),
    "LOGIN_LINK": mark("Login at a provider changed"),
    "IMPORT": mark("Imported"),
    "ADMIN_CHANGE": mark("Changed by an admin"),
    "STORAGE": mark("Storage changed"),
    "RESTORE": mark("Earlier state put back"),
    "UNDELETE": mark("Brought back"),
    "ERASE": mark("Erased for good"),
    "LEAVE": mark("Began to leave"),
    "STAY": mark("Stayed after all"),
    "LOGIN": mark("Signed in"),
    "LOGIN_REFUSED": mark("Sign-in refused"),
    "LOGIN_SLOWED": mark("Sign-in slowed down"),
    "KEY_USE": mark("Key used"),
    "READ": mark("Looked at what is not public"),
    "READ_AUDIT": mark("Audit read"),
    "EXPORT": mark("Everything taken out"),
}
"""Every action that the server writes, in the order of docs/audit.md."""

TABLES = {
    "users": mark("Account"),
    "data_entries": mark("Entry"),
    "pictures": mark("Picture"),
    "endpoints": mark("Kind"),
    "share_links": mark("Share link"),
    "webhooks": mark("Webhook"),
    "api_keys": mark("Key"),
    "one_time_links": mark("Invitation or link"),
    "never_words": mark("Word that never leaves"),
    "finding_releases": mark("Release"),
    "user_privacy_settings": mark("Privacy settings"),
    "data_privacy_rules": mark("Rule of the installation"),
}
"""Every table that a row of the audit is about."""

DETAILS = {
    "kind": mark("Kind"),
    "count": mark("How often"),
    "others": mark("And others"),
    "entry_id": mark("Entry"),
    "did": mark("What"),
    "is_active": mark("May come in"),
    "is_admin": mark("Is an admin"),
    "role": mark("Role"),
    "name": mark("Name"),
    "can_write": mark("May write"),
    "issuer": mark("Provider"),
}
"""Every member of a row that its person is told."""


def action_word(action: object) -> str:
    """Return what an action is called; one of other programs as it is written."""
    return _(ACTIONS[action]) if isinstance(action, str) and action in ACTIONS else str(action or "")


def record_word(table_name: object, record_id: object) -> str:
    """Return what a row is about; id 0 is no single one."""
    known = isinstance(table_name, str) and table_name in TABLES
    called = _(TABLES[str(table_name)]) if known else str(table_name or "")
    return f"{called} {record_id}" if record_id else called


def details_in_words(details: Mapping[str, Any]) -> str:
    """Return what a person is told of a row, in a line."""
    found = [
        ngettext("%(num)s time", "%(num)s times", value)
        if name == "count" and isinstance(value, int)
        else f"{_(DETAILS[name]) if name in DETAILS else name}: {_value(name, value)}"
        for name, value in details.items()
    ]
    return ", ".join(found)


def _value(name: str, value: object) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if name == "kind":
        return kind_name(str(value))
    if name == "did":
        return action_word(value)
    return role_word(str(value)) if name == "role" else str(value)
