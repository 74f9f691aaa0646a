"""View memory (LRU cache). Which strangers' views of entries are made already, and of what was each made?

A view is found again by its entry and level, and used only where all that it was made of is the same: the
row with its text and findings, releases, the policy, the detectors. Nothing has to be invalidated, whoever
commits. Where a view was compared in this very state of the database already (`snapshot_memory`), that is not
done again, and the row not read. So are whole pages kept, with all of their rows: most commits change none.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from sys import getsizeof
from typing import Any

from app.entries.entry import Page
from app.entries.parts import Part
from app.entries.validity import Validity

OVERHEAD_BYTES = 900  # of one view, beside its texts: objects, and its place in the memory (tested)
DIGEST_BYTES = 16
LARGEST_SHARE = 8  # a view larger than this part of the memory is not kept
SHARE_OF_PAGES = 4  # of the memory is for whole pages

ViewKey = tuple[int, str]  # the id of the entry, and the level
PageKey = tuple[int, int, str, Part]  # the ids of the kind and the person, the level, which part of the list


@dataclass(slots=True)
class ReadyView:
    """The JSON of what strangers see of an entry at a level; empty where its own text lets no one see it.

    ``made_of`` is all that it depends on beside the time; ``state`` the state of the database in which that
    was last seen to be so.
    """

    made_of: tuple[Any, ...]
    body: bytes
    validity: Validity
    state: int | None = None
    digest: bytes = field(default=b"", init=False)
    _size_bytes: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Hash it, once."""
        self.digest = blake2b(self.body, digest_size=DIGEST_BYTES).digest()

    @property
    def size_bytes(self) -> int:
        """How much memory it takes, with its place in one; measured where it is kept, and once."""
        if not self._size_bytes:
            self._size_bytes = getsizeof(self.body) + _size_of(self.made_of) + OVERHEAD_BYTES
        return self._size_bytes


@dataclass(slots=True)
class ReadyPage:
    """A part of a list that was answered whole: the rows that it was made of, as the driver gave them.

    ``depends_on`` is all the rest beside the time. ``views`` are those of the rows, in order.
    """

    rows: Sequence[tuple[Any, ...]]
    depends_on: tuple[Any, ...]
    page: Page
    views: Sequence[ReadyView]
    read_count: int  # characters of the stored texts
    state: int | None = None  # of the database in which all that was last seen to be so
    size_bytes: int = field(default=0, init=False)  # as if it alone held its views and texts

    def __post_init__(self) -> None:
        """Measure it, once."""
        # The answer is joined of the bodies, which it holds beside them.
        held = (view.size_bytes + 2 * len(view.body) + OVERHEAD_BYTES for view in self.views)
        self.size_bytes = sum(held) + OVERHEAD_BYTES

    def is_right(self, state: int | None) -> None:
        """Note that it was seen to be right in this state, with its views."""
        self.state = state
        for view in self.views:
            view.state = state


def _size_of(values: tuple[Any, ...]) -> int:
    if tuple not in map(type, values):
        return sum(map(getsizeof, values))
    size_bytes = 0
    for value in values:
        kind = type(value)
        if kind is tuple:
            size_bytes += _size_of(value)
        elif kind is not type:  # that is there anyhow
            size_bytes += getsizeof(value)
    return size_bytes


def _key(entry_id: int, level: str) -> ViewKey:
    return entry_id, level


class ViewMemory:
    """A memory bounded in bytes, for any thread; who was not asked for the longest goes first.

    Finding takes no lock, which would cost more than it: what is done to the memory is done whole.
    """

    def __init__(self, most_bytes: int) -> None:
        """``most_bytes`` 0 keeps nothing."""
        self._lock = threading.Lock()
        self._most_bytes = most_bytes
        self._kept: OrderedDict[ViewKey, ReadyView] = OrderedDict()
        self._pages: OrderedDict[PageKey, ReadyPage] = OrderedDict()
        self._pages_bytes = 0
        self.size_bytes = 0

    @property
    def keeps(self) -> bool:
        """Whether it keeps anything."""
        return self._most_bytes > 0

    def __len__(self) -> int:
        """How many views are kept."""
        return len(self._kept)

    def find(self, entry_id: int, level: str) -> ReadyView | None:
        """Return the view of an entry, which is to be compared with what it would be made of now."""
        key = _key(entry_id, level)
        view = self._kept.get(key)
        if view is not None:
            try:
                self._kept.move_to_end(key)
            except KeyError:  # it was just thrown away
                return None
        return view

    def of_state(
        self, entry_ids: Sequence[int], level: str, state: int | None, now: datetime
    ) -> dict[int, ReadyView]:
        """Return, by entry, the views that were seen to be right in this state of the database."""
        found = {}
        for entry_id in entry_ids if state is not None else ():
            view = self.find(entry_id, level)
            if view is not None and view.state == state and view.validity.holds_at(now):
                found[entry_id] = view
        return found

    def keep(self, entry_id: int, level: str, view: ReadyView) -> None:
        """Keep a view in the place of an older one."""
        if not self.keeps:
            return
        size_bytes, key = view.size_bytes, _key(entry_id, level)
        if size_bytes > self._most_bytes // LARGEST_SHARE:
            return
        with self._lock:
            self._throw_away(self._kept.pop(key, None))
            self._kept[key] = view
            self.size_bytes += size_bytes
            while self.size_bytes > self._most_bytes:
                self._throw_away(self._kept.popitem(last=False)[1])

    def _throw_away(self, view: ReadyView | None) -> None:
        self.size_bytes -= 0 if view is None else view.size_bytes

    def find_page(self, key: PageKey) -> ReadyPage | None:
        """Return what was answered, to be compared with what is there now."""
        try:
            page = self._pages[key]
            self._pages.move_to_end(key)
        except KeyError:
            return None
        return page

    def keep_page(self, key: PageKey, ready: ReadyPage) -> None:
        """Keep a page in the place of an older one; of what is kept, a part is for pages."""
        most_bytes = self._most_bytes // SHARE_OF_PAGES
        if ready.size_bytes > most_bytes:
            return
        with self._lock:
            self._drop_page(self._pages.pop(key, None))
            self._pages[key] = ready
            self._pages_bytes += ready.size_bytes
            self.size_bytes += ready.size_bytes
            while self._pages_bytes > most_bytes:
                self._drop_page(self._pages.popitem(last=False)[1])
            while self.size_bytes > self._most_bytes:
                self._throw_away(self._kept.popitem(last=False)[1])

    def _drop_page(self, page: ReadyPage | None) -> None:
        size_bytes = 0 if page is None else page.size_bytes
        self._pages_bytes -= size_bytes
        self.size_bytes -= size_bytes

    def everything(self) -> list[tuple[ViewKey, ReadyView]]:
        """Return all views, for another process to keep."""
        with self._lock:
            return list(self._kept.items())

    def forget(self) -> None:
        """Forget everything: it is another database now."""
        with self._lock:
            self._kept.clear()
            self._pages.clear()
            self.size_bytes = self._pages_bytes = 0
