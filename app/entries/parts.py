"""Pagination. Which part of a list is asked for, and how much of it fits into one answer?

By cursor, which costs the same wherever one is; or by the number of a page, as clients of the earlier server
ask, which costs more with every page and therefore ends at the ten thousandth entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from app.entries.cursors import PROCESS_KEY, check_form, make_cursor, read_cursor
from app.entries.entry import LIMIT_DEFAULT, Page, check_limit
from app.entries.order import END, START, Place
from app.entries.row_types import EntryTexts
from app.errors import UsageError

SIZE_MOST = 100
REACH_OF_PAGES = 10_000
MOST_BYTES = 1_000_000
_FOLLOW = "Leave page and size out, then follow `next` with cursor."


class Heavy(Exception):
    """More stored text has to be read than the caller wants to read here."""


class InList(Protocol):
    """An entry in a list."""

    @property
    def id(self) -> int:
        """Its id."""

    @property
    def endpoint_id(self) -> int:
        """The id of its kind."""

    @property
    def place(self) -> int:
        """Where it stands there."""


T = TypeVar("T", bound=InList)


@dataclass(frozen=True)
class Part:
    """At most ``count`` entries after the place of ``cursor`` and ``skipped`` more; cut where they are large?

    ``key`` is what cursors are made with, ``order`` what the list is sorted by (`list_filter`).
    """

    count: int
    cursor: str | None = None
    skipped: int = 0
    may_be_cut: bool = True
    key: bytes = field(default=PROCESS_KEY, repr=False)
    order: str = ""

    @property
    def is_reversed(self) -> bool:
        """Whether the newest is first."""
        return self.order == "-created"

    def after(self, endpoint_id: int) -> Place:
        """Return after which place the part begins in the list of a kind; raises UsageError."""
        if self.cursor is None:
            return END if self.is_reversed else START
        return read_cursor(self.key, endpoint_id, self.cursor, self.order)

    def cursor_after(self, row: InList) -> str:
        """Return the cursor of the part that begins after an entry."""
        return make_cursor(self.key, row.endpoint_id, Place(row.place, row.id), self.order)


def by_cursor(limit: int = LIMIT_DEFAULT, cursor: str | None = None, *, key: bytes = PROCESS_KEY) -> Part:
    """Return the part that begins where a cursor stands; raises UsageError for what cannot be one."""
    check_form(cursor)
    return Part(check_limit(limit), cursor, key=key)


def by_page(number: int, size: int = LIMIT_DEFAULT, *, key: bytes = PROCESS_KEY) -> Part:
    """Return the part that is page ``number``, from 1; raises UsageError."""
    if number < 1:
        raise UsageError(f"page is {number}; the first page is 1.", hint=_FOLLOW)
    if not 1 <= size <= SIZE_MOST:
        raise UsageError(f"size is {size}; it goes from 1 to {SIZE_MOST}.", hint=_FOLLOW)
    if number * size > REACH_OF_PAGES:
        raise UsageError(
            f"By page one comes to the first {REACH_OF_PAGES} entries, and no further.", hint=_FOLLOW
        )
    return Part(size, skipped=(number - 1) * size, may_be_cut=False, key=key)


def filled(
    part: Part, rows: Iterable[T], view_of: Callable[[T], bytes | None], most_rows: int | None = None
) -> Page:
    """Return the page of a part: views of ``rows`` as long as they fit into about a megabyte, one at least.

    ``rows`` are one more than the part has, if there are more; None for a view (its JSON) leaves a row out.
    With ``most_rows`` they are that many and one more, of which the part has as many as are not left out.
    Raises UsageError for a part that does not fit and must not be cut. What is left for the next page depends
    on nothing but what the viewer sees: what is hidden has no size.
    """
    views: list[bytes] = []
    last: T | None = None
    room = 0
    most = part.count if most_rows is None else most_rows
    for at, row in enumerate(rows):
        if last is not None and at == most:
            return Page(tuple(views), part.cursor_after(last))
        view = view_of(row)
        if view is not None:
            if last is not None and len(views) == part.count:
                return Page(tuple(views), part.cursor_after(last))
            room += len(view)
            if last is not None and views and room > MOST_BYTES:
                return _cut(part, views, last)
            views.append(view)
        last = row
    return Page(tuple(views))


def _cut(part: Part, views: list[bytes], last: InList) -> Page:
    if part.may_be_cut:
        return Page(tuple(views), part.cursor_after(last))
    raise UsageError(
        f"The page is larger than {MOST_BYTES} bytes, and a page is not cut.",
        hint=f"{_FOLLOW} A smaller size may do, too.",
    )


def stored_size(row: EntryTexts) -> int:
    """How many characters of text are stored for an entry; 0 where it is no text."""
    stored = row.data
    return len(stored) if isinstance(stored, (str, bytes)) else 0  # a union would be made at each look
