"""Views. What is answered of one row: whole, as a stranger sees it, or of a kind? JSON values only."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from app import clock
from app.entries import kinds
from app.entries.endpoints import Endpoint
from app.entries.entry import View
from app.entries.json_safe import Content, read_presentable, whole_text
from app.entries.row_types import EntryRow, StrangersRow
from app.privacy.filter import EntryFilter
from app.privacy.found import FoundAt
from app.privacy.viewer import Viewer

TIMES_KEPT = 2_048
_REPEATED = ("content", "meta")  # members of the data that stand beside it, too


def whole_view(row: EntryRow) -> View:
    """Return an entry as its owner and admins see it: everything, with visibility, owner and slug."""
    return view_of_content(row, *read_presentable(row.data))


def view_of_content(row: EntryRow, content: Content, shown: Any) -> View:
    """Return the same, where it is known what the stored text says, and as what it is answered."""
    view = _view(row, shown)
    view["visibility"] = row.visibility if row.visibility in ("public", "unlisted") else "private"
    view["owner"] = None if row.owner is None else whole_text(row.owner)
    if row.slug is not None:  # of no stranger's view: it is no text that a level filters
        view["slug"] = whole_text(str(row.slug))
    if not content.is_readable:
        view["stored_text"] = whole_text(content.text)
    return view


def strangers_view(
    row: StrangersRow, shown: object, entry_filter: EntryFilter, found: FoundAt | None
) -> View:
    """Return an entry as strangers see it: what the filter of a policy and level leaves of its content.

    ``shown`` is that as it is presentable, ``found`` what was found in its texts (`spans`).
    """
    view = _view(row, entry_filter.view(shown, found))
    if row.changed_at is not None:
        view["updated_at"] = _time(row.changed_at)
    if row.shown_from is not None:  # before that there was nothing to see, whenever it was written
        view["updated_at"] = max(view["updated_at"] or "", _time(row.shown_from) or "")
    return view


def shared_view(row: StrangersRow, shown: object, entry_filter: EntryFilter, found: FoundAt | None) -> View:
    """Return the same for who has a link to it.

    When what is shown of an unlisted entry changed last is not written down, and an edit of what is hidden
    is told to no one: so it is as old as the entry.
    """
    view = strangers_view(row, shown, entry_filter, found)
    if row.changed_at is None:
        view["updated_at"] = max(view["created_at"] or "", (row.shown_from and _time(row.shown_from)) or "")
    return view


def kind_view(endpoint: Endpoint, viewer: Viewer) -> dict[str, Any]:
    """Return a kind.

    That is: name, title, description, schema (JSON Schema of a write), is_public, is_active, is_builtin,
    is_own, created_at; and where there is one an example, and of one's own version and default_visibility. Of
    somebody else's own kind only the name is told: what its owner wrote into it no level filters.
    """
    name = whole_text(endpoint.name)
    view: dict[str, Any] = {
        "name": name,
        "title": name,
        "description": "",
        "schema": kinds.CUSTOM_SCHEMA,
        "is_public": endpoint.is_public,
        "is_active": endpoint.is_active,
        "is_builtin": endpoint.is_built_in,
        "is_own": endpoint.user_id is not None,
        "created_at": None,
    }
    if endpoint.is_built_in:
        known = kinds.built_in()[endpoint.name]
        view |= {"title": known.title, "schema": known.schema, "example": known.example}
        view |= _described(endpoint, known.description)
    elif endpoint.user_id is None:
        view |= _described(endpoint, "")
    elif viewer.owns(endpoint.user_id) or viewer.is_admin:
        view |= _described(endpoint, "")
        view |= {"title": whole_text(endpoint.title or endpoint.name)}
        view |= {"default_visibility": endpoint.default_visibility}
        if endpoint.schema_version is not None:
            view |= {"schema": json.loads(endpoint.schema_text), "version": endpoint.schema_version}
            view |= {"example": json.loads(endpoint.example_text or "null")}
    return view


def _described(endpoint: Endpoint, default: str) -> dict[str, Any]:
    description = whole_text(str(endpoint.description or default))
    return {"description": description, "created_at": _time(endpoint.created_at)}


def _view(row: EntryRow | StrangersRow, data: object) -> View:
    view: View = {"id": row.id}
    if isinstance(data, dict):
        for key in _REPEATED:
            if key in data:
                view[key] = data[key]
    view["data"] = data
    created = view["created_at"] = _time(row.created_at)
    view["updated_at"] = created if row.updated_at is None else _time(row.updated_at)
    return view


def _time(stored: object) -> str | None:
    return None if stored is None else _written(str(stored))


@lru_cache(maxsize=TIMES_KEPT)  # what is read at one time was often written at one time
def _written(stored: str) -> str:
    return whole_text(clock.rfc3339(stored))
