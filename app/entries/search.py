"""Search (index, rank, snippets). Which entries have these words, in what the reader is shown of them?

The index proposes rows: those of the level at which a reader is answered, and for a person also of what is
their own. A row counts only where its stamp is what it would be now, and a hit only where the words are in
the view that the reader gets at this moment, from the filter that every other answer comes from. So
whatever the index holds, nothing is found, counted or quoted that is not shown. What is found is sorted by
its date, newest first, or by rank before. A rank is a matter of one entry alone: whether what is searched
for is in its title.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from app import clock
from app.entries import access, search_candidates, search_index
from app.entries.endpoints import Endpoint, endpoints_of
from app.entries.entry import View, json_bytes
from app.entries.json_safe import read_content
from app.entries.list_filter import said_date, titles_of
from app.entries.order import Place
from app.entries.parts import Heavy
from app.entries.policies import Policies
from app.entries.read import Notes, Watch, is_told
from app.entries.search_candidates import Candidate
from app.entries.search_question import SearchQuestion
from app.entries.search_scope import SearchScope
from app.entries.search_stamps import STAMP_HALF, entry_stamp, own_stamp, policy_stamp
from app.entries.search_terms import OWN, RANKS, texts_in
from app.entries.snippets import snippets_of
from app.entries.spans import Spans
from app.entries.strangers import NO_MEMORY, WHATEVER_IT_TAKES, Budget, StrangersViews
from app.entries.validity import ALWAYS, Validity
from app.entries.view_memory import ViewMemory
from app.entries.views import whole_view
from app.full_text import FullText
from app.privacy.levels import effective_level
from app.privacy.viewer import STRANGER

VIEWS_MOST = 500  # that are compared for one answer; a cursor leads on
STALE_MOST = 5_000
"""So many rows are passed over for one answer: behind them nothing is found before they are right."""
HIDDEN_MOST = 10_000
"""The same of rows of what is hidden now, which cost less, until the job has taken them out."""
AT_ONCE = 100  # rows of the index that are read together
AT_ONCE_MOST = 1_600  # where nothing was shown of those before
READ_AT_ONCE = 20  # entries
CHARACTERS_HERE = 100_000  # of views are compared in the server's own process


@dataclass(frozen=True)
class Found:
    """A part of what was found, as JSON; ``is_pending`` while the index is being made for the first time."""

    bodies: tuple[bytes, ...] = ()
    next: str | None = None
    is_pending: bool = False
    validity: Validity = ALWAYS

    @cached_property
    def body(self) -> bytes:
        """The answer as every door gives it: items, next, pending."""
        items, following = b",".join(self.bodies), json_bytes(self.next)
        return b'{"items":[%s],"next":%s,"pending":%s}' % (items, following, json_bytes(self.is_pending))

    @property
    def tag_source(self) -> bytes:
        """What is another text where the body is."""
        return self.body

    @property
    def items(self) -> list[View]:
        """What was found, as values."""
        return [json.loads(body) for body in self.bodies]


def search(
    connection: Connection,
    question: SearchQuestion,
    *,
    budget: Budget = WHATEVER_IT_TAKES,
    watch: Watch | None = None,
    notes: Notes | None = None,
    memory: ViewMemory = NO_MEMORY,
) -> Found:
    """Return a part of what is found.

    Raises NotFound (no such person, as far as the viewer may know), UsageError, UnknownLevel, SearchMissing,
    and Heavy where strangers' views need more than the ``budget``.
    """
    effective_level(question.level, question.ceiling)
    if notes is not None:
        notes.depends_on_agent = True  # of anyone whose entries could be among these
    question.begins_after()  # what is no cursor is refused whether or not there is something to find
    index = search_index.index_to_ask(connection)
    policies = Policies(connection)
    scope = SearchScope.of(connection, question, policies)
    if not index.is_there(connection):
        return Found(is_pending=True)
    return _Search(connection, index, question, scope, policies, budget, watch, memory).part()


class _Hit(NamedTuple):
    place: Place
    body: bytes


class _Search:
    """One search in one snapshot of the database."""

    def __init__(
        self,
        connection: Connection,
        index: FullText,
        question: SearchQuestion,
        scope: SearchScope,
        policies: Policies,
        budget: Budget,
        watch: Watch | None,
        memory: ViewMemory,
    ) -> None:
        self._connection = connection
        self._index = index
        self._question = question
        self._scope = scope
        self._policies = policies
        self._budget = budget
        self._watch = watch
        self._memory = memory
        self._spans = Spans(connection, policies)
        self._query = question.query
        self._endpoints: dict[int, Endpoint] = {}
        self._views: dict[tuple[int, int, str], StrangersViews] = {}
        self._last: Place | None = None  # what was compared last
        self._compared = self._passed_over = self._hidden = self._characters = 0

    def part(self) -> Found:
        """Return the part that is asked for."""
        is_pending = not search_index.is_complete(self._connection, self._question.installed)
        hits: list[_Hit] = []
        for hit in self._hits():
            if len(hits) == self._question.limit:
                return self._found(hits, hits[-1].place, is_pending)
            hits.append(hit)
        return self._found(hits, self._last if self._compared >= VIEWS_MOST else None, is_pending)

    def _found(self, hits: list[_Hit], last: Place | None, is_pending: bool) -> Found:
        following = None if last is None else self._question.cursor_after(last)
        return Found(tuple(hit.body for hit in hits), following, is_pending)

    def _hits(self) -> Iterator[_Hit]:
        begin = self._question.begins_after()
        for rank in RANKS if self._question.is_ranked else (None,):
            position = rank or 0
            if begin is None or position <= begin.position:
                before = begin.id if begin is not None and position == begin.position else None
                yield from self._of_rank(rank, before)
            if self._is_over:
                return

    @property
    def _is_over(self) -> bool:
        is_passed_over = self._passed_over >= STALE_MOST or self._hidden >= HIDDEN_MOST
        return self._compared >= VIEWS_MOST or is_passed_over

    def _of_rank(self, rank: int | None, before: int | None) -> Iterator[_Hit]:
        expression = self._scope.expression(rank)
        if expression is None:
            return
        match, (least, end) = self._index.said(expression), self._scope.places
        before, at_once = end if before is None else min(before, end), AT_ONCE
        while not self._is_over:
            batch = search_candidates.candidates(
                self._connection, self._index, self._question.viewer, match, least, before, at_once
            )
            shown = [one for one in batch if one.is_shown]
            self._hidden += len(batch) - len(shown)
            yield from self._among(shown, rank or 0)
            if len(batch) < at_once:
                return
            before, at_once = batch[-1].id, AT_ONCE if shown else min(2 * at_once, AT_ONCE_MOST)

    def _among(self, batch: Sequence[Candidate], rank: int) -> Iterator[_Hit]:
        self._read_what_is_needed(batch)
        right = [one for one in batch if one.audience == OWN or self._has_right_policy(one)]
        self._passed_over += len(batch) - len(right)
        for at in range(0, len(right), READ_AT_ONCE):
            some = right[at : at + READ_AT_ONCE]
            rows = self._rows_of(some)
            for one in some:
                if self._is_over:
                    return
                row = rows.get((one.audience, one.entry_id))
                if row is None or not self._is_right(one, row):
                    self._passed_over += 1
                    continue
                self._compared, self._last = self._compared + 1, Place(rank, one.id)
                body = self._body_of(one, row)
                if body is not None:
                    yield _Hit(self._last, body)

    def _read_what_is_needed(self, batch: Sequence[Candidate]) -> None:
        """Read kinds and settings together."""
        missing = {one.endpoint_id for one in batch} - self._endpoints.keys()
        if missing:
            found = endpoints_of(self._connection, sorted(missing), ())
            self._endpoints |= {endpoint.id: endpoint for endpoint in found}
        people = sorted({one.user_id for one in batch if one.audience != OWN})
        if people:
            self._policies.read_settings(people)

    def _has_right_policy(self, one: Candidate) -> bool:
        """Whether the reader is answered at this level, by the policy that the row was made under."""
        question, endpoint = self._question, self._endpoints[one.endpoint_id]
        if not is_told(self._connection, STRANGER, endpoint):
            return False
        policy = self._policies.policy_of(endpoint, one.user_id)
        is_assistant = question.viewer.is_assistant
        level = policy.level_for(question.level, question.ceiling, is_assistant=is_assistant)
        generation = self._policies.words_generation_of(one.user_id)
        return level == one.audience and one.stamp[:STAMP_HALF] == policy_stamp(
            policy, generation, level, question.installed
        )

    def _rows_of(self, some: Sequence[Candidate]) -> dict[tuple[str, int], Any]:
        found: dict[tuple[str, int], Any] = {}
        for audience in dict.fromkeys(one.audience for one in some):
            ids = [one.entry_id for one in some if one.audience == audience]
            if audience == OWN:
                rows: Any = search_candidates.whole_rows(self._connection, ids, self._question.viewer)
            else:
                rows = search_candidates.strangers_rows(self._connection, ids, audience)
            found |= {(audience, entry_id): row for entry_id, row in rows.items()}
        return found

    def _is_right(self, one: Candidate, row: Any) -> bool:
        """Whether the row of the index was made of this very entry."""
        if one.audience == OWN:
            return one.stamp == own_stamp(row)
        return one.stamp[STAMP_HALF:] == entry_stamp(row, self._policies)

    def _body_of(self, one: Candidate, row: Any) -> bytes | None:
        endpoint = self._endpoints[one.endpoint_id]
        if one.audience == OWN:
            return self._item(endpoint, whole_view(row), row)
        body = self._views_of(endpoint, one).body_of(row)
        if body is None:
            return None
        self._characters += len(body)
        if self._budget.searched < inf and self._characters > CHARACTERS_HERE:
            raise Heavy
        return self._item(endpoint, json.loads(body), None)

    def _views_of(self, endpoint: Endpoint, one: Candidate) -> StrangersViews:
        key = endpoint.id, one.user_id, one.audience
        if key not in self._views:
            policy = self._policies.policy_of(endpoint, one.user_id)
            entry_filter = policy.filter_at(one.audience, clock.now().date())
            self._views[key] = StrangersViews(
                self._connection, endpoint, entry_filter, self._spans, self._memory, replace(self._budget)
            )
        return self._views[key]

    def _item(self, endpoint: Endpoint, view: View, whole: Row[Any] | None) -> bytes | None:
        """Return what is answered of a view, None where it is none that is searched for."""
        data, texts = view["data"], texts_in(view["data"])
        words = [found for _, _, found in texts]
        if not self._query.matches(words) or not self._question.chosen.takes(data, view["created_at"]):
            return None
        if whole is not None:
            self._tell_watch(endpoint, whole)
        titles = titles_of(data)
        beside: View = {name: view[name] for name in ("visibility", "owner", "slug") if name in view}
        return json_bytes(
            {
                "id": view["id"],
                "kind": endpoint.name,
                "title": titles[0] if titles else None,
                "date": said_date(data),
                "snippets": snippets_of(self._query, texts),
                "created_at": view["created_at"],
                "updated_at": view["updated_at"],
            }
            | beside
        )

    def _tell_watch(self, endpoint: Endpoint, row: Row[Any]) -> None:
        """Tell whoever writes it down where an admin is shown what is someone else's and not public."""
        viewer = self._question.viewer
        if self._watch is None or row.created_by_id is None or viewer.owns(row.created_by_id):
            return
        if not access.is_shown_to_strangers(row, read_content(row.data).value):
            self._watch(row.created_by_id, endpoint.name)
