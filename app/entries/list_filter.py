"""List filter (tag, status, since, until, q, sort, fields). Which of the entries that a reader is shown?

Everything is asked of the view that the reader gets, never of the entry: what is hidden from them is neither
found nor sorted by. A filter is asked of one view after the other, a thousand at most for an answer.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app import clock
from app.entries.entry import View
from app.entries.partial_dates import Span, span_of
from app.entries.text_match import Word, read_query, words_of
from app.errors import UsageError

LOOKED_AT_MOST = 1_000  # views, for one answer
SORTS = ("created", "-created", "updated", "-updated", "date", "-date", "title", "-title")
FIELDS_MOST = 20
LONGEST_WORD = 200
_TITLES = ("title", "name")
_KEPT = ("id", "created_at", "updated_at", "visibility", "owner", "slug")


@dataclass(frozen=True)
class ListFilter:
    """What a list is asked for besides its place; `list_filter` makes one, and checks it."""

    tag: str | None = None
    status: str | None = None
    since: str | None = None
    until: str | None = None
    q: str | None = None
    sort: str | None = None
    fields: tuple[str, ...] = ()

    @property
    def order(self) -> str:
        """What the list is sorted by; empty where that is the order of writing."""
        return "" if self.sort in (None, "created") else str(self.sort)

    @property
    def needs_all(self) -> bool:
        """Whether no entry has its place before all of them are known."""
        return self.order not in ("", "-created")

    def takes(self, data: object, created_at: object) -> bool:
        """Whether an entry is asked for, by what its reader is shown of it."""
        if self.tag is not None and folded_tag(self.tag) not in tags_of(data):
            return False
        if self.status is not None and folded_tag(self.status) not in map(
            folded_tag, _values(data, "status")
        ):
            return False
        if (self.since or self.until) and not self._is_in_time(date_of(data, created_at)):
            return False
        return self.q is None or read_query(self.q).matches([words for _, _, words in texts_of(data)])

    def _is_in_time(self, span: Span | None) -> bool:
        since, until = (None if text is None else span_of(text) for text in (self.since, self.until))
        if span is None:
            return False
        return (since is None or span.end > since.begin) and (until is None or span.begin < until.end)

    def key_of(self, data: object, created_at: object, updated_at: object) -> Any:
        """Return what an entry is sorted by, None where it has no such thing."""
        name = self.order.removeprefix("-")
        if name == "title":
            titles = _values(data, *_TITLES)
            return " ".join(word.folded for word in words_of(titles[0])) if titles else None
        span = date_of(data, created_at) if name == "date" else _moment(updated_at)
        return None if span is None else span.begin

    def chosen(self, view: View) -> View:
        """Return a view with the fields that are asked for: all, or those named of its data."""
        if not self.fields:
            return view
        data = _part_of(view["data"], _tree_of(self.fields))
        repeated = {key: data[key] for key in ("content", "meta") if isinstance(data, dict) and key in data}
        kept = {key: value for key, value in view.items() if key in _KEPT}
        return {"id": kept.pop("id"), **repeated, "data": data, **kept}


def list_filter(**asked: str | None) -> ListFilter | None:
    """Return the filter of parameters, by their names; None where none is there. Raises UsageError."""
    there = {name: value for name, value in asked.items() if value is not None}
    if not there:
        return None
    for name, value in there.items():
        if not value.strip():
            raise UsageError(f"{name} is empty.", hint="Leave it out.")
        if name != "fields" and len(value) > LONGEST_WORD:
            raise UsageError(f"{name} has {len(value)} characters; at most {LONGEST_WORD} are taken.")
    for name in ("since", "until"):
        if name in there and span_of(there[name]) is None:
            hint = "2026, 2026-03, 2026-03-04 and 2026-03-04T05:06:07Z are understood."
            raise UsageError(f"{name} is no date.", hint=hint)
    if there.get("sort", SORTS[0]) not in SORTS:
        raise UsageError("A list is not sorted by that.", hint=f"Known: {', '.join(SORTS)}.")
    fields = tuple(there.pop("fields").split(",")) if "fields" in there else ()
    if not all(fields) or len(fields) > FIELDS_MOST:
        raise UsageError(
            f"fields are 1 to {FIELDS_MOST} names with commas between: fields=meta.title,content"
        )
    made = ListFilter(**there, fields=fields)
    if made.q is not None:
        read_query(made.q)
    return made


def too_long_to_sort() -> UsageError:
    """Return the error for a list that is sorted only up to some length."""
    return UsageError(
        f"A list of more than {LOOKED_AT_MOST} entries is sorted by created only.",
        hint="Leave sort out, then follow `next`.",
    )


# -- what a view says


def date_of(data: object, created_at: object) -> Span | None:
    """Return the time that an entry says it is of, or else that of its creation."""
    for text in _values(data, "date"):
        found = span_of(text.strip())
        if found is not None:
            return found
    return _moment(created_at)


Texts = list[tuple[str, str, list[Word]]]
"""Texts of a view's data: the JSON Pointer of each, itself, and its words."""


def said_date(data: object) -> str | None:
    """Return the date that an entry says it is of, as it says it."""
    return next((text for text in _values(data, "date") if span_of(text.strip()) is not None), None)


def texts_of(data: object) -> Iterator[tuple[str, str, list[Word]]]:
    """Yield each text of a view's data: its JSON Pointer, itself, and its words."""
    return ((pointer, text, words_of(text)) for pointer, text in strings_of(data))


def strings_of(data: object) -> Iterator[tuple[str, str]]:
    """Yield each text of a view's data, with its JSON Pointer."""
    pending: list[tuple[str, object]] = [("", data)]
    while pending:
        pointer, value = pending.pop()
        if isinstance(value, str):
            yield pointer, value
        elif isinstance(value, Mapping):
            below = [(f"{pointer}/{_escaped(key)}", child) for key, child in value.items()]
            pending.extend(reversed(below))
        elif isinstance(value, list):
            pending.extend(reversed([(f"{pointer}/{at}", child) for at, child in enumerate(value)]))


def _moment(stored: object) -> Span | None:
    at = clock.parse_stored(stored)
    return None if at is None else span_of(at.isoformat())


def _places(data: object) -> list[Mapping[str, Any]]:
    """Where what an entry says of itself counts: in `meta`, and at the top."""
    if not isinstance(data, Mapping):
        return []
    meta = data.get("meta")
    return [meta, data] if isinstance(meta, Mapping) else [data]


def _values(data: object, *names: str) -> list[str]:
    found = [place.get(name) for place in _places(data) for name in names]
    return [value for value in found if isinstance(value, str)]


def titles_of(data: object) -> list[str]:
    """Return what an entry is called: its title, its name, as it says them."""
    return _values(data, *_TITLES)


def tags_of(data: object) -> list[str]:
    """Return the tags of an entry, without case."""
    found: list[str] = _values(data, "tags")
    for place in _places(data):
        tags = place.get("tags")
        found += [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    return [folded_tag(tag) for tag in found]


def folded_tag(word: str) -> str:
    """Return a tag or a status as it is compared."""
    return unicodedata.normalize("NFKC", word).casefold().strip()


# -- fields

_Tree = dict[str, Any]


def _tree_of(fields: tuple[str, ...]) -> _Tree:
    tree: _Tree = {}
    for path in fields:
        at = tree
        for name in path.split("."):
            at = at.setdefault(name, {})
        at[""] = {}  # the whole of it
    return tree


def _part_of(value: object, tree: _Tree) -> Any:
    if "" in tree:
        return value
    if isinstance(value, list):
        return [_part_of(child, tree) for child in value if isinstance(child, dict | list)]
    if isinstance(value, dict):
        return {key: _part_of(child, tree[key]) for key, child in value.items() if key in tree}
    return {}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
