"""Doubtful drafts. Which public entries say that they are drafts, or when they are to be shown?

Before 0.7.0 no one heard `meta.status`, `publish_at` and `expires_at`. What was shown then stays shown, and
its owner is told of it: a write of the same words is heard.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from app.storage.types import StorageConnection

LISTED = 20
_WORDS = ("draft", "publish_at", "expires_at")
_LIKE = " OR ".join(f"lower(CAST(e.data AS TEXT)) LIKE '%{word}%'" for word in _WORDS)
_PUBLIC = f"""
    SELECT p.name, e.id, CAST(e.data AS TEXT) FROM data_entries e JOIN endpoints p ON p.id = e.endpoint_id
    WHERE e.is_active = 1 AND e.visibility = 'public' AND e.shown_from IS NULL AND e.shown_until IS NULL
      AND ({_LIKE})
    ORDER BY e.id
"""


def notes_of(connection: StorageConnection) -> tuple[str, ...]:
    """Return the sentence about them, if there are any. Looks only; of a database of 0.7.0."""
    found = list(_doubtful(connection))
    if not found:
        return ()
    listed = "; ".join(f"{kind} {entry_id} ({', '.join(words)})" for kind, entry_id, words in found[:LISTED])
    more = f"; and {len(found) - LISTED} more" if len(found) > LISTED else ""
    entries = "1 public entry says" if len(found) == 1 else f"{len(found)} public entries say"
    return (
        f"{entries} in meta that it is a draft, or when it is to be shown, which no one heard before 0.7.0: "
        f"{listed}{more}. Who saw them sees them still; written again, these words are heard.",
    )


def _doubtful(connection: StorageConnection) -> Iterator[tuple[str, int, list[str]]]:
    for kind, entry_id, text in connection.each_row(_PUBLIC):
        try:
            content = json.loads(str(text))
        except (ValueError, RecursionError):
            continue
        meta = content.get("meta") if isinstance(content, dict) else None
        words = _said(meta) if isinstance(meta, dict) else []
        if words:
            yield str(kind), int(str(entry_id)), words


def _said(meta: dict[str, object]) -> list[str]:
    status = meta.get("status")
    is_draft = isinstance(status, str) and status.strip().casefold() == "draft"
    named = [word for word in ("publish_at", "expires_at") if meta.get(word) is not None]
    return ["status", *named] if is_draft else named
