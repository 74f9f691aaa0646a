"""Writers of forms, by suffix. What makes Markdown, a resume, cards, a calendar or a feed of entries?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from app.formats import atom, icalendar_writing, markdown_writing, vcard_writing
from app.formats.items import Content
from app.formats.json_resume_writing import resume_of

Views = Sequence[Content]
IdOf = Callable[[str], str]
"""The id in feeds of what is named: `entry 7`, `list ideas`."""


def _markdown(kind: str, views: Views, is_list: bool, _id_of: IdOf) -> bytes:
    return markdown_writing.entries(kind, views) if is_list else markdown_writing.entry(kind, views[0])


def _resume(_kind: str, views: Views, _is_list: bool, _id_of: IdOf) -> bytes | None:
    return json.dumps(resume_of(views[0].get("data")), ensure_ascii=False).encode() if views else None


def _cards(kind: str, views: Views, _is_list: bool, _id_of: IdOf) -> bytes:
    return vcard_writing.cards(kind, views)


def _calendar(_kind: str, views: Views, is_list: bool, _id_of: IdOf) -> bytes | None:
    is_any = is_list or icalendar_writing.has_day(views[0])
    return icalendar_writing.calendar(views) if is_any else None


def _feed(kind: str, views: Views, _is_list: bool, id_of: IdOf) -> bytes:
    entries = (atom.feed_entry(kind, view, id_of(f"entry {view['id']}")) for view in views)
    return atom.feed(atom.About(id_of(f"list {kind}"), kind, kind), entries)


WRITERS: Mapping[str, Callable[[str, Views, bool, IdOf], bytes | None]] = {
    "md": _markdown,
    "jsonresume": _resume,
    "vcf": _cards,
    "ics": _calendar,
    "atom": _feed,
}
"""What makes the form of a suffix (`entry_forms.Form.write`)."""
