"""Visibility changes: which entries did an old server show to strangers that an upgrade hides, and why?

The old rule, as it was measured: an active entry of an active, public endpoint was shown to every caller,
unless its own ``meta.visibility`` said private or unlisted; whose it was, and what the endpoint's default
said, did not count. Asked inside the upgrade's transaction, when the new visibility of each entry is stored,
and before an upgrade, with the visibility that step 0002 would store.
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from types import ModuleType
from typing import Any

from app.storage.types import StorageConnection
from app.upgrade.legacy.ordinary_texts import (
    HIDDEN_AT_THE_TOP,
    HIDDEN_IN_META,
    PUBLIC,
    SILENT,
    decided,
    with_quick_reading,
)
from app.upgrade.legacy.switches import as_number

Hidden = tuple[dict[str, object], ...]

HIDING_WORDS = ("private", "unlisted")
# What only running a step needs, and takes half a second to import.
_OF_RUNNING_STEPS = ("alembic", "sqlalchemy")

# What hid itself from the old server, where SQL surely reads the text as that one did: no key is doubled.
_HID_ITSELF = """
    CASE WHEN typeof(e.data) = 'text' AND e.data NOT GLOB '*visibility*visibility*'
              AND e.data NOT GLOB '*"meta"*"meta"*' AND json_valid(e.data)
         THEN coalesce(json_extract(e.data, '$.meta.visibility') IN ('private', 'unlisted'), 0) ELSE 0 END
"""
_IS_SHOWN = "(p.is_active = 1 AND p.is_public = 1)"
_IS_OF_ACTIVE = "(coalesce(u.is_active, 0) = 1)"
_COLUMNS = "e.id, p.name, u.username, e.created_by_id, u.is_active, e.visibility, CAST(e.data AS BLOB)"

# What the old server may have shown and the new one shows to strangers no more. (CASE: texts are read last.)
_STORED = f"""
    SELECT {_COLUMNS}
    FROM data_entries e JOIN endpoints p ON p.id = e.endpoint_id LEFT JOIN users u ON u.id = e.created_by_id
    WHERE e.is_active = 1 AND {_IS_SHOWN}
      AND CASE WHEN coalesce(e.visibility, 'private') = 'public' AND {_IS_OF_ACTIVE} THEN 0
          ELSE NOT {{hid_itself}} END
    ORDER BY e.id
"""
# The same of an old database, and each entry that is not ordinary. (CROSS JOIN: in the entries' order.)
_BEFOREHAND = f"""
    SELECT {_COLUMNS}, {{default}}, typeof(e.data), CAST(p.schema AS TEXT),
        {_IS_SHOWN} AND NOT {_HID_ITSELF}
    FROM (SELECT id, endpoint_id, data, is_active, created_by_id, {{visibility}} AS visibility
          FROM data_entries WHERE is_active = 1) e
    CROSS JOIN endpoints p ON p.id = e.endpoint_id LEFT JOIN users u ON u.id = e.created_by_id
    WHERE {{is_looked_at}}
    ORDER BY e.id
"""
# The tables as they are once texts in switches are read, under their own names.
_SWITCHES_READ = f"""
    WITH users AS (SELECT id, username, {as_number("is_active")} AS is_active FROM main.users),
    endpoints AS (SELECT id, name, schema, {as_number("is_active")} AS is_active,
                  {as_number("is_public")} AS is_public FROM main.endpoints),
    data_entries AS (SELECT id, endpoint_id, data, {as_number("is_active")} AS is_active, created_by_id
                     FROM main.data_entries)
"""
SHOWN_BY_OLD_SERVERS = {
    "data_entries": {"id", "endpoint_id", "data", "is_active", "created_by_id"},
    "endpoints": {"id", "name", "schema", "is_active", "is_public"},
    "users": {"id", "username", "is_active"},
}


def hidden_now(connection: StorageConnection) -> Hidden:
    """Return each entry that strangers saw before and do not see now: its id, kind, owner and the reason."""

    def read(is_json: str) -> Hidden:
        answers = {HIDDEN_IN_META: "1", (*SILENT, *PUBLIC, *HIDDEN_AT_THE_TOP): "0"}
        query = _STORED.format(hid_itself=decided(answers, _HID_ITSELF, is_json))
        found = (hidden_entry(row) for row in connection.each_row(query))
        return tuple(entry for entry in found if entry is not None)

    return with_quick_reading(connection, read)


def can_be_asked(connection: StorageConnection) -> bool:
    """Return whether the tables of an old database have the columns that `beforehand` reads."""
    return all(
        needed <= {name.lower() for name in connection.columns(table)}
        for table, needed in SHOWN_BY_OLD_SERVERS.items()
    )


def beforehand(is_json: str, *, has_text: bool) -> str:
    """Return the query for the entries of an old database that may be hidden, or are not ordinary.

    Its rows are those of `as_stepped`, then what the kind declares, and whether the old server showed it.
    ``is_json`` is that of `with_quick_reading`; ``has_text`` where switches hold texts, which an upgrade
    reads first.
    """
    step = step_0002()
    default = step.DEFAULT.replace("data_entries.endpoint_id", "p.id")
    is_looked_at = decided(
        {
            PUBLIC: f"{_IS_SHOWN} AND NOT {_IS_OF_ACTIVE}",
            HIDDEN_IN_META: "0",
            SILENT: f"{_IS_SHOWN} AND NOT ({_IS_OF_ACTIVE} AND {default} = 'public')",
            HIDDEN_AT_THE_TOP: _IS_SHOWN,
        },
        "1",
        is_json,
    )
    query = _BEFOREHAND.format(visibility=step.VISIBILITY, default=default, is_looked_at=is_looked_at)
    return (_SWITCHES_READ if has_text else "") + query


def as_stepped(row: Sequence[Any]) -> tuple[Any, ...]:
    """Return a row of `beforehand` as `hidden_entry` takes it, with the visibility that the step finds."""
    *before, visibility, content, default, form = row
    if visibility == "?":
        step = step_0002()
        visibility = "private" if form == "blob" else step.visibility_of(content or b"", default)
    return (*before, visibility, content)


def by_kind(hidden: Iterable[Mapping[str, object]]) -> dict[str, int]:
    """Return how many of the entries each kind has, the most first."""
    return dict(Counter(str(entry["kind"]) for entry in hidden).most_common())


@cache
def step_0002() -> Any:
    """Return what the step that stores visibility knows: its rule is frozen, and written there alone."""
    name = "0002_v0_2_0_add_privacy.py"
    text = (resources.files("app.upgrade.versions") / "migrations" / "versions" / name).read_bytes()
    tree = ast.parse(text)
    tree.body = [part for part in tree.body if not _is_for_running(part)]
    module = ModuleType("daemon_step_0002")
    exec(compile(tree, name, "exec"), vars(module))
    return module


def _is_for_running(part: ast.stmt) -> bool:
    return isinstance(part, ast.ImportFrom) and str(part.module).partition(".")[0] in _OF_RUNNING_STEPS


def deleted_entries(connection: StorageConnection) -> int:
    """Return how many deleted entries there are: the old server showed them to anyone who asked for them."""
    return int(connection.rows("SELECT count(*) FROM data_entries WHERE is_active = 0")[0][0])


def hidden_entry(row: Iterable[Any]) -> dict[str, object] | None:
    """Return what is to be told of an entry that was perhaps shown, or None where nothing changes.

    The row is of an active entry of a kind that was shown, with its visibility after the upgrade.
    """
    entry_id, kind, owner, owner_id, owner_active, visibility, content = row
    if visibility == "public" and owner_active == 1:
        return None
    said, word = _old_word(content)
    if said and word in HIDING_WORDS:
        return None
    why = _why(owner, owner_id, owner_active, visibility, content)
    return {"id": entry_id, "kind": kind, "owner": owner, "why": why}


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
