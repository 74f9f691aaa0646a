"""Bulk plan. When is all of a bulk worked out before the turn to write, and how is it written in it?

New entries and replaced ones take a statement a table each (`new_entries`, `replaced_entries`); the audit and
webhooks are told of both in the order of the bulk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import TypeVar

from sqlalchemy import Connection

from app import clock
from app.accounts import audit
from app.entries import new_entries, replaced_entries, storage_use, store, webhook_events
from app.entries.bulk_items import BulkItem
from app.entries.endpoints import Endpoint
from app.entries.entry import Origin
from app.entries.new_entries import NewOne
from app.entries.replaced_entries import Replacement
from app.entries.searched_texts import SearchedTexts
from app.entries.webhook_events import Happened
from app.errors import DaemonError
from app.privacy.viewer import Viewer

T = TypeVar("T")


@dataclass(frozen=True)
class Done:
    """What became of an item. ``status`` as a request of its own would have it: 201 new, 200 replaced."""

    index: int
    status: int
    id: int
    slug: str | None


@dataclass(frozen=True)
class LookedAt:
    """What was read of entries that may all be written at once, and at which places of the bulk they are."""

    new: new_entries.Looked
    new_at: Sequence[int]
    replaced: replaced_entries.Looked | None
    replaced_at: Sequence[int]
    slugs_needed: Sequence[str]


@dataclass(frozen=True)
class Plan:
    """What is written at once. ``new_at`` and ``replaced_at`` are the places of both in the bulk.

    ``slugs_needed`` no entry may have meanwhile. ``lines`` of the audit, and what is ``done`` then, are in
    the order of the bulk.
    """

    new: new_entries.Ready
    new_at: Sequence[int]
    replaced: replaced_entries.Ready | None
    replaced_at: Sequence[int]
    slugs_needed: Sequence[str]

    lines: Sequence[audit.Line]
    done: list[Done]

    def happened(self, now: datetime) -> Iterator[Happened]:
        """Yield what webhooks are told; it is worked out only where there is anyone who is told."""
        replaced = replaced_entries.happened(self.replaced) if self.replaced else []
        new = list(new_entries.happened(self.new, now))
        yield from _in_order(self.new_at, new, self.replaced_at, replaced)


def _in_order(
    new_at: Sequence[int], new: Sequence[T], replaced_at: Sequence[int], replaced: Sequence[T]
) -> list[T]:
    """Return what is of either, in the order of the bulk."""
    places = zip([*new_at, *replaced_at], [*new, *replaced], strict=True)
    return [each for _, each in sorted(places, key=itemgetter(0))]


def look_at(
    connection: Connection,
    viewer: Viewer,
    endpoint: Endpoint,
    kind: str,
    items: Sequence[BulkItem],
    origin: Origin,
) -> LookedAt | None:
    """Read what is needed to write them all at once; None where something may be in the way of that."""
    if viewer.user_id is None or not items or any(each.refusal or each.draft.refusal for each in items):
        return None
    places = _places_of(connection, viewer.user_id, endpoint, items)
    if places is None:
        return None
    new_at, wanted = places
    drafts = [each.draft for each in items]
    replaced = (
        replaced_entries.look(connection, viewer, endpoint, list(wanted.values()), drafts, origin)
        if wanted
        else None
    )
    if wanted and replaced is None:
        return None
    needed = [slug for at in new_at if (slug := items[at].slug)]
    needed += replaced_entries.new_slugs(replaced) if replaced else []
    if store.slugs_taken(connection, viewer.user_id, endpoint.id, needed):
        return None
    new = new_entries.look(connection, viewer, [kind], len(new_at), origin)
    return LookedAt(new, new_at, replaced, list(wanted), needed)


def _places_of(
    connection: Connection, user_id: int, endpoint: Endpoint, items: Sequence[BulkItem]
) -> tuple[list[int], dict[int, Replacement]] | None:
    """Return the places of new entries, and by place what is replaced; None where one is named twice."""
    said = [each.slug for each in items if each.slug]
    looked_for = [each.slug for each in items if each.slug and each.entry_id is None]
    by_slug = store.ids_by_slug(connection, user_id, endpoint.id, looked_for)
    new_at, wanted = list[int](), dict[int, Replacement]()
    for at, each in enumerate(items):
        entry_id = by_slug.get(each.slug or "") if each.entry_id is None else each.entry_id
        if entry_id is None:
            new_at.append(at)
        else:
            wanted[at] = Replacement(entry_id, each.draft, each.slug)
    is_once = len({one.entry_id for one in wanted.values()}) == len(wanted) and len(set(said)) == len(said)
    return (new_at, wanted) if is_once else None


def plan_of(kind: str, items: Sequence[BulkItem], at: LookedAt | None, texts: SearchedTexts) -> Plan | None:
    """Make items ready to be written at once; None where one has a fault that is to be told.

    Needs no database.
    """
    if at is None:
        return None
    wanted = [NewOne(kind, items[place].draft, items[place].slug) for place in at.new_at]
    try:
        new = new_entries.make_ready(at.new, wanted, texts)
        replaced = replaced_entries.make_ready(at.replaced, texts) if at.replaced else None
    except DaemonError as error:
        if error.status >= 500:
            raise
        return None
    if at.replaced and replaced is None:
        return None
    again = replaced.made if replaced else []
    lines = _in_order(at.new_at, [one.line for one in new.made], at.replaced_at, [one.line for one in again])
    ids = _in_order(at.new_at, [one.id for one in new.made], at.replaced_at, [one.id for one in again])
    replaced_at = set(at.replaced_at)
    done = [
        Done(place, 200 if place in replaced_at else 201, entry_id, items[place].slug or None)
        for place, entry_id in enumerate(ids)
    ]
    return Plan(new, at.new_at, replaced, at.replaced_at, at.slugs_needed, lines, done)


def is_of_now(plan: Plan) -> bool:
    """Whether the same is shown as when it was planned, as far as the time goes."""
    return plan.replaced is None or replaced_entries.is_of_now(plan.replaced)


def holds(connection: Connection, viewer: Viewer, kind: str, origin: Origin, plan: Plan) -> bool:
    """Whether what was planned is what would be planned now."""
    if not new_entries.holds(connection, viewer, origin, plan.new):
        return False
    if plan.replaced and not replaced_entries.holds(connection, viewer, origin, plan.replaced):
        return False
    endpoint = plan.new.ground.kinds[kind]
    assert viewer.user_id is not None, "else there is no plan"
    return not store.slugs_taken(connection, viewer.user_id, endpoint.id, plan.slugs_needed)


def write(
    connection: Connection,
    viewer: Viewer,
    plan: Plan,
    check_may_replace: Callable[[], object],
) -> list[Done] | None:
    """Write what was planned; None, and nothing is written, where one may not be, or there is no room."""
    new, replaced, now = plan.new, plan.replaced, clock.now()
    growth = new_entries.size_of(new) + (replaced_entries.growth_of(replaced) if replaced else 0)
    try:
        if replaced:
            check_may_replace()
        storage_use.take(connection, viewer.user_id, len(new.made), growth)
    except DaemonError as error:
        if error.status >= 500:
            raise
        return None
    new_entries.add_rows(connection, new, now)
    if replaced:
        replaced_entries.write_rows(connection, replaced, now)
    assert viewer.user_id is not None, "else there is no plan"
    webhook_events.note_all(connection, viewer.user_id, plan.happened(now), now)
    audit.record_lines(connection, plan.lines, now)
    return plan.done
