"""Visibility changes: which entries did an old server show to strangers that an upgrade hides, and why?

The old rule, as it was measured: an active entry of an active, public endpoint was shown to every caller,
unless its own ``meta.visibility`` said private or unlisted; whose it was, and what the endpoint's default
said, did not count. Asked inside the upgrade's transaction, when the new visibility of each entry is stored,
and before an upgrade, with the visibility that step 0002 would store.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

from app.storage.types import StorageConnection
from app.upgrade.legacy.switches import as_number

HIDING_WORDS = ("private", "unlisted")

# What hid itself from the old server, where SQL surely reads the text as that one did: no key is doubled.
_HID_ITSELF = """
    CASE WHEN typeof(e.data) = 'text' AND e.data NOT GLOB '*visibility*visibility*'
              AND e.data NOT GLOB '*"meta"*"meta"*' AND json_valid(e.data)
         THEN coalesce(json_extract(e.data, '$.meta.visibility') IN ('private', 'unlisted'), 0) ELSE 0 END
"""

# What the old server may have shown and the new one shows to strangers no more; "entries" says which rows.
_CANDIDATES = f"""
    SELECT e.id, p.name, u.username, e.created_by_id, u.is_active, e.visibility, CAST(e.data AS BLOB),
        CASE WHEN e.visibility = '?' THEN {{default}} END, typeof(e.data)
    FROM {{entries}} e JOIN endpoints p ON p.id = e.endpoint_id LEFT JOIN users u ON u.id = e.created_by_id
    WHERE e.is_active = 1 AND p.is_active = 1 AND p.is_public = 1
      AND NOT (coalesce(e.visibility, 'private') = 'public' AND coalesce(u.is_active, 0) = 1)
      AND NOT {_HID_ITSELF}
    ORDER BY e.id
"""
# The tables as they are once texts in switches are read, under their own names.
_SWITCHES_READ = f"""
    WITH users AS (SELECT id, username, {as_number("is_active")} AS is_active FROM main.users),
    endpoints AS (SELECT id, name, {as_number("is_active")} AS is_active,
                  {as_number("is_public")} AS is_public FROM main.endpoints),
    data_entries AS (SELECT id, endpoint_id, data, {as_number("is_active")} AS is_active, created_by_id
                     FROM main.data_entries)
"""
_STORED = _CANDIDATES.format(entries="data_entries", default="NULL")
SHOWN_BY_OLD_SERVERS = {
    "data_entries": {"id", "endpoint_id", "data", "is_active", "created_by_id"},
    "endpoints": {"id", "name", "is_active", "is_public"},
    "users": {"id", "username", "is_active"},
}


def hidden_now(connection: StorageConnection) -> tuple[dict[str, object], ...]:
    """Return each entry that strangers saw before and do not see now: its id, kind, owner and the reason."""
    return tuple(_hidden(connection.each_row(_STORED)))


def hidden_beforehand(
    connection: StorageConnection, *, has_text: bool = False
) -> tuple[dict[str, object], ...] | None:
    """Return what `hidden_now` would return after an upgrade of this old database. Looks only.

    None where the tables have a form from which it cannot be read: only a rehearsal can tell. ``has_text``
    where switches hold texts, which the upgrade reads first.
    """
    if not all(
        needed <= {name.lower() for name in connection.columns(table)}
        for table, needed in SHOWN_BY_OLD_SERVERS.items()
    ):
        return None
    step = step_0002()
    entries = (
        f"(SELECT id, endpoint_id, data, is_active, created_by_id, {step.VISIBILITY} AS visibility"
        " FROM data_entries WHERE is_active = 1)"
    )
    default = step.DEFAULT.replace("data_entries.endpoint_id", "p.id")
    query = _CANDIDATES.format(entries=entries, default=default)
    found = connection.each_row((_SWITCHES_READ if has_text else "") + query)
    return tuple(_hidden(_decided(found, step)))


def by_kind(hidden: Iterable[Mapping[str, object]]) -> dict[str, int]:
    """Return how many of the entries each kind has, the most first."""
    return dict(Counter(str(entry["kind"]) for entry in hidden).most_common())


def _decided(rows: Iterable[tuple[Any, ...]], step: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the rows with the visibility that the step finds where SQL alone cannot, less what is public."""
    for row in rows:
        *before, visibility, content, default, form = row
        if visibility == "?":
            visibility = "private" if form == "blob" else step.visibility_of(content or b"", default)
            if visibility == "public" and before[-1] == 1:
                continue
        yield (*before, visibility, content, default, form)


@cache
def step_0002() -> Any:
    """Return the module of the step that stores visibility: its rule is frozen, and written there alone."""
    place = resources.files("app.upgrade.versions") / "migrations" / "versions" / "0002_v0_2_0_add_privacy.py"
    spec = spec_from_file_location("daemon_step_0002", str(place))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def deleted_entries(connection: StorageConnection) -> int:
    """Return how many deleted entries there are: the old server showed them to anyone who asked for them."""
    return int(connection.rows("SELECT count(*) FROM data_entries WHERE is_active = 0")[0][0])


def _hidden(rows: Iterable[tuple[Any, ...]]) -> Iterator[dict[str, object]]:
    for entry_id, kind, owner, owner_id, owner_active, visibility, content, *_ in rows:
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
