"""Privacy settings of a person, as doors show and change them. What is decided, and what from now on?

Shown is what is obeyed: a stored value that is odd counts as the strict one (`privacy.person_settings`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from app import clock
from app.accounts import audit, privacy_settings
from app.accounts.audit import COMMAND_LINE, Actor
from app.entries.entry import check_json, invalid, pointer_of
from app.entries.json_safe import presentable
from app.privacy.levels import NAMES
from app.privacy.person_settings import COLUMNS, HIDE, REDACT, read_custom_rules, read_settings

RULES_MOST = 200
PATH_CHARACTERS = 200
CONTACT_CHARACTERS = 100
SWITCHES = (*COLUMNS, "releases_shipped_rules")
CHANGEABLE = (*SWITCHES, "privacy_level", "preferred_contact", "custom_privacy_rules")
SettingsView = dict[str, Any]
"""One person's settings: each of CHANGEABLE, `unreadable` (names of columns whose stored value could not be
read and counts as the strictest), created_at, updated_at."""


def settings_view(connection: Connection, user_id: int) -> SettingsView:
    """Return the settings of a person as they are obeyed; without a row, those of a new account."""
    rows = privacy_settings.rows_of(connection, user_id)
    row = rows[0] if rows else {}
    obeyed = read_settings(rows)
    is_odd = any(read_custom_rules(each.get("custom_privacy_rules"))[1] for each in rows)
    view = {name: getattr(obeyed, name) for name in COLUMNS}
    view |= {
        "releases_shipped_rules": row.get("releases_shipped_rules") == 1,
        "privacy_level": obeyed.privacy_level if obeyed.privacy_level in (None, *NAMES) else NAMES[0],
        "preferred_contact": _text(row.get("preferred_contact")),
        "custom_privacy_rules": dict(obeyed.custom_rules),
        "unreadable": ["custom_privacy_rules"] if is_odd else [],
        "created_at": _time(row.get("created_at")),
        "updated_at": _time(row.get("updated_at")),
    }
    return {name: presentable(value) for name, value in view.items()}


def change_settings(
    connection: Connection, user_id: int, patch: Mapping[str, object], actor: Actor = COMMAND_LINE
) -> SettingsView:
    """Change a person's settings by a JSON merge patch; returns all of them. They hold from the next request.

    ``custom_privacy_rules`` is merged too: a path with null is taken away, null in its place takes away
    all of them. Raises InvalidContent. Writes user_privacy_settings and audit_logs.
    """
    before = settings_view(connection, user_id)
    changes = checked_patch(connection, user_id, patch)
    if not changes:
        return before
    now = clock.now()
    stored = {
        name: json.dumps(value) if isinstance(value, dict) else value for name, value in changes.items()
    }
    privacy_settings.change_row(connection, user_id, stored, now)
    audit.record(
        connection,
        audit.UPDATE,
        "user_privacy_settings",
        user_id,
        now=now,
        user_id=actor.user_id,
        old_values={name: before[name] for name in changes},
        new_values=changes,
        ip_address=actor.ip_address,
        user_agent=actor.user_agent,
    )
    return settings_view(connection, user_id)


def checked_patch(connection: Connection, user_id: int, patch: Mapping[str, object]) -> dict[str, Any]:
    """Return what a merge patch would make of the settings that it names; raises InvalidContent."""
    before = settings_view(connection, user_id)
    return {name: _checked(name, value, before) for name, value in patch.items()}


def _checked(name: str, value: object, before: SettingsView) -> object:
    if name in SWITCHES:
        if not isinstance(value, bool):
            raise invalid(f"/{name}", "true or false is needed here")
        return value
    if name == "privacy_level":
        if value is not None and value not in NAMES:
            raise invalid("/privacy_level", f"one of {', '.join(NAMES)}, or null")
        return value
    if name == "preferred_contact":
        return _contact(value)
    if name == "custom_privacy_rules":
        return _merged_rules(before[name], value)
    raise invalid(pointer_of([name]), "this member is not known here")


def _contact(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= CONTACT_CHARACTERS or not value.isprintable():
        raise invalid("/preferred_contact", f"one line of up to {CONTACT_CHARACTERS} characters, or null")
    check_json(value)
    return value


def _merged_rules(before: dict[str, str], patch: object) -> dict[str, str]:
    """Return rules changed by a merge patch; raises InvalidContent for what is no path or no action."""
    if patch is None:
        return {}
    if not isinstance(patch, dict):
        raise invalid(
            "/custom_privacy_rules", 'an object of paths is needed here, as {"contact.phone": "hide"}'
        )
    rules = dict(before)
    for path, action in patch.items():
        check_rule(path, action, pointer_of(["custom_privacy_rules", path]))
        rules.pop(path, None)
        if action is not None:
            rules[path] = action
    if len(rules) > RULES_MOST:
        raise invalid("/custom_privacy_rules", f"there would be {len(rules)} rules; {RULES_MOST} are kept")
    return rules


def check_rule(path: str, action: object, pointer: str) -> None:
    """Raise InvalidContent where a path names no place, or an action is none."""
    check_json(path)
    if not path.strip(". $[]") or len(path) > PATH_CHARACTERS:
        raise invalid(pointer, f"a path is needed, as contact.phone, of up to {PATH_CHARACTERS} characters")
    if action not in (HIDE, REDACT, None):
        raise invalid(pointer, f'"{HIDE}" or "{REDACT}" is needed here; null takes the rule away')


def _time(stored: object) -> str | None:
    return None if stored is None else clock.rfc3339(str(stored))


def _text(stored: object) -> str | None:
    return None if stored is None else str(stored)
