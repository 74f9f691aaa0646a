"""Unheard words. Which stored entries say who may see them in words that would be refused now?"""

from __future__ import annotations

import json
from dataclasses import dataclass

from app import clock
from app.other_words import USUAL_NAMES, VISIBILITY, WORDS, words_not_heard
from app.storage.types import StorageConnection

LISTED = 20
NEEDED = {"data_entries": {"id", "endpoint_id", "data", "is_active"}, "endpoints": {"id", "name", "schema"}}


_PLACES = ", ".join(f"'{above}.{name}'" for above in ("$", "$.meta") for name in sorted(USUAL_NAMES))
_SAID = [json.dumps({VISIBILITY: word}, separators=(",", ":")) for word in WORDS]
_ORDINARY = ", ".join(
    f"'{rest}'" for rest in ("{}", '{"meta":{}}', *_SAID, *(f'{{"meta":{one}}}' for one in _SAID))
)
# SQLite passes over what surely has no such word, in a fraction of the time that Python takes to read it:
# JSON of which nothing, or a word that is heard, is left without the usual names. All else is read, also what
# SQLite takes for no JSON. (CROSS JOIN: the entries in their order, not by the index of their kinds.)
_ENTRIES = f"""
    SELECT e.id, p.name, CAST(p.schema AS TEXT), CAST(e.data AS BLOB)
    FROM data_entries e CROSS JOIN endpoints p ON p.id = e.endpoint_id
    WHERE e.is_active = 1
        AND CASE WHEN typeof(e.data) = 'text' AND json_valid(e.data)
            THEN json_remove(e.data, {_PLACES}) NOT IN ({_ORDINARY}) ELSE 1 END
    ORDER BY e.id
"""


@dataclass(frozen=True)
class Unheard:
    """How many entries there are, and of the first of them kind, id and where the words stand."""

    count: int = 0
    listed: tuple[tuple[str, int, tuple[str, ...]], ...] = ()


def unheard_words(connection: StorageConnection) -> Unheard:
    """Return the entries, not deleted, whose words would be refused in a new write. Looks only.

    Of a database whose tables have another form nothing is said: its turn comes after the upgrade.
    """
    if not all(needed <= set(connection.columns(table)) for table, needed in NEEDED.items()):
        return Unheard()
    now, count = clock.now(), 0
    listed: list[tuple[str, int, tuple[str, ...]]] = []
    for entry_id, kind, schema_text, stored in connection.each_row(_ENTRIES):
        words = words_not_heard(_parsed(stored), schema_text or "", now)
        if words:
            count += 1
            if len(listed) < LISTED:
                listed.append((str(kind), int(entry_id), tuple(word.pointer for word in words)))
    return Unheard(count, tuple(listed))


def _parsed(stored: bytes | None) -> object:
    try:
        return json.loads((stored or b"").decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
