"""Which entries did the old server show to strangers that nobody is shown now, and why?

The old rule, as it was measured: an active entry of an active, public endpoint was shown to whoever asked,
unless its own ``meta.visibility`` said private or unlisted; whose it was, and what the endpoint's default
said, did not count. Asked inside the upgrade's transaction, when the new visibility of each entry is there.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

HIDING_WORDS = ("private", "unlisted")

# What hid itself from the old server, where SQL surely reads the text as that one did: no key is doubled.
_HID_ITSELF = """
    CASE WHEN typeof(e.data) = 'text' AND e.data NOT GLOB '*visibility*visibility*'
              AND e.data NOT GLOB '*"meta"*"meta"*' AND json_valid(e.data)
         THEN coalesce(json_extract(e.data, '$.meta.visibility') IN ('private', 'unlisted'), 0) ELSE 0 END
"""

# What the old server may have shown and the new one shows to nobody.
_CANDIDATES = f"""
    SELECT e.id, p.name, u.username, e.created_by_id, u.is_active, e.visibility, CAST(e.data AS BLOB)
    FROM data_entries e JOIN endpoints p ON p.id = e.endpoint_id LEFT JOIN users u ON u.id = e.created_by_id
    WHERE e.is_active = 1 AND p.is_active = 1 AND p.is_public = 1
      AND NOT (coalesce(e.visibility, 'private') = 'public' AND coalesce(u.is_active, 0) = 1)
      AND NOT {_HID_ITSELF}
    ORDER BY e.id
"""


def hidden_now(connection: sqlite3.Connection) -> tuple[dict[str, object], ...]:
    """Return each entry that strangers saw before and do not see now: its id, kind, owner and the reason."""
    return tuple(_hidden(connection))


def deleted_entries(connection: sqlite3.Connection) -> int:
    """Return how many deleted entries there are: the old server showed them to whoever asked for them."""
    return int(connection.execute("SELECT count(*) FROM data_entries WHERE is_active = 0").fetchone()[0])


def _hidden(connection: sqlite3.Connection) -> Iterator[dict[str, object]]:
    for entry_id, kind, owner, owner_id, owner_active, visibility, content in connection.execute(_CANDIDATES):
        said, word = _old_word(content)
        if said and word in HIDING_WORDS:
            continue
        yield {
            "id": entry_id,
            "kind": kind,
            "owner": owner,
            "why": _why(owner, owner_id, owner_active, visibility, content),
        }


def _why(
    owner: str | None,
    owner_id: int | None,
    owner_active: object,
    visibility: str | None,
    content: bytes | None,
) -> str:
    if owner_id is None:
        return "it has no owner"
    if owner is None:
        return "its owner's account is gone"
    if owner_active != 1:
        return "its owner's account is not active"
    return f"it is {visibility or 'private'}: {_reason(content)}"


def _reason(content: bytes | None) -> str:
    entry = _parsed(content)
    if entry is _UNREADABLE:
        return "its text is not JSON"
    if isinstance(entry, dict):
        meta = entry.get("meta")
        if "visibility" in entry or (isinstance(meta, dict) and "visibility" in meta):
            return "by its own word, which now counts"
    return "as entries of its kind are unless they say otherwise"


def _old_word(content: bytes | None) -> tuple[bool, object]:
    entry = _parsed(content)
    meta = entry.get("meta") if isinstance(entry, dict) else None
    if isinstance(meta, dict) and "visibility" in meta:
        return True, meta["visibility"]
    return False, None


_UNREADABLE = object()


def _parsed(content: bytes | None) -> object:
    try:
        return json.loads((content or b"").decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return _UNREADABLE
