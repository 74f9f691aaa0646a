"""Entry as a page has it. What are title, date, words and facts of a view, in order to be read?

A view is what strangers are shown (`entries.views`), whatever kind it is of: nothing here adds to it. No name
of a field is shown as it stands, and what says nothing is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal
from urllib.parse import urlsplit

from markupsafe import Markup

from app.entries.kinds import built_in
from app.entries.partial_dates import span_of
from app.web.pages.markdown import as_html, first_heading, plain
from app.web.words import _, mark

TITLES = ("title", "name", "position", "role", "degree", "activity", "dish", "question", "claim")
SUBTITLES = ("company", "institution", "school", "organization", "org", "publisher", "author")
TEXTS = ("content", "summary", "bio", "description", "body", "text", "quote")
DATES = ("date", "year", "since")
_BEGINS, _ENDS = ("start_date", "startDate", "start"), ("end_date", "endDate", "end")
_OF_META = frozenset(
    {"title", "date", "tags", "visibility", "status", "language", "publish_at", "expires_at"}
)
LONGEST_TITLE = 160
LONGEST_EXCERPT = 700
LONGEST_WORD = 40  # of several in one line
DEPTH_MOST = 6
MANY = 200  # members or elements of one value
REDACTED = "[REDACTED]"
NO_TEXT = Markup("")
_WORDS = {
    "url": "Link",
    "gpa": "GPA",
    "isbn": "ISBN",
    "github": "GitHub",
    "linkedin": "LinkedIn",
    "orcid": "ORCID",
    "doi": "DOI",
}
_TURNS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_MONTHS = (
    *(mark("Jan"), mark("Feb"), mark("Mar"), mark("Apr"), mark("May"), mark("Jun")),
    *(mark("Jul"), mark("Aug"), mark("Sep"), mark("Oct"), mark("Nov"), mark("Dec")),
)


@dataclass(frozen=True)
class Fact:
    """A label, and what there is: words (HTML), links, a list of them, or records."""

    label: str
    form: Literal["text", "link", "words", "list", "records"]
    value: Any


@dataclass(frozen=True)
class When:
    """A date for people, and for programs (``machine``, empty where there is none).

    A time that lasts has its ``first`` and ``last`` date, where they are known.
    """

    words: str
    machine: str = ""
    first: When | None = None
    last: When | None = None


@dataclass(frozen=True)
class Record:
    """Something with a title of its own: an entry, or an element of one, as a job in a resume."""

    title: str
    subtitle: str = ""
    when: When | None = None
    text: Markup = NO_TEXT
    facts: tuple[Fact, ...] = ()
    tags: tuple[str, ...] = ()


NOTHING = Record("")
"""What is left of an entry that says nothing."""


@dataclass(frozen=True)
class ShownEntry:
    """An entry on a page; ``is_cut``: the rest of it is at its own address (``key``)."""

    key: str
    record: Record
    updated: When | None
    language: str
    is_cut: bool = False

    def without_text(self) -> ShownEntry:
        """Return the same with its title, and the way to the rest."""
        record = replace(self.record, text=NO_TEXT, facts=(), tags=())
        return replace(self, record=record, is_cut=True)


def shown_entry(
    view: Mapping[str, Any], heading: int, *, is_whole: bool, heading_above: str = ""
) -> ShownEntry:
    """Return what a page shows of a view, under a heading of level ``heading``; its beginning if not whole.

    A title that says what stands above it already is left out.
    """
    data = view.get("data")
    content = data if isinstance(data, Mapping) else {"content": data}
    meta = content.get("meta")
    said = meta if isinstance(meta, Mapping) else {}
    record, is_cut = _record(content, said, heading, is_whole=is_whole, above=heading_above)
    language = said.get("language")
    return ShownEntry(
        str(view["id"]),
        record,
        when_of(view.get("updated_at") or view.get("created_at")),
        language
        if isinstance(language, str) and re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}", language)
        else "",
        is_cut,
    )


def _record(
    content: Mapping[str, Any], meta: Mapping[str, Any], heading: int, *, is_whole: bool, above: str
) -> tuple[Record, bool]:
    used = {"meta", "tags"}
    name = next((name for name in TITLES if line_of(content.get(name))), "")
    title = line_of(meta.get("title")) or line_of(content.get(name))
    used.add(name)
    body_name = next((each for each in TEXTS if text_of(content.get(each)) and each not in used), "")
    used.add(body_name)
    text = text_of(content.get(body_name))
    said_first, rest = first_heading(text)
    if said_first and title in ("", said_first):
        title, text = said_first, rest
    title = "" if above and title.casefold() == above.casefold() else title
    below = heading + 1 if title else heading
    subtitle_name = next((each for each in SUBTITLES if line_of(content.get(each)) and each not in used), "")
    used.add(subtitle_name)
    when, used_dates = _when(content, meta)
    used |= used_dates
    excerpt, is_cut = (text, False) if is_whole else excerpt_of(text)
    facts = tuple(_facts(content, used, below, 0))
    if not is_whole and len(facts) > MANY:
        facts, is_cut = facts[:MANY], True
    record = Record(
        title[:LONGEST_TITLE],
        line_of(content.get(subtitle_name)),
        when,
        as_html(excerpt, below) if excerpt.strip() else NO_TEXT,
        facts,
        tuple(_tags(meta, content)),
    )
    return record, is_cut


def excerpt_of(text: str) -> tuple[str, bool]:
    """Return the first paragraphs of a text, and whether there is more."""
    if len(text) <= LONGEST_EXCERPT:
        return text, False
    end = text.rfind("\n\n", 0, LONGEST_EXCERPT)
    if end < LONGEST_EXCERPT // 3:
        end = max(text.rfind(mark, 0, LONGEST_EXCERPT) for mark in (". ", ".\n", "? ", "! "))
        end = end + 1 if end > LONGEST_EXCERPT // 3 else text.rfind(" ", 0, LONGEST_EXCERPT)
    found = text[: end if end > 0 else LONGEST_EXCERPT].rstrip()
    return (found if found.count("```") % 2 == 0 else plain(found)), True


def line_of(value: object) -> str:
    """Return a value as one line of words; empty for what has none."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str) and value.strip() and value.strip() != REDACTED:
        return re.sub(r"\s+", " ", without_turns(value)).strip()
    return ""


def text_of(value: object) -> str:
    """Return a text with its lines; empty for what is none."""
    return value if isinstance(value, str) and value.strip() and value.strip() != REDACTED else ""


def without_turns(text: str) -> str:
    """Return a text without what steers: control characters, and marks that turn the direction of writing."""
    return _TURNS.sub("", text)


def label_of(name: str) -> str:
    """Return the name of a field as words."""
    words = (
        re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", without_turns(name))
        .replace("_", " ")
        .replace("-", " ")
        .split()
    )
    if not words:
        return "More"
    found = [
        _WORDS.get(word.lower(), word.lower() if at else word[:1].upper() + word[1:])
        for at, word in enumerate(words)
    ]
    return " ".join(found)[:80]


@cache
def known_labels() -> frozenset[str]:
    """Return what the fields of the kinds are called that come with Daemon."""
    schemas = [kind.schema for kind in built_in().values()]
    return frozenset(label_of(name) for schema in schemas for name in schema.get("properties", ()))


def spoken_label(label: str) -> str:
    """Return a label in the language that is spoken, of a field of a kind that comes with Daemon."""
    return _(label) if label in known_labels() else label


def link_of(value: object) -> str:
    """Return an address of the web that a text is, as it may stand in a link; empty for everything else."""
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > 2_000 or re.search(r"[\s<>\"'\\\x00-\x20]", text):
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in ("http", "https") and parts.hostname else ""


def when_of(value: object) -> When | None:
    """Return a date as it is said: a year, a month, a day; words that are no date as they are."""
    text = line_of(value)
    if not text:
        return None
    if span_of(text) is None:
        return When(text[:60])
    found = re.match(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", text)
    if found is None:
        return When(text[:60])
    year, month, day = found.groups()
    return When(_words_of(int(year), int(month or 0), int(day or 0)), found[0])


def _words_of(year: int, month: int, day: int) -> str:
    """Return a date as it is written in the language of the page; month and day are 0 where none is said."""
    if not month:
        return f"{year:04}"
    named = {"month": _(_MONTHS[month - 1]), "year": f"{year:04}", "day": str(day)}
    return _("%(day)s %(month)s %(year)s", **named) if day else f"{named['month']} {named['year']}"


def _when(content: Mapping[str, Any], meta: Mapping[str, Any]) -> tuple[When | None, set[str]]:
    begins = next((name for name in _BEGINS if line_of(content.get(name))), "")
    ends = next((name for name in _ENDS if line_of(content.get(name))), "")
    if begins or ends:
        first, last = when_of(content.get(begins)), when_of(content.get(ends))
        words = f"{first.words if first else ''} – {last.words if last else _('now')}".strip()
        return When(words, first=first, last=last), {begins, ends}
    of_meta = when_of(meta.get("date"))
    if of_meta is not None:
        return of_meta, set()
    name = next((each for each in DATES if line_of(content.get(each))), "")
    return when_of(content.get(name)), {name}


def _tags(meta: Mapping[str, Any], content: Mapping[str, Any]) -> Iterator[str]:
    for place in (meta, content):
        tags = place.get("tags")
        for tag in tags[:MANY] if isinstance(tags, list) else [tags]:
            if line_of(tag):
                yield line_of(tag)[:60]


def _facts(content: Mapping[str, Any], used: set[str], heading: int, depth: int) -> Iterator[Fact]:
    meta = content.get("meta")
    inside = (
        {key: value for key, value in meta.items() if key not in _OF_META}
        if isinstance(meta, Mapping)
        else {}
    )
    members = [*((key, value) for key, value in content.items() if key not in used), *inside.items()]
    for key, value in members[:MANY]:
        fact = _fact(label_of(str(key)), value, heading, depth)
        if fact is not None:
            yield fact


def _fact(label: str, value: object, heading: int, depth: int) -> Fact | None:
    if isinstance(value, bool):
        return Fact(label, "text", Markup(_("Yes") if value else _("No")))
    if isinstance(value, Mapping):
        return _group(label, value, heading, depth)
    if isinstance(value, list):
        return _several(label, value[:MANY], heading, depth)
    address = link_of(value)
    if address:
        return Fact(label, "link", (address, shown_address(address)))
    text = text_of(value) if isinstance(value, str) else line_of(value)
    return Fact(label, "text", as_html(text, min(heading + 1, 6))) if text else None


def shown_address(address: str) -> str:
    """Return an address as people write it, without what every one begins with."""
    return without_turns(re.sub(r"^https?://(www\.)?", "", address).rstrip("/"))[:120]


def _group(label: str, value: Mapping[str, Any], heading: int, depth: int) -> Fact | None:
    if depth >= DEPTH_MOST:
        return None
    facts = tuple(_facts(value, set(), heading, depth + 1))
    return Fact(label, "records", (Record("", facts=facts),)) if facts else None


def _several(label: str, values: list[Any], heading: int, depth: int) -> Fact | None:
    if any(isinstance(each, Mapping | list) for each in values):
        if depth >= DEPTH_MOST:
            return None
        records = [_element(each, heading, depth + 1) for each in values]
        found = tuple(each for each in records if each is not None)
        return Fact(label, "records", found) if found else None
    words = [_word(each) for each in values]
    found_words = tuple(each for each in words if each[0])
    is_long = any(len(words) > LONGEST_WORD for words, _address in found_words)
    return Fact(label, "list" if is_long else "words", found_words) if found_words else None


def _word(value: object) -> tuple[str, str]:
    """Return the words of an element, and the address that it is, if any."""
    address = link_of(value)
    return (shown_address(address), address) if address else (line_of(value), "")


def _element(value: object, heading: int, depth: int) -> Record | None:
    if isinstance(value, Mapping):
        name = next((each for each in TITLES if line_of(value.get(each))), "")
        subtitle = next((each for each in SUBTITLES if line_of(value.get(each)) and each != name), "")
        text = next((each for each in TEXTS if text_of(value.get(each)) and each not in (name, subtitle)), "")
        when, used = _when(value, {})
        facts = tuple(_facts(value, {name, subtitle, text, *used}, heading + 1, depth))
        body = text_of(value.get(text))
        found = Record(
            line_of(value.get(name))[:LONGEST_TITLE],
            line_of(value.get(subtitle)),
            when,
            as_html(body, min(heading + 1, 6)) if body else NO_TEXT,
            facts,
        )
        return found if found != NOTHING else None
    fact = _fact("", value, heading, depth)
    return None if fact is None else Record("", facts=(fact,))
