"""Row types. What is there of an entry where it was read for a list, or for strangers?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Row


class Listed(NamedTuple):
    """What a list needs of an entry whose view is ready."""

    id: int
    endpoint_id: int
    place: int


class StrangersRow(NamedTuple):
    """What the view of an entry is made of; ``changed_at`` is that of the view at the level that is asked."""

    id: int
    endpoint_id: int
    place: int
    data: Any
    created_at: Any
    updated_at: Any
    created_by_id: int | None
    shown_from: Any
    content_hash: Any
    detectors_version: Any
    words_generation: Any
    found: Any
    changed_at: Any


EntryTexts = Row[Any] | StrangersRow
"""A row of an entry with its text, its owner and what was found (`store.FINDINGS`)."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry that was just written, as `find_entry` would give it to its owner."""

    id: int
    data: str
    created_at: str
    created_by_id: int | None
    visibility: str
    owner: str | None
    endpoint_id: int
    slug: str | None = None
    shown_from: str | None = None
    shown_until: str | None = None
    updated_at: None = None


EntryRow = Row[Any] | NewEntry
