"""Unheard words. Which stored entries say who may see them in words that would be refused now?"""

from __future__ import annotations

import json
from dataclasses import dataclass

from app import clock
from app.other_words import words_not_heard
from app.storage.types import StorageConnection
from app.upgrade.legacy.ordinary_texts import (
    HIDDEN_AT_THE_TOP,
    HIDDEN_IN_META,
    PUBLIC,
    SILENT,
    decided,
    with_quick_reading,
)

LISTED = 20
NEEDED = {"data_entries": {"id", "endpoint_id", "data", "is_active"}, "endpoints": {"id", "name", "schema"}}

# (CROSS JOIN: the entries in their order, not by the index of their kinds.)
_ENTRIES = """
    SELECT e.id, p.name, CAST(p.schema AS TEXT), CAST(e.data AS BLOB), {}
    FROM data_entries e CROSS JOIN endpoints p ON p.id = e.endpoint_id
    WHERE e.is_active = 1 AND {}
    ORDER BY e.id
"""


@dataclass(frozen=True)
class Unheard:
    """How many entries there are, and of the first of them kind, id and where the words stand."""

    count: int = 0
    listed: tuple[tuple[str, int, tuple[str, ...]], ...] = ()


class Listening:
    """Hears one entry after the other."""

    def __init__(self) -> None:
        self._now, self._count = clock.now(), 0
        self._listed: list[tuple[str, int, tuple[str, ...]]] = []

    def hear(
        self, entry_id: int, kind: str, schema_text: str | None, stored: bytes | None, has_times: int = 0
    ) -> None:
        """Count the entry where it says what was not heard; its times are where it ``has_times``."""
        words = words_not_heard(
            _parsed(stored), schema_text or "", self._now, are_times_heard=bool(has_times)
        )
        if words:
            self._count += 1
            if len(self._listed) < LISTED:
                self._listed.append((str(kind), int(entry_id), tuple(word.pointer for word in words)))

    def heard(self) -> Unheard:
        """Return what was counted."""
        return Unheard(self._count, tuple(self._listed))


def unheard_words(connection: StorageConnection) -> Unheard:
    """Return the entries, not deleted, whose words would be refused in a new write. Looks only.

    Of a database whose tables have another form nothing is said: its turn comes after the upgrade.
    """
    if not all(needed <= set(connection.columns(table)) for table, needed in NEEDED.items()):
        return Unheard()

    def listen(is_json: str) -> Unheard:
        is_odd = decided({(*SILENT, *PUBLIC, *HIDDEN_IN_META, *HIDDEN_AT_THE_TOP): "0"}, "1", is_json)
        listening = Listening()
        has_times = "e.shown_from IS NOT NULL" if "shown_from" in connection.columns("data_entries") else "0"
        for row in connection.each_row(_ENTRIES.format(has_times, is_odd)):
            listening.hear(*row)
        return listening.heard()

    return with_quick_reading(connection, listen)


def _parsed(stored: bytes | None) -> object:
    try:
        return json.loads((stored or b"").decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
