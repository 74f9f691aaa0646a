"""Strangers' answers. What is anyone shown of entries? As ready bytes: from memory, or filtered now.

A list whose policy was read in this state of the database already is one query for ids; what of it the
memory has not is fetched and filtered together in a second one. Else the first query brings the rows, and
what was made of the same row before is not made again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from math import inf
from typing import Any

from sqlalchemy import Connection, Row

from app import clock
from app.entries import access, replica_texts, strangers_rows
from app.entries.endpoints import Endpoint
from app.entries.entry import Item, Page, json_bytes
from app.entries.filtered import Shown, filtered, part_to_look_at
from app.entries.json_safe import said_and_presentable
from app.entries.list_filter import ListFilter
from app.entries.listing import Listing
from app.entries.parts import Heavy, Part, T, filled, stored_size
from app.entries.row_types import Listed, StrangersRow
from app.entries.spans import Spans
from app.entries.strangers_rows import RawRow, of_any
from app.entries.validity import ALWAYS, Validity, of_days
from app.entries.view_memory import PageKey, ReadyPage, ReadyView, ViewMemory
from app.entries.views import strangers_view
from app.privacy.filter import EntryFilter
from app.privacy.released import Releases
from app.snapshot_memory import is_remembered, remember, state_of

NO_MEMORY = ViewMemory(0)
FILTERED_CHARACTERS = 16  # as many are filtered in the time in which one is searched
PAGE_CHARACTERS = 1_000_000  # of the texts of a page that is kept whole
_OF_LIST = len(Listed._fields)  # of a row, and not of the view


@dataclass
class Budget:
    """How much may be done for an answer: before more than that is, `Heavy` is raised.

    That is characters of stored text ``read``, and ``searched``, and ``views`` made that were not kept. What
    is done is taken from it, so that several questions can share one.
    """

    read: float = inf
    searched: float = inf
    views: float = inf


WHATEVER_IT_TAKES = Budget()


class StrangersViews:
    """The views of one kind's entries that one filter leaves, in one snapshot of the database."""

    def __init__(
        self,
        connection: Connection,
        endpoint: Endpoint,
        entry_filter: EntryFilter,
        spans: Spans,
        memory: ViewMemory,
        budget: Budget,
        validity: Validity = ALWAYS,
    ) -> None:
        """``validity`` is when the same entries may be seen; it ends what is kept of them, too."""
        self._connection = connection
        self._endpoint = endpoint
        self._filter = entry_filter
        self._spans = spans
        self._memory = memory
        self._left = budget
        self._state = state_of(connection)
        self._now = clock.now()
        self._validity = self._of_list = validity
        self._digests: list[bytes] = []  # of the views, in the order in which they are shown
        self._views: list[ReadyView] = []  # those of all rows so far
        self._owner_id: int | None = None  # whose these are:
        self._releases: Releases | None = None
        self._words_generation = 0
        self._keeps_pages = memory.keeps
        self._filtered: Callable[..., Page] | None = None  # what makes a page where there is a filter

    def page_of(self, person_id: int, part: Part, asked: ListFilter | None = None) -> Page:
        """Return a part of a person's entries, of those that a filter takes; raises Heavy, UsageError.

        Where views of this list were compared in this state already, most of its rows have not to be read.
        """
        if asked is not None:
            self._filtered = partial(filtered, asked, part)
            part = part_to_look_at(asked, part)
            self._keeps_pages = False
        if replica_texts.are_there(self._connection):
            return self._page_by_ids(person_id, part)
        compared, known = self._compared(person_id), self._known_page(person_id, part)
        if known is not None and known.state is not None and known.state == self._state:
            return known.page
        if known is None and self._memory.keeps and is_remembered(self._connection, compared):
            return self._page_by_ids(person_id, part)  # what comes and goes with the time is in the list, too
        page = self._page_by_rows(person_id, part, known)
        remember(self._connection, compared, True)
        return page

    def _compared(self, person_id: int) -> tuple[object, ...]:
        return "compared", self._endpoint.id, person_id, self._filter.policy, self._filter.level

    def _known(self, person_id: int, part: Part) -> tuple[list[Listed], dict[int, ReadyView]]:
        """The entries of a part, and the views that were compared in this state."""
        listed = strangers_rows.listed(self._connection, self._endpoint, person_id, part, self._now)
        asked = [each.id for each in listed[: part.count]]
        return listed, self._memory.of_state(asked, self._filter.level, self._state, self._now)

    def _page_by_rows(self, person_id: int, part: Part, known: ReadyPage | None) -> Page:
        rows = strangers_rows.rows(self._connection, self._endpoint, person_id, part, self._filter.level)
        read: list[RawRow] = []
        with closing(rows):  # as soon as the page is full no further row is read
            if known is not None and _are_same(rows, known.rows, read):
                return self._as_it_was(known)
            noted = _noting(rows, read) if self._keeps_pages else rows
            page = self._filled(part, map(StrangersRow._make, chain(read, noted)), self._view_of)
        is_whole = len(read) - len(self._views) in (0, 1)  # the one more at the end is no view's
        return self._kept_page(person_id, part, read, page) if self._keeps_pages and is_whole else page

    def _known_page(self, person_id: int, part: Part) -> ReadyPage | None:
        """The page that was answered to this before, if only its rows are to be compared."""
        known = self._memory.find_page(self._page_key(person_id, part)) if self._keeps_pages else None
        is_like = (
            known is not None
            and known.depends_on == self._page_depends_on(person_id)
            and known.page.validity.holds_at(self._now)
            and known.read_count <= self._left.read
        )
        return known if is_like else None

    def _kept_page(self, person_id: int, part: Part, rows: list[RawRow], page: Page) -> Page:
        """Keep a page, where that can be done, and return it."""
        texts = [row[strangers_rows.DATA] for row in rows]
        if not all(type(text) is str for text in texts):  # 1 and 1.0 are equal, and not the same
            return page
        page = self._with_listing(page, person_id, part, rows)
        depends_on, read_count = self._page_depends_on(person_id), sum(map(len, texts))
        ready = ReadyPage(rows, depends_on, page, self._views, read_count, self._state)
        self._memory.keep_page(self._page_key(person_id, part), ready)
        return page

    def _as_it_was(self, known: ReadyPage) -> Page:
        known.is_right(self._state)
        return known.page

    def _page_key(self, person_id: int, part: Part) -> PageKey:
        return self._endpoint.id, person_id, self._filter.level, part

    def _page_depends_on(self, person_id: int) -> tuple[Any, ...]:
        """All that the views of a person's entries are made of, beside rows, the level and the time.

        And until when entries come or go by themselves: that of others, too, ends the page.
        """
        words_generation = self._spans.policies.words_generation_of(person_id)
        return self._filter.policy, self._spans.releases_of(person_id), words_generation, self._of_list

    def _page_by_ids(self, person_id: int, part: Part) -> Page:
        listed, known = self._known(person_id, part)
        if 2 * len(known) < len(listed) and not replica_texts.are_there(self._connection):
            return self._page_by_rows(person_id, part, None)  # which is kept whole then
        others = [each.id for each in listed[: part.count] if each.id not in known]
        level = self._filter.level
        rows = replica_texts.rows_among(
            self._connection, self._endpoint, others, level, self._now, is_reversed=part.is_reversed
        )

        def view_of(each: Listed) -> bytes | None:
            view = known.get(each.id)
            return self._view_of(next(rows)) if view is None else self._shown(view)

        with closing(rows):
            page = self._filled(part, listed, view_of)
        return page if self._filtered else self._with_listing(page, person_id, part, listed)

    def _with_listing(self, page: Page, person_id: int, part: Part, rows: Sequence[tuple[Any, ...]]) -> Page:
        is_open = page.next is not None and not part.is_reversed
        listed = Listing.of(self._endpoint.id, person_id, rows, is_open=is_open)
        return Page(page.bodies, page.next, page.validity, page.digests, listed)

    def item(self, row: Row[Any]) -> Item | None:
        """Return one entry, whose row has the column `changed_at` of the level; raises Heavy.

        None where its own text lets no stranger see it.
        """
        body = self._view_of(of_any(row, self._filter.level))
        return None if body is None else Item(body, self._validity)

    def body_of(self, row: StrangersRow) -> bytes | None:
        """Return the JSON of an entry's view, None where its own text hides it; raises Heavy."""
        return self._view_of(row)

    def _filled(self, part: Part, rows: Iterable[T], view_of: Callable[[T], bytes | None]) -> Page:
        if self._filtered is not None:
            page = self._filtered(rows, lambda row: _shown(view_of(row)))
            return replace(page, validity=self._validity)
        page = filled(part, rows, view_of)
        return Page(page.bodies, page.next, self._validity, tuple(self._digests[: len(page.bodies)]))

    def _view_of(self, row: StrangersRow) -> bytes | None:
        self._left.read -= len(row.data) if type(row.data) is str else stored_size(row)
        if self._left.read < 0:
            raise Heavy
        made_of = self._made_of(row)
        view = self._memory.find(row.id, self._filter.level)
        if view is None or view.made_of != made_of or not view.validity.holds_at(self._now):
            view = self._make(row, made_of)
            self._memory.keep(row.id, self._filter.level, view)
        view.state = self._state
        self._views.append(view)
        return self._shown(view)

    def _shown(self, view: ReadyView) -> bytes | None:
        if view.validity is not ALWAYS:
            self._validity &= view.validity
        if not view.body:
            return None
        self._digests.append(view.digest)
        return view.body

    def _made_of(self, row: StrangersRow) -> tuple[Any, ...]:
        """All that the view of a row is made of, beside its id, the level and the time."""
        if row.created_by_id != self._owner_id or self._releases is None:
            self._owner_id = row.created_by_id
            self._releases = self._spans.releases_of(row.created_by_id)
            self._words_generation = self._spans.policies.words_generation_of(row.created_by_id)
        return (
            row[_OF_LIST:],
            type(row.data),  # 1 and 1.0 are equal, and not the same
            self._filter.policy,
            self._releases.touching(row.id),
            self._words_generation,
        )

    def _make(self, row: StrangersRow, made_of: tuple[Any, ...]) -> ReadyView:
        found = self._spans.findings.stored_in(row)
        self._spend(row, is_searched=found is None or self._filter.has_own_rules)
        said, shown = said_and_presentable(row.data)
        if not access.is_text_public(said):
            return ReadyView(made_of, b"", ALWAYS)
        found = self._spans.findings.found_in(row) if found is None else found
        tree = self._spans.noted_tree_of(row, found, None, None)
        view = strangers_view(row, shown, self._filter, tree)
        return ReadyView(made_of, json_bytes(view), of_days(*self._filter.days_alike(said)))

    def _spend(self, row: StrangersRow, *, is_searched: bool) -> None:
        size, left = stored_size(row), self._left
        cost = size if is_searched else size // FILTERED_CHARACTERS
        if left.views < 1 or left.searched < cost:
            raise Heavy
        left.views -= 1
        left.searched -= cost


def _shown(body: bytes | None) -> Shown | None:
    """What strangers are shown of an entry, of the JSON of its view."""
    if body is None:
        return None
    view = json.loads(body)
    return Shown(view["data"], view["created_at"], view["updated_at"], lambda: view, body)


def _are_same(rows: Iterable[RawRow], known: Sequence[RawRow], read: list[RawRow]) -> bool:
    """Whether these are the rows that are known; each that was read for it is put into ``read``."""
    for row in rows:
        read.append(row)
        if len(read) > len(known) or row != known[len(read) - 1]:
            return False
    return len(read) == len(known)


def _noting(rows: Iterable[RawRow], read: list[RawRow]) -> Iterator[RawRow]:
    """Yield the rows, and put them into ``read``: not all of them where their texts are large."""
    room = PAGE_CHARACTERS
    for row in rows:
        text = row[strangers_rows.DATA]
        room -= len(text) if type(text) is str else room
        if room > 0:
            read.append(row)
        yield row
