"""Reading entries. What does this viewer see? Filtered views only; a door never gets a row.

The way of a question: endpoint and person (may the viewer know of them?), then either the rows that the
viewer sees whole (`access`), or policy, filter and the rows that strangers see; of each row a view (`views`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row

from app import clock
from app.accounts.people import Person, find_default_person
from app.entries import access, people, prefetch, replica_texts, slugs, store
from app.entries.endpoints import (
    NO_ONE,
    Endpoint,
    find_endpoint,
    find_endpoint_of_entry,
    known_endpoints,
)
from app.entries.entry import Item, Page, View, json_bytes
from app.entries.filtered import Shown, filtered, part_to_look_at
from app.entries.json_safe import read_content, read_presentable, whole_text
from app.entries.parts import Part, filled
from app.entries.policies import Policies
from app.entries.publish_guard import owners_view
from app.entries.question import Question
from app.entries.shown_times import time_between
from app.entries.spans import Spans
from app.entries.store import Rows
from app.entries.strangers import NO_MEMORY, WHATEVER_IT_TAKES, Budget, StrangersViews
from app.entries.validity import Validity
from app.entries.view_changes import changed_at
from app.entries.view_memory import ViewMemory
from app.entries.views import kind_view, whole_view
from app.errors import NotFound
from app.privacy.filter import EntryFilter
from app.privacy.levels import ANSWERED, effective_level
from app.privacy.viewer import STRANGER, Viewer

Find = Callable[[Connection, Viewer, Endpoint, int | None, tuple[ColumnElement[Any], ...]], Row[Any] | None]
Watch = Callable[[int, str], None]
"""Told whose entry, and of which kind, an admin is shown that is someone else's and not public."""


@dataclass
class Notes:
    """What a door must know of an answer beside it.

    ``depends_on_agent``: its person lets no assistant in, so that who asks decides what is answered.
    """

    depends_on_agent: bool = False


_CHANGES = tuple(map(changed_at, ANSWERED))
_LISTING_HINT = "GET /api/v1/endpoints lists the kinds."


def page(
    connection: Connection,
    question: Question,
    *,
    budget: Budget = WHATEVER_IT_TAKES,
    watch: Watch | None = None,
    notes: Notes | None = None,
    memory: ViewMemory = NO_MEMORY,
) -> Page:
    """Return one page of the entries of a kind that the viewer may see, oldest first (`order`).

    What strangers see is kept in ``memory``, and taken from there. Raises NotFound (no such kind or person,
    as far as the viewer may know), UnknownLevel, UsageError (a part that is too large), and Heavy where
    strangers' views need more than the ``budget``.
    """
    _check_level(question)
    viewer, policies = question.viewer, Policies(connection)
    spans = Spans(connection, policies)
    if question.owner is None:
        prefetch.of_default_person(connection, viewer, question.kind)
    alike = time_between(connection)
    named = _named(connection, question, policies, alike)
    whose = None if question.owner is None else NO_ONE if named is None else named.id
    endpoint = known_endpoint(connection, viewer, question.kind, whose)
    if question.level is None and (question.owner is None or named is not None):
        listed = access.of_list(viewer, named)
        if listed is not None:
            part = _part_to_read(question)
            rows = store.entries(connection, endpoint, listed, part)
            return _filled(question, rows, partial(_watched_view, viewer, endpoint, watch, spans))
    if not endpoint.is_open:
        raise no_such_kind(question.kind)
    question.part.after(endpoint.id)  # what is no cursor is refused whether or not there is someone to list
    person = _person_meant(connection, viewer) if question.owner is None else named
    if question.owner is not None and (person is None or not person.is_active):
        raise NotFound("There is no such person.")
    entry_filter = _filter_for(policies, question, endpoint, person.id, notes) if person else None
    if person is None or entry_filter is None:
        return Page((), validity=alike)
    views = StrangersViews(connection, endpoint, entry_filter, spans, memory, budget, alike)
    return views.page_of(person.id, question.part, question.filter)


def item(
    connection: Connection,
    question: Question,
    *,
    budget: Budget = WHATEVER_IT_TAKES,
    watch: Watch | None = None,
    notes: Notes | None = None,
    memory: ViewMemory = NO_MEMORY,
) -> Item:
    """Return the entry that is asked for as the viewer may see it; raises NotFound, UnknownLevel, and Heavy.

    Whatever the reason why the viewer may not see it, the error is the same.
    """
    _check_level(question)
    viewer, policies = question.viewer, Policies(connection)
    spans = Spans(connection, policies)
    prefetch.of_owner(connection, viewer, question.kind, question.entry_id)
    alike = time_between(connection)
    entry_id, whose = question.entry_id, _whose(connection, question, policies, alike)
    if question.slug is not None:
        endpoint = known_endpoint(connection, viewer, question.kind, whose)
        entry_id = slugs.find_entry_id(connection, viewer, endpoint, question.slug, whose)
    endpoint, row = known_entry(
        connection, viewer, question.kind, entry_id, _CHANGES, replica_texts.find_entry
    )
    if row is None or whose not in (None, row.created_by_id):
        raise no_such_entry()
    if question.level is None and row.sees_whole == 1:
        return Item(json_bytes(_watched_view(viewer, endpoint, watch, spans, row)))
    if row.is_public != 1:
        raise no_such_entry()
    prefetch.of_person(connection, viewer, question.kind, row.created_by_id)
    entry_filter = _filter_for(policies, question, endpoint, row.created_by_id, notes)
    if entry_filter is None:
        raise no_such_entry()
    views = StrangersViews(connection, endpoint, entry_filter, spans, memory, budget, alike)
    found = views.item(row)
    if found is None:
        raise no_such_entry()
    return found


def kinds(connection: Connection, viewer: Viewer) -> list[dict[str, Any]]:
    """Return the kinds of entries that the viewer may know of, as `views.kind_view` does, by row."""
    found = (each for each in known_endpoints(connection, viewer) if is_told(connection, viewer, each))
    return [kind_view(endpoint, viewer) for endpoint in found]


def kind(connection: Connection, viewer: Viewer, name: str) -> dict[str, Any]:
    """Return one kind, as `kinds` does; raises NotFound."""
    return kind_view(known_endpoint(connection, viewer, name), viewer)


def is_single(connection: Connection, ceiling: str, viewer: Viewer = STRANGER) -> bool:
    """Return whether strangers, such as ``viewer``, know of no one but whom addresses without a name mean."""
    return not people.is_anybody_else_shown(connection, viewer, find_default_person(connection), ceiling)


# -- what the writer asks too


def named_entry(connection: Connection, viewer: Viewer, kind: str, slug: str) -> int:
    """Return the id of the entry that a slug means to the viewer; raises NotFound (kind, entry)."""
    found = find_named_entry(connection, viewer, kind, slug)
    if found is None:
        raise no_such_entry()
    return found


def find_named_entry(connection: Connection, viewer: Viewer, kind: str, slug: str) -> int | None:
    """Return the id of the entry that a slug means to the viewer, None for none; raises NotFound (kind)."""
    return slugs.find_entry_id(connection, viewer, known_endpoint(connection, viewer, kind), slug)


def known_endpoint(connection: Connection, viewer: Viewer, name: str, whose: int | None = None) -> Endpoint:
    """Return the endpoint that a name means to the viewer (`find_endpoint`); raises NotFound."""
    endpoint = find_endpoint(connection, viewer, name, whose)
    if endpoint is None or not is_told(connection, viewer, endpoint):
        raise no_such_kind(name)
    return endpoint


def known_entry(
    connection: Connection,
    viewer: Viewer,
    kind: str,
    entry_id: int | None,
    more: tuple[ColumnElement[Any], ...] = (),
    find: Find = store.find_entry,
) -> tuple[Endpoint, Row[Any] | None]:
    """Return the endpoint and the row of an entry that the viewer may see in some way (`store.find_entry`).

    ``find`` finds the row. The name of the kind may be that of its owner's own. Raises NotFound (kind).
    """
    endpoint = find_endpoint(connection, viewer, kind)
    if endpoint is not None and not is_told(connection, viewer, endpoint):
        endpoint = None
    row = None if endpoint is None else find(connection, viewer, endpoint, entry_id, more)
    if row is None and entry_id is not None:
        theirs = find_endpoint_of_entry(connection, viewer, kind, entry_id)
        if theirs is not None and theirs != endpoint and is_told(connection, viewer, theirs):
            return theirs, find(connection, viewer, theirs, entry_id, more)
    if endpoint is None:
        raise no_such_kind(kind)
    return endpoint, row


def no_such_entry() -> NotFound:
    """Return the one error for every entry that is not there or may not be seen."""
    return NotFound("There is no such entry.")


def no_such_kind(name: str) -> NotFound:
    """Return the one error for every kind that is not there or may not be known of."""
    return NotFound(f"There is no kind {whole_text(name[:100])!r}.", hint=_LISTING_HINT)


# -- inside


def is_told(connection: Connection, viewer: Viewer, endpoint: Endpoint) -> bool:
    """Whether the name of a kind may be told: no one else finds an own one by a word of its never-list."""
    if endpoint.user_id is None or viewer.is_admin or viewer.owns(endpoint.user_id):
        return True
    words = Policies(connection).words_of(endpoint.user_id)
    return not slugs.holds_something(endpoint.name.replace("_", "-"), words)


def _check_level(question: Question) -> None:
    effective_level(question.level, question.ceiling)


def _named(connection: Connection, question: Question, policies: Policies, alike: Validity) -> Person | None:
    if question.owner is None:
        return None
    viewer, ceiling = question.viewer, question.ceiling
    return people.find_person(connection, viewer, question.owner, ceiling, policies, alike)


def _whose(connection: Connection, question: Question, policies: Policies, alike: Validity) -> int | None:
    """Whose entry is asked for, None where the address does not say it; raises NotFound."""
    named = _named(connection, question, policies, alike)
    if question.owner is not None and (named is None or not named.is_active):
        raise NotFound("There is no such person.")
    return None if named is None else named.id


def _person_meant(connection: Connection, viewer: Viewer) -> Person | None:
    """Whose entries an address without a name means: one's own, or the default person's if there is one."""
    if viewer.user_id is None or viewer.username is None:
        return find_default_person(connection)
    return Person(viewer.user_id, viewer.username, is_active=True)


def _part_to_read(question: Question) -> Part:
    return question.part if question.filter is None else part_to_look_at(question.filter, question.part)


def _filled(question: Question, rows: Rows, view_of: Callable[[Row[Any]], View]) -> Page:
    with closing(rows):  # as soon as the page is full no further row is read
        if question.filter is not None:
            return filtered(question.filter, question.part, rows, partial(_shown_whole, view_of))
        return filled(question.part, rows, lambda row: json_bytes(view_of(row)))


def _shown_whole(view_of: Callable[[Row[Any]], View], row: Row[Any]) -> Shown:
    """What is shown of an entry to who sees it whole; its view is made only where the list has it."""
    shown = read_presentable(row.data)[1]
    changed_at = row.created_at if row.updated_at is None else row.updated_at
    return Shown(shown, row.created_at, changed_at, partial(view_of, row))


def _watched_view(
    viewer: Viewer,
    endpoint: Endpoint,
    watch: Watch | None,
    spans: Spans,
    row: Row[Any],
) -> View:
    """The whole view; ``watch`` is told where the viewer is shown it as an admin only."""
    is_somebodys = row.created_by_id is not None and not viewer.owns(row.created_by_id)
    if watch is None or not viewer.is_admin or not is_somebodys:
        return owners_view(viewer, endpoint, row, spans)
    if not access.is_shown_to_strangers(row, read_content(row.data).value):
        watch(row.created_by_id, endpoint.name)
    return whole_view(row)


def _filter_for(
    policies: Policies, question: Question, endpoint: Endpoint, owner_id: int, notes: Notes | None
) -> EntryFilter | None:
    """The filter of a person's entries of a kind for strangers; None where none are there at the level."""
    policy = policies.policy_of(endpoint, owner_id)
    if notes is not None and not policy.settings.ai_assistant_access:
        notes.depends_on_agent = True
    is_assistant = question.viewer.is_assistant
    level = policy.level_for(question.level, question.ceiling, is_assistant=is_assistant)
    return None if level is None else policy.filter_at(level, clock.now().date())
