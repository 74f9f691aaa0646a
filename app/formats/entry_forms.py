"""Media types of entries (suffix, Accept). In which forms is an entry answered, and how is each made?

Each is made of the very views that whoever asks is answered as JSON: there is nothing else to make it of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.formats import atom, icalendar_writing, markdown_writing, vcard_writing
from app.formats.items import Content
from app.formats.json_resume_writing import resume_of

Views = Sequence[Content]
IdOf = Callable[[str], str]
"""The id in feeds of what is named: `entry 7`, `list ideas`."""

_QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")
JSON_TYPE = "application/json"


@dataclass(frozen=True)
class Form:
    """One form of an answer.

    ``kinds`` are those that have it, None every one. ``write`` makes it of a kind and its views: of one view,
    where ``is_list`` is False. It returns None where these views say too little for it. It is given, too,
    what gives the ids that entries have in feeds.
    """

    suffix: str
    media_type: str
    kinds: tuple[str, ...] | None
    write: Callable[[str, Views, bool, IdOf], bytes | None]

    @property
    def content_type(self) -> str:
        """The header of an answer."""
        return f"{self.media_type}; charset=utf-8" if self.media_type.startswith("text/") else self.media_type


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


FORMS: tuple[Form, ...] = (
    Form("md", "text/markdown", None, _markdown),
    Form("jsonresume", "application/vnd.jsonresume+json", ("resume",), _resume),
    Form("vcf", "text/vcard", vcard_writing.KINDS, _cards),
    Form("ics", "text/calendar", icalendar_writing.KINDS, _calendar),
    Form("atom", atom.MEDIA_TYPE, None, _feed),
)
"""The forms besides JSON."""

_ALL_TYPES = (JSON_TYPE, *(form.media_type for form in FORMS))
SUFFIXES = ("json", *(form.suffix for form in FORMS))


def forms_of(kind: str) -> tuple[Form, ...]:
    """Return the forms that entries of a kind have besides JSON."""
    return tuple(form for form in FORMS if form.kinds is None or kind in form.kinds)


def without_suffix(name: str) -> tuple[str, str] | None:
    """Return a name without the suffix of a form, and that; None where it has none."""
    stem, dot, suffix = name.rpartition(".")
    return (stem, suffix) if dot and stem and suffix in SUFFIXES else None


def is_json_wanted(accept: str) -> bool:
    """Whether JSON is what a client gets at the address of every kind."""
    return chosen_type(accept, _ALL_TYPES) == JSON_TYPE


def media_types(kind: str) -> tuple[str, ...]:
    """Return what a client may ask for at the addresses of a kind."""
    return (JSON_TYPE, *(form.media_type for form in forms_of(kind)))


@lru_cache(maxsize=256)
def chosen_type(accept: str, offered: tuple[str, ...]) -> str | None:
    """Return which offered media type a client wants most (RFC 9110, 12.5.1); None where it takes none.

    Where it wants several alike, what it names counts before what it takes as well, and then their order.
    """
    if not accept.strip():
        return offered[0]
    ranges = list(_ranges(accept))
    best: tuple[float, int, int] | None = None
    found = None
    for at, media_type in enumerate(offered):
        exactness, quality = max(
            ((len(each), q) for each, q in ranges if _fits(each, media_type)), default=(0, 0.0)
        )
        rank = (quality, int(exactness == len(media_type)), -at)
        if quality > 0 and (best is None or rank > best):
            best, found = rank, media_type
    return found


def takes(accept: str, media_type: str) -> bool:
    """Whether a client takes a media type."""
    return chosen_type(accept, (media_type,)) is not None


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    for part in accept.split(","):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        quality = 1.0
        for each in parameters:
            if each.startswith("q="):
                quality = float(each[2:]) if _QUALITY.fullmatch(each[2:]) else 1.0
        if name:
            yield name, quality


def _fits(wanted: str, media_type: str) -> bool:
    return wanted in ("*/*", media_type, f"{media_type.partition('/')[0]}/*")
