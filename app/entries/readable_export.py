"""Export for people and other programs (Markdown, JSON Resume, vCard, iCalendar, Atom, schemas, README).

It stands beside the files that an import reads, is made of the same rows, and is passed over by one. All of
it is the owner's whole view: private entries too, deleted ones not. Only the feed is what may be published.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from urllib.parse import quote

from app import __version__, clock
from app.entries import access, kinds
from app.entries.carried_rows import Stored, stored_of
from app.entries.entry import View
from app.entries.json_safe import presentable, read_content, whole_text
from app.entries.shown_times import ShownTimes, is_within
from app.formats import atom, icalendar_writing, markdown_writing, vcard_writing
from app.formats.archive import CHECKSUMS, Member
from app.formats.entry_forms import CALENDAR_KINDS, CARD_KINDS
from app.formats.json_resume_writing import resume_of

FOLDERS = ("markdown/", "schemas/", "media/", "resume/")
FILES = ("README.md", "contacts.vcf", "events.ics", "feed.atom", CHECKSUMS)

_README = """\
# Export of {username}

Made by Daemon {version}. Nothing of it needs Daemon to be read: it is JSON, Markdown, and formats that other programs know.

| file | what is in it |
|---|---|
| `markdown/KIND/NAME.md` | every entry that is not deleted: front matter (YAML) and text |
| `resume/` | resumes as JSON Resume 1.0.0 |
| `contacts.vcf` | people and ways to reach them, as vCard 4.0 |
| `events.ics` | events that say a day, as iCalendar |
| `feed.atom` | what is public now, as an Atom feed; everything else here may be private |
| `schemas/KIND.json` | the JSON Schema of each kind; `kind_versions.json` has the earlier ones of your own |
| `media/` | your pictures, in their largest size: `avatar.webp`, and `ENTRY-NUMBER.webp` of each entry; `pictures.json` says what is in them |
| `entries/KIND.json` | every entry as it is stored, deleted ones too: `id`, `kind`, `stored` (the JSON of the entry, with its `meta`), `visibility` (private where it is null), `slug`, `created_at`, `updated_at`, `is_active` (0: deleted), `shown_from`, `shown_until` |
| `revisions.json`, `releases.json`, `view_changes.json` | earlier states of entries, what was released of findings, when views changed |
| `user.json`, `privacy_settings.json`, `privacy_rules.json`, `never_words.json` | the account and what hides (the words are encrypted, or only counted) |
| `kinds.json`, `api_keys.json`, `audit.json` | the kinds of the entries, the names of keys (no keys), what you did |
| `manifest.json`, `SHA256SUMS` | every file with its size and SHA-256; to check them: `sha256sum -c SHA256SUMS` |

Times are in UTC. Into another Daemon: `daemon import EXPORT.zip --dry-run`, then without `--dry-run`.
"""  # noqa: E501 - a table


def is_to_read(path: str) -> bool:
    """Whether a file of an export is for people and other programs, and no import reads it."""
    return path in FILES or path.startswith(FOLDERS)


def readme(username: str) -> bytes:
    """Return what says what is what."""
    return _README.format(username=whole_text(username), version=__version__).encode("utf-8", "replace")


def readable_members(
    username: str,
    entries: Iterable[Stored],
    kind_rows: Iterable[Stored],
    picture_rows: Iterable[Stored] = (),
) -> Iterator[Member]:
    """Yield the files. ``entries`` are exported rows in their order, ``kind_rows`` those of their kinds."""
    shown = [row for row in entries if row.get("is_active") == 1 and row.get("kind")]
    views = [(str(row["kind"]), _view(row)) for row in shown]
    yield Member("README.md", [readme(username)])
    taken: set[str] = set()
    for kind, view in views:
        path = _path(kind, view, taken)
        yield Member(path, [markdown_writing.entry(kind, view)])
    for view in (view for kind, view in views if kind == "resume"):
        text = json.dumps(resume_of(view["data"]), ensure_ascii=False, indent=2)
        yield Member(f"resume/{view['id']}.json", [text.encode(), b"\n"])
    cards = [vcard_writing.cards(kind, [view]) for kind, view in views if kind in CARD_KINDS]
    yield Member("contacts.vcf", cards)
    events = [view for kind, view in views if kind in CALENDAR_KINDS]
    yield Member("events.ics", [icalendar_writing.calendar(events)])
    yield Member("feed.atom", [_feed(username, zip(shown, views, strict=True))])
    for row in kind_rows:
        yield Member(f"schemas/{_name(str(row['name']))}.json", [_schema(row)])
    for row in picture_rows:
        of_entry = row["entry_id"] is not None
        name = f"{row['entry_id']}-{row['number']}" if of_entry else "avatar"
        yield Member(f"media/{name}.webp", [base64.b64decode(row["content_base64"])])


def _view(row: Stored) -> View:
    content = read_content(stored_of(row))
    view: View = {
        "id": row["id"],
        "data": presentable(content.value) if content.is_readable else content.text,
        "created_at": _time(row.get("created_at")),
        "updated_at": _time(row.get("updated_at") or row.get("created_at")),
        "visibility": row["visibility"] if row.get("visibility") in ("public", "unlisted") else "private",
    }
    return view if row.get("slug") is None else {**view, "slug": whole_text(str(row["slug"]))}


def _time(stored: object) -> str | None:
    return None if stored is None else whole_text(clock.rfc3339(str(stored)))


def _name(text: str) -> str:
    return quote(text, safe="", errors="replace").replace(".", "%2E")[:100] or "%"


def _path(kind: str, view: View, taken: set[str]) -> str:
    path = f"markdown/{_name(kind)}/{_name(view.get('slug') or str(view['id']))}.md"
    if path in taken:  # names of kinds that differ in what is cut off
        path = path.removesuffix(".md") + f"-{view['id']}.md"
    taken.add(path)
    return path


def _feed(username: str, found: Iterable[tuple[Stored, tuple[str, View]]]) -> bytes:
    now, origin = clock.now(), f"urn:daemon:{quote(username, safe='', errors='replace')}"
    entries = [
        atom.feed_entry(kind, view, f"{origin}:{kind}:{view['id']}")
        for row, (kind, view) in found
        if view["visibility"] == "public" and access.is_text_public(view["data"]) and _is_now(row, now)
    ]
    return atom.feed(atom.About(origin, whole_text(username), whole_text(username)), entries)


def _is_now(row: Stored, now: datetime) -> bool:
    return is_within(ShownTimes(row.get("shown_from"), row.get("shown_until")), now)


def _schema(row: Stored) -> bytes:
    name = str(row["name"])
    is_built_in = row.get("user_id") is None and kinds.is_built_in(
        name, is_shipped=row.get("is_shipped") == 1
    )
    if is_built_in:
        return json.dumps(kinds.built_in()[name].schema, indent=2).encode() + b"\n"
    return str(row.get("schema") or "{}").encode("utf-8", "replace") + b"\n"
