"""Rows of the search index, as they are to be. What of an entry is found at which level, and by whom?

A row holds the terms of the view that strangers get at one level, or of what its owner gets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, null, select

from app import clock
from app.entries import access, search_terms
from app.entries.endpoints import Endpoint, endpoints_of
from app.entries.json_safe import presentable, read_content
from app.entries.list_filter import date_of
from app.entries.policies import Policies
from app.entries.read import is_told
from app.entries.row_types import StrangersRow
from app.entries.search_candidates import IS_SHOWN
from app.entries.search_stamps import (
    entry_stamp,
    own_stamp,
    policy_stamp,
)
from app.entries.search_terms import OWN, scope_of
from app.entries.spans import Spans
from app.entries.strangers import NO_MEMORY, WHATEVER_IT_TAKES, StrangersViews
from app.entries.strangers_rows import ROW, WITH_FINDINGS
from app.log import get_logger
from app.privacy.levels import ANSWERED, at_most, members
from app.privacy.policy import Policy
from app.privacy.viewer import STRANGER
from app.tables import data_entries, endpoints, search_rows

_log = get_logger(__name__)
_INDEXED = search_rows.c
_MADE_OF = (
    select(*ROW, null().label("changed_at"), IS_SHOWN.label("is_shown"), access.is_there().label("is_there"))
    .select_from(WITH_FINDINGS.join(endpoints, endpoints.c.id == data_entries.c.endpoint_id))
    .where(data_entries.c.id.in_(bindparam("entry_ids", expanding=True)))
)


@dataclass(frozen=True)
class Wanted:
    """What a row of an entry and audience is to hold."""

    stamp: str
    user_id: int
    endpoint_id: int
    sorted_at: int
    words: str


@dataclass(frozen=True)
class Made:
    """Of some entries, by entry and audience, the rows that are to be there; None: the one there is right."""

    entry_ids: tuple[int, ...]
    wanted: Mapping[tuple[int, str], Wanted | None]
    stamps: Mapping[tuple[int, str], str]

    @property
    def is_there(self) -> bool:
        """Whether nothing is to be written or removed."""
        return all(one is None for one in self.wanted.values()) and self.stamps.keys() == self.wanted.keys()


class _Cut(NamedTuple):
    """What is shown of an entry, and what rows say of that whoever it is shown to."""

    data: Any
    created_at: Any
    second: int
    parts: tuple[str, ...]


Answers = dict[str, list[tuple[str, bool]]]


class Maker:
    """Makes rows of entries in one snapshot of the database."""

    def __init__(self, connection: Connection, ceiling: str) -> None:
        """``ceiling`` is the installation's PRIVACY_LEVEL: what is above it is answered to no one."""
        self._connection = connection
        self._ceiling = ceiling
        self._policies = Policies(connection)
        self._spans = Spans(connection, self._policies)
        self._endpoints: dict[int, Endpoint] = {}
        self._views: dict[tuple[int, int | None, str], StrangersViews] = {}
        self._cut: list[_Cut] = []  # of the present entry
        self._texts: search_terms.Cut = {}  # of the same
        self._answers: dict[tuple[int, int], Answers] = {}

    def make(self, entry_ids: Sequence[int]) -> Made:
        """Return what rows these entries are to have; of those that are right only that they are."""
        stamps = stamps_of(self._connection, entry_ids)
        wanted: dict[tuple[int, str], Wanted | None] = {}
        for row in self._connection.execute(_MADE_OF, {"entry_ids": list(entry_ids)}).all():
            try:
                wanted |= {(row.id, audience): one for audience, one in self._rows_of(row, stamps)}
            except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
                # It is found by no one; the others are not to wait for it.
                _log.error("An entry cannot be searched.", exc_info=error, extra={"entry": row.id})
        return Made(tuple(entry_ids), wanted, stamps)

    def _rows_of(
        self, row: Row[Any], stamps: Mapping[tuple[int, str], str]
    ) -> Iterator[tuple[str, Wanted | None]]:
        if row.is_there != 1:
            return
        self._cut.clear()
        self._texts.clear()
        stamp = own_stamp(row)
        is_right = stamps.get((row.id, OWN)) == stamp
        yield OWN, None if is_right else self._own_row(row, stamp)
        if row.is_shown == 1 and row.created_by_id is not None:
            yield from self._strangers_rows(row, stamps)

    def _own_row(self, row: Row[Any], stamp: str) -> Wanted:
        data = presentable(read_content(row.data).value)
        return self._wanted(row, OWN, stamp, data, row.created_at, iter(()))

    def _strangers_rows(
        self, row: Row[Any], stamps: Mapping[tuple[int, str], str]
    ) -> Iterator[tuple[str, Wanted | None]]:
        endpoint = self._endpoint(row.endpoint_id)
        content = read_content(row.data).value
        if not access.is_text_public(content) or not is_told(self._connection, STRANGER, endpoint):
            return
        policy = self._policies.policy_of(endpoint, row.created_by_id)
        generation = self._policies.words_generation_of(row.created_by_id)
        plain = StrangersRow._make(row[: len(StrangersRow._fields)])
        of_entry = entry_stamp(plain, self._policies)
        for level, bounds in self._answers_of(endpoint.id, row.created_by_id, policy).items():
            stamp = policy_stamp(policy, generation, level, self._ceiling) + of_entry
            if stamps.get((row.id, level)) == stamp:
                yield level, None
                continue
            body = self._views_of(endpoint, row.created_by_id, policy, level).body_of(plain)
            if body is not None:
                view, scope = json.loads(body), scope_of(level, None)
                marks = (search_terms.answer_mark(scope, bound, is_for_assistant=ai) for bound, ai in bounds)
                yield level, self._wanted(row, level, stamp, view["data"], view["created_at"], marks)

    def _wanted(
        self, row: Row[Any], audience: str, stamp: str, data: Any, created_at: Any, marks: Iterator[str]
    ) -> Wanted:
        user_id = row.created_by_id or 0
        scope = scope_of(audience, user_id)
        name = self._endpoint(row.endpoint_id).name
        said = (*marks, search_terms.kind_mark(scope, name), search_terms.person_mark(scope, user_id))
        cut = self._cut_of(data, created_at)
        words = search_terms.terms_of(scope, cut.parts, iter(said))
        return Wanted(stamp, user_id, row.endpoint_id, cut.second, words)

    def _cut_of(self, data: Any, created_at: Any) -> _Cut:
        """What is shown of an entry is cut once, at however many levels it is the same."""
        for known in self._cut:
            if known.data == data and known.created_at == created_at:  # 1 and 1.0 are equal, and no texts
                return known
        span = date_of(data, created_at)
        second = 0 if span is None else search_terms.second_of(span.begin)
        cut = _Cut(data, created_at, second, search_terms.parts_of(data, self._texts))
        self._cut.append(cut)
        return cut

    def _answers_of(self, endpoint_id: int, user_id: int, policy: Policy) -> Answers:
        """The same for all entries of a person and kind, in one snapshot."""
        found = self._answers.get((endpoint_id, user_id))
        if found is None:
            found = self._answers[endpoint_id, user_id] = answers_at(policy, self._ceiling)
        return found

    def _endpoint(self, endpoint_id: int) -> Endpoint:
        if endpoint_id not in self._endpoints:
            (self._endpoints[endpoint_id],) = endpoints_of(self._connection, (endpoint_id,), ())
        return self._endpoints[endpoint_id]

    def _views_of(self, endpoint: Endpoint, user_id: int, policy: Policy, level: str) -> StrangersViews:
        key = endpoint.id, user_id, level
        if key not in self._views:
            found = policy.filter_at(level, clock.now().date())
            self._views[key] = StrangersViews(
                self._connection, endpoint, found, self._spans, NO_MEMORY, WHATEVER_IT_TAKES
            )
        return self._views[key]


def answers_at(policy: Policy, ceiling: str) -> Answers:
    """Return at which levels strangers are answered, and who: what they may see at most, an assistant?"""
    found: Answers = {}
    for bound in ANSWERED:
        for is_assistant in (False, True):
            if not at_most(bound, ceiling) or ("ai_safe" in members(bound) and not is_assistant):
                continue
            level = policy.level_for(None, bound, is_assistant=is_assistant)
            if level is not None:
                found.setdefault(level, []).append((bound, is_assistant))
    return found


def stamps_of(connection: Connection, entry_ids: Sequence[int]) -> dict[tuple[int, str], str]:
    """Return, by entry and audience, the stamps of the rows of these entries."""
    query = select(_INDEXED.entry_id, _INDEXED.audience, _INDEXED.stamp).where(
        _INDEXED.entry_id.in_(entry_ids)
    )
    return {(row.entry_id, row.audience): row.stamp for row in connection.execute(query)}
