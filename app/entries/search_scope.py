"""Scope of a search. Of which audiences are rows looked for: what is one's own, what strangers get?

| who asks | without a name | with one's own name | with another's |
|---|---|---|---|
| stranger, or at a level | what strangers get of everyone | what strangers get | what strangers get |
| person | what is their own, and what strangers get of all others | what is their own | what strangers get |
| admin | the same, and what belongs to no one | what is their own | what is that person's own |
| local door | what came in through it, and what strangers get | - | what strangers get |
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from app.accounts.people import Person
from app.entries import people, search_terms
from app.entries.list_filter import folded_tag
from app.entries.partial_dates import span_of
from app.entries.policies import Policies
from app.entries.search_question import SearchQuestion
from app.entries.search_terms import OWN, PLACE_BITS, answer_mark, kind_mark, person_mark, scope_of
from app.entries.shown_times import time_between
from app.errors import NotFound
from app.full_text import Expression, Some, Term, Without
from app.privacy.levels import ANSWERED, at_most, effective_level, members

_LONGEST_SPAN = timedelta(days=366)
_END = 2**63 - 1
_NO_ONE = 0


@dataclass(frozen=True)
class SearchScope:
    """Whose own entries are looked for, and whose as strangers get them (None: of everyone but ``but``)."""

    question: SearchQuestion
    own: tuple[int, ...]
    strangers: bool
    of_person: int | None = None
    but: int | None = None

    @classmethod
    def of(cls, connection: Connection, question: SearchQuestion, policies: Policies) -> SearchScope:
        """Return the scope of a question; raises NotFound for no such person."""
        viewer, named = question.viewer, _named(connection, question, policies)
        if question.level is None and named is not None and (viewer.is_admin or viewer.owns(named.id)):
            return cls(question, (named.id,), False)
        if question.owner is not None:
            if named is None or not named.is_active:
                raise NotFound("There is no such person.")
            return cls(question, (), True, named.id)
        if question.level is not None or viewer.is_stranger:
            return cls(question, (), True)
        mine = () if viewer.user_id is None else (viewer.user_id,)
        of_no_one = (_NO_ONE,) if viewer.is_admin or viewer.user_id is None else ()
        return cls(question, mine + of_no_one, True, but=viewer.user_id)

    def expression(self, rank: int | None) -> Expression | None:
        """Return what the index is asked for, of one rank or of any; None where there can be nothing."""
        if self.question.kinds == ():
            return None
        parts = [self._asked(scope_of(OWN, user_id), rank, ()) for user_id in self.own]
        if self.strangers:
            bound, is_for_assistant = self._answered()
            parts += [
                self._of_strangers(scope_of(level, None), rank, bound, is_for_assistant)
                for level in ANSWERED
                if at_most(level, bound)
            ]
        return Some(tuple(parts))

    @property
    def places(self) -> tuple[int, int]:
        """Between which ids of rows what is asked for can be: no span is longer than a year."""
        chosen, least, end = self.question.chosen, 0, _END
        since, until = (None if text is None else span_of(text) for text in (chosen.since, chosen.until))
        if since is not None:
            least = search_terms.second_of(_year_before(since.begin)) << PLACE_BITS
        if until is not None:
            end = (search_terms.second_of(until.end) + 1) << PLACE_BITS
        return least, end

    def _answered(self) -> tuple[str, bool]:
        """What the reader may see at most, and whether an assistant reads; as `PersonSettings.level_for`."""
        question = self.question
        bound = effective_level(question.level, question.ceiling)
        is_asked = "ai_safe" in (question.level, *members(question.ceiling), *members(bound))
        return bound, question.viewer.is_assistant or is_asked

    def _of_strangers(self, scope: str, rank: int | None, bound: str, is_for_assistant: bool) -> Expression:
        marks: tuple[Expression, ...] = (Term(answer_mark(scope, bound, is_for_assistant=is_for_assistant)),)
        if self.of_person is not None:
            marks += (Term(person_mark(scope, self.of_person)),)
        found = self._asked(scope, rank, marks)
        return found if self.but is None else Without(found, (Term(person_mark(scope, self.but)),))

    def _asked(self, scope: str, rank: int | None, marks: tuple[Expression, ...]) -> Expression:
        question = self.question
        if question.kinds is not None:
            marks += (Some(tuple(Term(kind_mark(scope, kind)) for kind in question.kinds)),)
        if question.chosen.tag is not None:
            marks += (search_terms.tag_asked(scope, folded_tag(question.chosen.tag)),)
        return search_terms.asked(question.query, scope, rank, marks)


def _named(connection: Connection, question: SearchQuestion, policies: Policies) -> Person | None:
    if question.owner is None:
        return None
    alike = time_between(connection)
    viewer, ceiling = question.viewer, question.ceiling
    return people.find_person(connection, viewer, question.owner, ceiling, policies, alike)


def _year_before(moment: datetime) -> datetime:
    return moment - _LONGEST_SPAN if moment.year > 2 else moment  # the first are not counted back
