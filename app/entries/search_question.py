"""Search question. Who searches for what, among which entries, and how far have they come? One value."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import blake2b

from app.entries.cursors import PROCESS_KEY, check_form, make_cursor, read_cursor
from app.entries.entry import check_limit
from app.entries.list_filter import ListFilter, list_filter
from app.entries.order import Place
from app.entries.text_match import TextQuery, read_query
from app.errors import UsageError
from app.privacy.levels import MOST_OPEN, known
from app.privacy.viewer import STRANGER, Viewer

SORTS = ("rank", "date")
LIMIT_DEFAULT = 20


@dataclass(frozen=True)
class SearchQuestion:
    """What is searched for, by whom; `search_question` makes one, and checks it.

    ``kinds`` None is every kind; ``owner`` is a username, None everyone. ``level`` and ``ceiling`` as in a
    `Question` of a list; ``installed`` is the ceiling of the installation alone, without that of a key.
    """

    text: str
    viewer: Viewer = STRANGER
    kinds: tuple[str, ...] | None = None
    owner: str | None = None
    chosen: ListFilter = field(default_factory=ListFilter)
    sort: str = SORTS[0]
    limit: int = LIMIT_DEFAULT
    cursor: str | None = None
    level: str | None = None
    ceiling: str = MOST_OPEN
    installed: str = MOST_OPEN
    key: bytes = field(default=PROCESS_KEY, repr=False)

    @property
    def query(self) -> TextQuery:
        """What the text means."""
        return read_query(self.text, by_beginnings=False)

    @property
    def is_ranked(self) -> bool:
        """Whether what is found best comes first."""
        return self.sort == SORTS[0]

    def asked_by(self, viewer: Viewer, ceiling: str) -> SearchQuestion:
        """Return the same question of another viewer, under the ceiling of an installation."""
        return replace(self, viewer=viewer, ceiling=ceiling)

    def among(self, kinds: tuple[str, ...] | None) -> SearchQuestion:
        """Return the same question of no other kinds than these; None: of all."""
        if kinds is None:
            return self
        return replace(self, kinds=tuple(kind for kind in kinds if self.kinds is None or kind in self.kinds))

    def begins_after(self) -> Place | None:
        """Return the rank and the row of the index after which it goes on; raises UsageError."""
        return None if self.cursor is None else read_cursor(self.key, 0, self.cursor, self._order)

    def cursor_after(self, place: Place) -> str:
        """Return the cursor of what comes after a rank and row."""
        return make_cursor(self.key, 0, place, self._order)

    @property
    def _order(self) -> str:
        """What a cursor is bound to: all that decides what is found in which order, but who asks."""
        said = (self.text, self.kinds, self.owner, self.chosen, self.sort, self.level)
        return f"search {blake2b(repr(said).encode('utf-8', 'replace'), digest_size=16).hexdigest()}"


def search_question(
    text: str,
    *,
    kind: str | None = None,
    owner: str | None = None,
    tag: str | None = None,
    since: str | None = None,
    until: str | None = None,
    sort: str | None = None,
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
    level: str | None = None,
    key: bytes = PROCESS_KEY,
    installed: str = MOST_OPEN,
) -> SearchQuestion:
    """Return what is asked; raises UsageError, UnknownLevel."""
    check_form(cursor)
    if sort is not None and sort not in SORTS:
        raise UsageError("A search is not sorted by that.", hint=f"Known: {', '.join(SORTS)}.")
    read_query(text, by_beginnings=False)
    if level is not None:
        known(level)
    return SearchQuestion(
        text,
        kinds=None if kind is None else (kind.removeprefix("~"),),
        owner=owner,
        chosen=list_filter(tag=tag, since=since, until=until) or ListFilter(),
        sort=sort or SORTS[0],
        limit=check_limit(limit),
        cursor=cursor,
        level=level,
        key=key,
        installed=installed,
    )
