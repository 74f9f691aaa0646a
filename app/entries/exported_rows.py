"""Validation of rows of an export (untrusted file). Is there a value that no Daemon would have written?

The command takes what stands in old databases as it is; what comes over HTTP may be anyone's work, and is
held to what the columns are for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from app import clock
from app.entries import carried_rows
from app.entries.export_folder import Exported, ExportedEntry
from app.entries.json_safe import read_content
from app.entries.slugs import is_slug
from app.entries.visibility import WORDS
from app.errors import InvalidContent

NAME_CHARACTERS_MOST = 255
NUMBER_MOST = 1_000_000  # of a state
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?", re.ASCII)
_VIEW_HASH = re.compile(r"[0-9A-Za-z_=+/-]{0,64}")
_NO_JSON = "its text is no JSON that can be read"
_NO_TIME = "one of its times is none"


def fault_of_entry(entry: ExportedEntry, bytes_most: int) -> str | None:
    """Return why an entry could not have been written by a Daemon, None where it could."""
    if len(entry.stored) > bytes_most:
        return f"it has more than {bytes_most:,} bytes"
    if not _is_readable(entry.stored):
        return _NO_JSON
    times = (entry.created_at, entry.updated_at, entry.shown_from, entry.shown_until)
    is_dated = entry.created_at is not None and all(each is None or _is_time(each) for each in times)
    return None if is_dated else _NO_TIME


def check_rows(exported: Exported) -> None:
    """Raise InvalidContent where a row that is no entry's is not as a Daemon writes it."""
    account = exported.account
    _refuse_unless(_is_name(account["username"]) and _is_name(str(account.get("created_at"))), "user.json")
    _refuse_unless(all(map(_is_kind, exported.kinds.values())), "kinds.json")
    carried = exported.carried
    revisions = carried.get(carried_rows.REVISIONS_FILE, ())
    is_whole = all(map(_is_revision, revisions)) and _are_single(revisions, "entry_id", "number")
    _refuse_unless(is_whole, carried_rows.REVISIONS_FILE)
    views = carried.get(carried_rows.VIEWS_FILE, ())
    is_whole = all(map(_is_view, views)) and _are_single(views, "entry_id", "privacy_level")
    _refuse_unless(is_whole, carried_rows.VIEWS_FILE)


def _refuse_unless(is_whole: bool, path: str) -> None:
    if not is_whole:
        raise InvalidContent(f"{path} has a row that is not as Daemon writes it; nothing was imported.")


def _is_kind(row: Mapping[str, Any]) -> bool:
    is_dated = all(row.get(name) is None or _is_time(row[name]) for name in ("created_at", "updated_at"))
    return is_dated and _is_name(row["name"]) and isinstance(row.get("id"), int)


def _is_revision(row: Mapping[str, Any]) -> bool:
    stored = carried_rows.stored_of(row)
    slug, written_at = row.get("slug"), row.get("written_at")
    return (
        row["number"] <= NUMBER_MOST
        and row.get("visibility") in (None, *WORDS)
        and row.get("is_active") in (None, 0, 1)
        and (slug is None or (isinstance(slug, str) and is_slug(slug)))
        and (written_at is None or _is_time(written_at))
        and _is_time(row["ended_at"])
        and _is_readable(stored.encode() if isinstance(stored, str) else stored)
    )


def _is_view(row: Mapping[str, Any]) -> bool:
    changed_at = row.get("changed_at")
    is_dated = changed_at is None or _is_time(changed_at)
    return is_dated and _VIEW_HASH.fullmatch(row["view_hash"]) is not None


def _are_single(rows: Iterable[Mapping[str, Any]], *names: str) -> bool:
    keys = [tuple(row.get(name) for name in names) for row in rows]
    return len(set(keys)) == len(keys)


def _is_readable(stored: bytes) -> bool:
    try:
        return read_content(stored.decode()).is_readable
    except UnicodeDecodeError:
        return False


def _is_time(value: object) -> bool:
    is_form = isinstance(value, str) and _TIME.fullmatch(value) is not None
    return is_form and clock.parse_stored(value) is not None


def _is_name(text: str) -> bool:
    return text.isprintable() and 0 < len(text) <= NAME_CHARACTERS_MOST
