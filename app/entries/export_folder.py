"""Validation of an export. Is this folder what `export` wrote, whole and unchanged? All of it is read first.

Links are refused, and so is every name that is not one of an export's: nothing outside the folder is read.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.accounts import privacy_settings
from app.entries import carried_rows
from app.entries import readable_export as readable
from app.entries.export import FORMAT
from app.entries.export_source import MANIFEST, Source, damaged, source_at
from app.entries.json_safe import read_content
from app.entries.own_kinds import VERSIONS_FILE
from app.entries.pictures_transfer import prepared
from app.entries.shown_times import NOT_YET, ShownTimes, shown_times
from app.entries.slugs import is_slug
from app.entries.words_transfer import FILE as WORDS_FILE
from app.errors import InvalidContent, UsageError
from app.ids import LARGEST_ID
from app.privacy.levels import NAMES

Stored = dict[str, Any]
"""One row, by the names of its columns, as it is stored."""

OPTIONAL_FILES = (WORDS_FILE, VERSIONS_FILE, *carried_rows.COLUMNS)
FIXED_FILES = frozenset(
    f"{name}.json" for name in ("user", "privacy_settings", "privacy_rules", "kinds", "api_keys", "audit")
)
CARRIED: dict[str, tuple[str, ...]] = {
    carried_rows.RELEASES_FILE: (),
    carried_rows.REVISIONS_FILE: ("entry_id", "number"),
    carried_rows.VIEWS_FILE: ("entry_id",),
    carried_rows.PICTURES_FILE: (),
}
"""What came with entries, by file, and which of its columns hold an id or a number from 1 on."""

_FILE_OF_ENTRIES = re.compile(r"entries/[A-Za-z0-9%_~-]{1,100}\.json")
_MANIFEST_BYTES = 10_000_000
MOST_BYTES = 1_000_000_000  # of all files together: they are read into memory
_LARGEST_NUMBER = 2**63
_STORED_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]{8,15}")
# What an import knows to carry over or to leave. Another column might hide something: it is not passed over.
_TIMES = ("created_at", "updated_at")
COLUMNS: dict[str, frozenset[str]] = {
    **carried_rows.COLUMNS,
    "user.json": frozenset(
        (
            *("id", "username", "username_key", "full_name", "email", "is_active", "is_admin"),
            *("created_at", "last_login", "token_generation", "role", "email_key", "erased_at"),
        )
    ),
    "privacy_settings.json": privacy_settings.COLUMNS,
    "privacy_rules.json": frozenset(
        ("id", "endpoint_name", "field_path", "field_name", "pattern", "privacy_level", "is_active", *_TIMES)
    ),
    "kinds.json": frozenset(
        (
            *("id", "name", "description", "schema", "is_active", "is_public", "created_by_id", *_TIMES),
            *("user_id", "short_name", "is_shipped", "title", "default_visibility", "example"),
            "schema_version",
        )
    ),
    WORDS_FILE: frozenset(("count", "salt", "nonce", "encrypted")),
    VERSIONS_FILE: frozenset(("endpoint_id", "version", "schema", "example", "created_at")),
    "entries": frozenset(
        (
            *("id", "endpoint_id", "is_active", "created_by_id", "visibility", "slug", *_TIMES),
            *("kind", "stored", "stored_base64", "shown_from", "shown_until", "revision"),
        )
    ),
}
_NAME_CHARACTERS = 100


@dataclass(frozen=True)
class ExportedEntry:
    """An entry as it was stored there; ``stored`` is its text in bytes, ``kind`` None where it had none.

    Strangers see it from ``shown_from`` on and before ``shown_until``.
    """

    id: int
    kind: str | None
    stored: bytes
    visibility: str
    is_active: bool
    created_at: object
    updated_at: object
    slug: str | None = None
    shown_from: str | None = None
    shown_until: str | None = None


@dataclass(frozen=True)
class Exported:
    """All that is imported of an export. ``account``, ``settings``, ``kinds`` and ``rules`` are rows."""

    privacy_level: str
    account: Stored
    settings: tuple[Stored, ...]
    rules: tuple[Stored, ...]
    kinds: dict[str, Stored]
    entries: tuple[ExportedEntry, ...]
    keys_count: int
    words: Stored | None = None
    kind_versions: tuple[Stored, ...] = ()
    carried: dict[str, tuple[Stored, ...]] = field(default_factory=dict)
    sha256: str = ""
    lacks_rules: bool = False

    @property
    def username(self) -> str:
        """Whose export it is."""
        return str(self.account["username"])


def read_export(path: Path) -> Exported:
    """Return what a folder or ZIP that `export` wrote holds; see `read_from`. Raises as that."""
    return read_from(source_at(path))


def read_from(source: Source) -> Exported:
    """Return what the files of an export hold. Nothing is written.

    Raises UsageError for what is no export, has another format, or holds a link or an odd name; Damaged for
    what is not as it was written.
    """
    said = source.content(MANIFEST, _MANIFEST_BYTES)
    manifest = _parsed(MANIFEST, said)
    facts = _checked_manifest(manifest)
    rows = {path: _rows(source, path, said) for path, said in facts.items()}
    if len(rows["user.json"]) != 1 or len(rows["privacy_settings.json"]) > 1:
        damaged("user.json", "it is about one person")
    kinds = {_text(row, "name", "kinds.json", _is_name): row for row in rows["kinds.json"]}
    of_entries = [path for path in facts if path not in (*FIXED_FILES, *OPTIONAL_FILES)]
    entries = [_entry(row, path) for path in of_entries for row in rows[path]]
    if len({each.id for each in entries}) != len(entries):
        damaged("entries", "an id is there twice")
    if missing := {each.kind for each in entries if each.kind is not None} - set(kinds):
        damaged("kinds.json", f"the kind {min(missing)!r} is missing")
    return Exported(
        privacy_level=manifest["privacy_level"],
        lacks_rules=manifest.get("rules_left_out", 0) != 0,
        account=_account(rows["user.json"][0], manifest),
        settings=tuple(rows["privacy_settings.json"]),
        rules=tuple(rows["privacy_rules.json"]),
        kinds=kinds,
        entries=tuple(entries),
        keys_count=len(rows["api_keys.json"]),
        words=next(iter(rows.get(WORDS_FILE, [])), None),
        kind_versions=tuple(rows.get(VERSIONS_FILE, [])),
        carried={path: tuple(_carried(row, path) for row in rows.get(path, [])) for path in CARRIED},
        sha256=hashlib.sha256(said).hexdigest(),
    )


# -- files


def _parsed(path: str, content: bytes) -> Any:
    try:
        value = json.loads(content.decode("utf-8"))
        json.dumps(value, ensure_ascii=False).encode()  # raises for half a character
    except (ValueError, RecursionError):
        damaged(path, "it is not UTF-8 JSON")
    if not isinstance(value, dict):
        damaged(path, "it is no JSON object")
    if value.get("format") != FORMAT:
        said = str(value.get("format"))[:20]
        raise UsageError(
            f"{path} is of format {said}; this Daemon imports format {FORMAT}.",
            hint="Import it with the version of Daemon that wrote it, or a newer one.",
        )
    return value


def _checked_manifest(manifest: Stored) -> dict[str, Stored]:
    """Return the files of a manifest with what it says of each; raises as `read_export`."""
    files = manifest.get("files")
    if not isinstance(files, dict) or manifest.get("privacy_level") not in NAMES:
        damaged(MANIFEST, "its files or its privacy_level are missing")
    for path, said in files.items():
        is_known = path in (*FIXED_FILES, *OPTIONAL_FILES) or _FILE_OF_ENTRIES.fullmatch(path)
        if not is_known and not readable.is_to_read(path):
            raise UsageError(f"{MANIFEST} names {path[:100]!r}, which is no file of an export.")
        numbers = [said.get("bytes"), said.get("rows", 0)] if isinstance(said, dict) else [None]
        is_whole = all(map(_is_number, numbers))
        if not is_whole or not isinstance(said.get("sha256"), str):
            damaged(MANIFEST, f"what it says of {path} is not whole")
    if missing := FIXED_FILES - set(files):
        damaged(MANIFEST, f"it does not name {min(missing)}")
    if sum(said["bytes"] for said in files.values()) > MOST_BYTES:
        raise UsageError(f"The export has more than {MOST_BYTES:,} bytes; so much is not imported at once.")
    return {path: said for path, said in files.items() if not readable.is_to_read(path)}


def _rows(source: Source, path: str, said: Stored) -> list[Stored]:
    content = source.content(path, said["bytes"])
    if len(content) != said["bytes"] or hashlib.sha256(content).hexdigest() != said["sha256"]:
        damaged(path, "its size or SHA-256 is not the manifest's")
    rows = _parsed(path, content).get("rows")
    if not isinstance(rows, list) or len(rows) != said.get("rows", len(rows)):
        damaged(path, "it has not the rows that the manifest counts")
    return [_row(row, path) for row in rows]


# -- rows


def _row(row: object, path: str) -> Stored:
    if not isinstance(row, dict):
        damaged(path, "a row of it is no object")
    if path in COLUMNS or path not in FIXED_FILES:
        _refuse_unknown(set(row) - COLUMNS.get(path, COLUMNS["entries"]), path)
    return {name: _value(value, path) for name, value in row.items()}


def _refuse_unknown(names: set[str], path: str) -> None:
    if names:
        raise UsageError(
            f"{path} has {min(names)[:60]!r}, which this version of Daemon does not know.",
            hint="Import it with the version of Daemon that wrote it, or a newer one.",
        )


def _value(value: object, path: str) -> object:
    """Return what a column held: text, a number, nothing, or bytes (in the export ``{"base64": ...}``)."""
    if isinstance(value, dict) and list(value) == ["base64"]:
        return _decoded(value["base64"], path)
    if isinstance(value, int) and not -_LARGEST_NUMBER <= value < _LARGEST_NUMBER:
        damaged(path, "a number in it is too large")
    if not isinstance(value, str | int | float | None):
        damaged(path, "a value in it is none of a database's")
    return value


def _account(row: Stored, manifest: Stored) -> Stored:
    if _text(row, "username", "user.json") != manifest.get("username") or not _is_id(row.get("id")):
        damaged("user.json", "it is not about the manifest's username")
    return row


def _entry(row: Stored, path: str) -> ExportedEntry:
    kind = row.get("kind")
    if not _is_id(row.get("id")):
        damaged(path, "an entry has no id")
    if "stored" in row:
        stored = _text(row, "stored", path, lambda _: True).encode()
    else:
        stored = _decoded(row.get("stored_base64"), path)
    times = _times(row, stored, path)
    return ExportedEntry(
        id=row["id"],
        kind=None if kind is None else _text(row, "kind", path),
        stored=stored,
        visibility=row["visibility"] if row.get("visibility") in ("public", "unlisted") else "private",
        is_active=row.get("is_active") == 1,
        created_at=row.get("created_at"),
        updated_at=row.get("updated_at"),
        slug=row["slug"] if is_slug(str(row.get("slug"))) else None,
        shown_from=times.shown_from,
        shown_until=times.shown_until,
    )


def _carried(row: Stored, path: str) -> Stored:
    """Return a row that came with an entry, if it is one that can be written."""
    for name in CARRIED[path]:
        if not _is_id(row.get(name)):
            damaged(path, f"{name} of a row is no id")
    if path == carried_rows.REVISIONS_FILE:
        try:
            carried_rows.stored_of(row)
        except (ValueError, KeyError, TypeError):
            damaged(path, "what a revision has stored cannot be read")
        _text(row, "ended_at", path)
        _text({"more": row.get("more") or "{}"}, "more", path, _is_object)
    elif path == carried_rows.PICTURES_FILE:
        return _picture(row, path)
    elif path == carried_rows.VIEWS_FILE:
        _text(row, "view_hash", path, lambda _: True)
    else:
        for name in ("entry_id", "endpoint_id"):
            if row.get(name) is not None and not _is_id(row[name]):
                damaged(path, f"{name} of a row is no id")
        for name in ("detector", "value"):
            if row.get(name) is not None:
                _text(row, name, path)
    return (
        {**dict.fromkeys(("entry_id", "endpoint_id")), **row} if path == carried_rows.RELEASES_FILE else row
    )


def _picture(row: Stored, path: str) -> Stored:
    if row.get("entry_id") is not None and not _is_id(row["entry_id"]):
        damaged(path, "entry_id of a row is no id")
    try:
        return prepared({"entry_id": None, **row})
    except (InvalidContent, ValueError, KeyError, TypeError):
        damaged(path, "a picture in it cannot be read")


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _times(row: Stored, stored: bytes, path: str) -> ShownTimes:
    """Return when strangers saw it there; of an export from before 0.7.0 what its text says of it."""
    if set(ShownTimes._fields) & row.keys():
        return ShownTimes(_time(row, "shown_from", path), _time(row, "shown_until", path))
    try:
        return shown_times(read_content(stored.decode("utf-8", "replace")).value)
    except InvalidContent:
        return ShownTimes(shown_from=NOT_YET)


def _text(row: Stored, name: str, path: str, fits: Callable[[str], object] = bool) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not fits(value):
        damaged(path, f"{name} of a row is no text that fits")
    return value


def _time(row: Stored, name: str, path: str) -> str | None:
    """A moment that hides an entry: one that cannot be read would show it."""
    return None if row.get(name) is None else _text(row, name, path, _STORED_TIME.fullmatch)


def _is_name(text: str) -> bool:
    return 0 < len(text) <= _NAME_CHARACTERS


def _decoded(value: object, path: str) -> bytes:
    try:
        return base64.b64decode(value if isinstance(value, str) else "!", validate=True)
    except ValueError:
        damaged(path, "a value in it is no Base64")


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST_NUMBER


def _is_id(value: object) -> bool:
    return _is_number(value) and isinstance(value, int) and 0 < value < LARGEST_ID
