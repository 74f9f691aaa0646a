"""Filtered page (scan). How is a page made of what a list filter takes, in the order of writing or another?

In the order of writing it goes on where the page before ended, looks at a thousand entries at most and may so
have fewer than were asked for, and a cursor. In any other order the whole list is looked at, if it is no
longer than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from app.entries.entry import Page, View, json_bytes
from app.entries.list_filter import LOOKED_AT_MOST, ListFilter, too_long_to_sort
from app.entries.parts import Part, T, filled
from app.entries.row_types import Listed


class Shown(NamedTuple):
    """What a reader is shown of an entry, and what makes the answer of it."""

    data: Any
    created_at: Any
    updated_at: Any
    view: Callable[[], View]
    body: bytes | None = None  # the same as JSON, where it is there already


def part_to_look_at(asked: ListFilter, part: Part) -> Part:
    """Return the part of the whole list that is looked at for a part of the filtered one."""
    if not asked.needs_all:
        return replace(part, count=LOOKED_AT_MOST)
    return Part(LOOKED_AT_MOST, key=part.key)


def filtered(asked: ListFilter, part: Part, rows: Iterable[T], shown_of: Callable[[T], Shown | None]) -> Page:
    """Return the page of what a filter takes of ``rows``: those of `part_to_look_at`, and one more.

    ``shown_of`` gives None for a row that is not shown at all. Raises UsageError where they are too many to
    be sorted.
    """

    def taken(row: T) -> Shown | None:
        shown = shown_of(row)
        return shown if shown is not None and asked.takes(shown.data, shown.created_at) else None

    def body_of(row: T) -> bytes | None:
        shown = taken(row)
        return None if shown is None else _body(asked, shown)

    if not asked.needs_all:
        return filled(part, rows, body_of, LOOKED_AT_MOST)
    found: list[tuple[T, Shown]] = []
    for at, row in enumerate(rows):
        if at == LOOKED_AT_MOST:
            raise too_long_to_sort()
        shown = taken(row)
        if shown is not None:
            found.append((row, shown))
    return _page_of(asked, part, _sorted(asked, found))


def _sorted(asked: ListFilter, found: list[tuple[T, Shown]]) -> list[tuple[T, Shown]]:
    """In the order that is asked for; what has nothing to be sorted by is last, in the order of writing."""
    keys = {row.id: asked.key_of(one.data, one.created_at, one.updated_at) for row, one in found}
    named = [each for each in found if keys[each[0].id] is not None]
    named.sort(key=lambda each: keys[each[0].id], reverse=asked.order.startswith("-"))
    return [*named, *(each for each in found if keys[each[0].id] is None)]


def _page_of(asked: ListFilter, part: Part, found: list[tuple[T, Shown]]) -> Page:
    """The part after the entry that the cursor names, or where that stood if it is gone."""
    listed = [Listed(row.id, row.endpoint_id, at) for at, (row, _) in enumerate(found, 1)]
    begin = 0
    if found and part.cursor is not None:
        after = part.after(listed[0].endpoint_id)
        places = {each.id: each.place for each in listed}
        begin = places.get(after.id, after.position)
    return filled(part, listed[begin:], lambda each: _body(asked, found[each.place - 1][1]))


def _body(asked: ListFilter, shown: Shown) -> bytes:
    if shown.body is not None and not asked.fields:
        return shown.body
    return json_bytes(asked.chosen(shown.view()))
