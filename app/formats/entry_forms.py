"""Media types of entries (suffix, Accept). In which forms is an entry answered, and how is each made?

Each is made of the very views that whoever asks is answered as JSON: there is nothing else to make it of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.formats.form_writers import IdOf, Views

_QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")
JSON_TYPE = "application/json"


@dataclass(frozen=True)
class Form:
    """One form of an answer.

    ``kinds`` are those that have it, None every one.
    """

    suffix: str
    media_type: str
    kinds: tuple[str, ...] | None

    @property
    def content_type(self) -> str:
        """The header of an answer."""
        return f"{self.media_type}; charset=utf-8" if self.media_type.startswith("text/") else self.media_type

    def write(self, kind: str, views: Views, is_list: bool, id_of: IdOf) -> bytes | None:
        """Return the form made of a kind and its views: of one view, where ``is_list`` is False.

        None where these views say too little for it. ``id_of`` gives the ids that entries have in feeds.
        """
        from app.formats.form_writers import WRITERS  # half a MB, and most ask for JSON

        return WRITERS[self.suffix](kind, views, is_list, id_of)


CARD_KINDS = ("contact_info", "contacts", "people", "resume")
"""Whose entries are about someone who can be reached."""

CALENDAR_KINDS = ("events",)
FORMS: tuple[Form, ...] = (
    Form("md", "text/markdown", None),
    Form("jsonresume", "application/vnd.jsonresume+json", ("resume",)),
    Form("vcf", "text/vcard", CARD_KINDS),
    Form("ics", "text/calendar", CALENDAR_KINDS),
    Form("atom", "application/atom+xml", None),
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
