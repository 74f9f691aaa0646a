"""Synonyms of visibility. Which words of an entry say who may see it, and are not `visibility`?

Front matter says `draft: true` or `published: false`, a hasty hand `visiblity`. Kept and ignored they would
publish what its writer meant to hold back; so a new write with one is refused, and `upgrade check` lists what
is stored with one. Looked at is where `visibility` counts: the top and `meta`. A field that the kind itself
declares is the kind's own, and what `status` says is not judged here (`entries.shown_times`). Pure.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from app.nearest import edits, nearest

VISIBILITY = "visibility"
PUBLISH_AT = "publish_at"
WORDS = ("public", "unlisted", "private")
HIDING_IF_TRUE = frozenset(
    {"draft", "private", "hidden", "unlisted", "unpublished", "confidential", "nopublish", "donotpublish"}
)
HIDING_IF_FALSE = frozenset({"published", "publish", "public", "visible", "listed", "dgpublish"})
HIDING_IF_TO_COME = frozenset(
    {
        *(
            "publishat",
            "publishedat",
            "publishon",
            "publishdate",
            "publishtime",
            "publishafter",
            "publishfrom",
        ),
        *("pubdate", "golive", "goliveat", "visiblefrom", "publicfrom", "embargountil"),
    }
)
"""Names without case, separators and a leading ``is``."""

WORDS_OF_THEIR_OWN = frozenset({"viability", "disability", "divisibility", "miscibility", "risibility"})
"""English, and two edits or fewer from `visibility`."""

LONGEST_NAME = 60
META = frozenset({"meta", "metadata", "frontmatter"})
USUAL_NAMES = frozenset(
    {"content", "title", "date", "tags", "name", "description", "category", "status", "url"}
)
_LETTERS = frozenset(VISIBILITY)
_YES = frozenset({"true", "yes", "on", "y", "t", "1"})
_NO = frozenset({"false", "no", "off", "n", "f", "0", "never"})
_DAY = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?")


@dataclass(frozen=True)
class OtherWord:
    """A word that would be refused: its JSON Pointer, its value, and what is wrong, in a sentence's part."""

    pointer: str
    value: object
    detail: str


def words_not_heard(
    content: object, schema_text: str, now: datetime, *, are_times_heard: bool = True
) -> list[OtherWord]:
    """Return the words in ``content`` that a new write may not have, in order; most entries have none.

    ``schema_text`` is what the row of its kind declares. An entry that says ``private`` or ``unlisted``
    itself is held back already: its other words are notes. ``are_times_heard``: whether `publish_at` in
    `meta` counts, as it does in what was written since 0.7.0.
    """
    if is_ordinary(content):
        return []
    said = [value[VISIBILITY] for pointer, value in _places(content) if _says(pointer, value)]
    is_held_back = all(map(_is_word, said)) and any(word != "public" for word in said)
    if is_held_back:
        return []
    return other_words(content, schema_text, now, are_times_heard=are_times_heard)


def is_ordinary(content: object) -> bool:
    """Whether there is surely nothing to be found; most entries are so, and there may be many to look at."""
    if not isinstance(content, dict):
        return True
    for name, value in content.items():
        if name == "meta" and isinstance(value, dict):
            if not all(_is_harmless(one) or (one == VISIBILITY and _is_word(value[one])) for one in value):
                return False
        elif not _is_harmless(name) or (isinstance(value, dict) and _is_nearly_meta(name)):
            return False
    return True


def other_words(
    content: object, schema_text: str, now: datetime, *, are_times_heard: bool = True
) -> list[OtherWord]:
    """Return the same words, whatever else the entry says."""
    places = list(_places(content))
    said = [(pointer, value[VISIBILITY]) for pointer, value in places if _says(pointer, value)]
    unknown = [_unknown_word(f"{pointer}/{VISIBILITY}", word) for pointer, word in said if not _is_word(word)]
    found = [
        (f"{pointer}/{name}", word)
        for pointer, value in places
        for name, child in value.items()
        if not (are_times_heard and pointer == "/meta" and name == PUBLISH_AT)
        and not _is_harmless(name)
        and (word := _word(pointer, name, child, now)) is not None
    ]
    declared = _declared(schema_text) if found else frozenset()
    return unknown + [word for place, word in found if place not in declared]


def _places(content: object) -> Iterator[tuple[str, dict[str, object]]]:
    """Where `visibility` counts, and where someone may have taken it to count, by pointer."""
    if not isinstance(content, dict):
        return
    yield "", content
    for name, value in content.items():
        if isinstance(value, dict) and _is_nearly_meta(name):
            yield f"/{_escaped(name)}", value


def _is_nearly_meta(name: str) -> bool:
    return len(name) <= LONGEST_NAME and _plain(name) in META


def _says(pointer: str, value: dict[str, object]) -> bool:
    return VISIBILITY in value and pointer in ("", "/meta")


def _is_word(word: object) -> bool:
    return isinstance(word, str) and word in WORDS


def _unknown_word(pointer: str, word: object) -> OtherWord:
    known = ", ".join(WORDS)
    if not isinstance(word, str):
        return OtherWord(pointer, word, f"must be one of {known}")
    return OtherWord(pointer, word, f"must be one of {known}; {nearest(word, WORDS)!r} is the nearest")


def _word(pointer: str, name: str, value: object, now: datetime) -> OtherWord | None:
    """What is wrong with one member of a place, None for nothing."""
    here, plain = f"{pointer}/{_escaped(name)}", _without_is(name)
    if name == VISIBILITY:
        is_heard = pointer in ("", "/meta") or value == "public"
        return None if is_heard else OtherWord(here, value, "visibility counts at the top and in meta only")
    if is_nearly_visibility(name):
        return OtherWord(here, value, "it is nearly visibility, and would not be heard")
    is_hiding = _as_bool(value) is (plain in HIDING_IF_TRUE)
    if is_hiding and plain in HIDING_IF_TRUE | HIDING_IF_FALSE:
        return OtherWord(here, value, "it would not be heard: visibility says who may see an entry")
    if plain in HIDING_IF_TO_COME and is_to_come(value, now):
        return OtherWord(here, value, f"it would not be heard: {PUBLISH_AT} in meta says when")
    return None


@lru_cache(maxsize=4096)
def _is_harmless_and_short(name: str) -> bool:
    plain = _without_is(name)
    hides = HIDING_IF_TRUE | HIDING_IF_FALSE | HIDING_IF_TO_COME
    return plain not in hides and name != VISIBILITY and not is_nearly_visibility(name)


def _is_harmless(name: str) -> bool:
    """Whether a name says nothing about who may see an entry, whatever its value."""
    return name in USUAL_NAMES or len(name) > LONGEST_NAME or _is_harmless_and_short(name)


def _without_is(name: str) -> str:
    plain = _plain(name)
    return plain.removeprefix("is") if plain.startswith("is") else plain


def is_nearly_visibility(name: str) -> bool:
    """Return whether a name is two edits or fewer from `visibility`, or that in other case or separators."""
    plain = _plain(name)
    if plain in WORDS_OF_THEIR_OWN or name == VISIBILITY or not 8 <= len(plain) <= 12:
        return False
    return (
        len(_LETTERS.difference(plain)) <= 2 and edits(plain, VISIBILITY) <= 2
    )  # letters are fast to compare


def is_to_come(value: object, now: datetime) -> bool:
    """Return whether a value is a time after ``now``; a text that cannot be read as a time may be one."""
    if isinstance(value, bool) or value is None or value == "":
        return False
    if isinstance(value, int | float):
        return _number_is_to_come(value, now)
    if not isinstance(value, str):
        return False
    moment = _moment(value.strip())
    return moment is None or moment > now


def _number_is_to_come(value: int | float, now: datetime) -> bool:
    """A year, or seconds or milliseconds since 1970."""
    if abs(value) < 10_000:
        return value > now.year
    return value / (1_000 if abs(value) > 100_000_000_000 else 1) > now.timestamp()


def _moment(text: str) -> datetime | None:
    """What moment a text means, as people and programs write one; None where that cannot be told."""
    for read in (datetime.fromisoformat, parsedate_to_datetime, _beginning_of_day):
        try:
            moment = read(text)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    years = [int(year) for year in re.findall(r"(?<!\d)\d{4}(?!\d)", text)]
    return datetime(max(max(years), 1), 1, 1, tzinfo=UTC) if years else None


def _beginning_of_day(text: str) -> datetime:
    match = _DAY.fullmatch(text)
    if match is None:
        raise ValueError(text)
    year, month, day = (int(part or 1) for part in match.groups())
    return datetime(year, month, day)


def _as_bool(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    text = value.strip().casefold() if isinstance(value, str) else str(value) if value in (0, 1) else ""
    return True if text in _YES else False if text in _NO else None


def _plain(name: str) -> str:
    """A name without case and separators."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", name).casefold())


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


@lru_cache(maxsize=64)
def _declared(schema_text: str) -> frozenset[str]:
    """The places that a kind declares itself: of a JSON Schema, or of the flat list of older rows."""
    try:
        schema = json.loads(schema_text)
    except (ValueError, TypeError, RecursionError):
        return frozenset()
    top = _members(schema if isinstance(schema, dict) else {})
    meta = top.get("meta")
    within = _members(meta) if isinstance(meta, dict) else {}
    return frozenset([*(f"/{name}" for name in top), *(f"/meta/{name}" for name in within if name != "type")])


def _members(schema: dict[str, object]) -> dict[str, object]:
    below = schema.get("properties")
    found = below if isinstance(below, dict) else schema
    return {name: field for name, field in found.items() if isinstance(field, dict)}
