"""Replaced entries (many at once). What of it is ready before the turn to write, and how is it written?

As with `new_entries`: what strangers saw and will see, what is found, digests and hashes are worked out
before the transaction. In it is asked whether every row is still what it was, and each table is written by
one statement. A column that stays as it is is not written: hardly any place in an index changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from app import clock
from app.accounts import audit, people
from app.accounts.audit import Actor, Line
from app.entries import (
    access,
    findings,
    revisions,
    slugs,
    store,
    store_writing,
    unclaimed,
    view_changes,
    webhook_events,
)
from app.entries.draft import Draft
from app.entries.endpoints import Endpoint
from app.entries.entry import Origin
from app.entries.findings import Searched
from app.entries.json_safe import read_presentable, stored_text
from app.entries.listed_fields import are_later_fields_shown, has_later_fields
from app.entries.policies import Policies
from app.entries.privacy_secrets import FINDING_VALUES, find_key
from app.entries.searched_texts import Pairs, SearchedTexts
from app.entries.shown_times import ShownTimes
from app.entries.spans import noted_tree
from app.entries.view_changes import Hashes, Known, ViewsToBe
from app.entries.visibility import said_visibility, visibility_of_row
from app.entries.webhook_events import Happened
from app.privacy.entry_search import Words
from app.privacy.found import Found
from app.privacy.policy import Policy
from app.privacy.released import Releases
from app.privacy.viewer import Viewer

TIMES = ("shown_from", "shown_until")
TOLD = ("visibility", *TIMES)
"""Columns whose new values are named with a change whether or not they are other ones."""


class Replacement(NamedTuple):
    """Which entry gets which content. ``slug`` None: it keeps its own; empty: it has none afterwards."""

    entry_id: int
    draft: Draft
    slug: str | None = None


@dataclass(frozen=True)
class _Ground:
    """What they were made ready with: where it is another one in the transaction, they are made anew."""

    viewer: Viewer
    origin: Origin
    endpoint: Endpoint
    words: Words | None
    words_generation: int
    key: bytes | None
    policy: Policy
    releases: Releases
    is_active: bool


@dataclass(frozen=True)
class Looked:
    """What was read of the entries, in the order in which they are wanted."""

    wanted: Sequence[Replacement]
    rows: Sequence[Row[Any]]
    states: dict[int, tuple[Any, ...]]
    views: dict[int, Known]
    ground: _Ground


class _Made(NamedTuple):
    """One that is ready. ``row`` is what it was; ``values`` are those of ``columns``, and of TOLD.

    ``times`` are those before and after, where they have a beginning or an end.
    """

    id: int
    row: Row[Any]
    values: dict[str, object]
    columns: tuple[str, ...]
    state: revisions.State
    finding_row: dict[str, object]
    views: ViewsToBe | None
    growth: int
    is_settled: bool
    times: list[ShownTimes]
    happened: Happened
    line: Line


@dataclass(frozen=True)
class Ready:
    """Entries of a person that are ready to be replaced. What they were made of is kept with them.

    ``at`` is when it was: what is shown from or until some time may be another thing later.
    """

    made: Sequence[_Made]
    states: dict[int, tuple[Any, ...]]
    ground: _Ground
    at: datetime


def look(
    connection: Connection,
    viewer: Viewer,
    endpoint: Endpoint,
    wanted: Sequence[Replacement],
    drafts: Iterable[Draft],
    origin: Origin,
) -> Looked | None:
    """Read what `make_ready` needs; None where they are to be replaced one by one.

    So it is where one is not there or is not the viewer's own; and where one of the ``drafts``, which are all
    that is written, has members that came later: it hangs on all others whether they are shown.
    """
    entry_ids = [one.entry_id for one in wanted]
    rows = _rows_of(connection, viewer, endpoint, entry_ids)
    if rows is None or not all(viewer.owns(row.created_by_id) for row in rows):
        return None
    if _are_later_fields_to_be_noted(connection, viewer, endpoint, drafts):
        return None
    views = view_changes.known_of(connection, entry_ids)
    states = store.states_of(connection, sorted(entry_ids))
    return Looked(wanted, rows, states, views, _ground_of(connection, viewer, endpoint, origin))


def new_slugs(looked: Looked) -> list[str]:
    """Return the slugs that entries get which had another one, or none."""
    pairs = zip(looked.wanted, looked.rows, strict=True)
    return [one.slug for one, row in pairs if one.slug and one.slug != row.slug]


def make_ready(looked: Looked, texts: SearchedTexts | None = None) -> Ready | None:
    """Return what is written. Needs no turn to write and no database.

    None where the key is missing with which the first finding of all is kept. Raises what `write.replace`
    raises of content, and of what can be no slug.
    """
    now, made = clock.now(), list[_Made]()
    for one, row in zip(looked.wanted, looked.rows, strict=True):
        one.draft.check(looked.ground.endpoint, now, texts)
        if one.slug:
            slugs.check_form(one.slug, looked.ground.words)
        pairs = one.draft.found_with(looked.ground.words, texts)
        if pairs and looked.ground.key is None:
            return None
        made.append(_made(one, row, pairs, looked, now))
    return Ready(made, looked.states, looked.ground, now)


def holds(connection: Connection, viewer: Viewer, origin: Origin, ready: Ready) -> bool:
    """Whether what was made ready is what would be made now: every row is what it was, and all else.

    But for the time: see `is_of_now`.
    """
    if _ground_of(connection, viewer, ready.ground.endpoint, origin) != ready.ground:
        return False
    return store.states_of(connection, sorted(ready.states)) == ready.states


def is_of_now(ready: Ready) -> bool:
    """Whether the same is shown as when it was made ready, as far as the time goes."""
    now = clock.now()
    if now.date() != ready.at.date():
        return False
    times = (each for one in ready.made for each in one.times)
    return all(each.are_now(now) == each.are_now(ready.at) for each in times)


def growth_of(ready: Ready) -> int:
    """Return by how many bytes those grow that do."""
    return sum(max(0, one.growth) for one in ready.made)


def write_rows(connection: Connection, ready: Ready, now: datetime) -> None:
    """Write what `write.replace` writes but for the audit, webhooks and what the person uses.

    They have to hold (`holds`), and no other entry may have one of the slugs that are new.
    """
    made = sorted(ready.made, key=attrgetter("id"))  # as they stand in the tables
    unclaimed.settle_all(connection, (one.id for one in made if one.is_settled))
    revisions.keep_known(connection, [one.state for one in made], now)
    _change_rows(connection, made, clock.stored(now))
    findings.write_again(connection, (one.finding_row for one in made), now)
    view_changes.record_all(connection, [one.views for one in made if one.views is not None], now)


def happened(ready: Ready) -> list[Happened]:
    """Return what webhooks are told of each, in order; once the rows are written."""
    return [one.happened for one in ready.made]


# -- inside


def _rows_of(
    connection: Connection, viewer: Viewer, endpoint: Endpoint, entry_ids: Sequence[int]
) -> list[Row[Any]] | None:
    """Their rows in this order, None where the viewer may not change one."""
    found = store.rows_of(connection, viewer, endpoint, entry_ids)
    rows = [found[entry_id] for entry_id in entry_ids if entry_id in found]
    return rows if len(rows) == len(entry_ids) and all(row.sees_whole == 1 for row in rows) else None


def _ground_of(connection: Connection, viewer: Viewer, endpoint: Endpoint, origin: Origin) -> _Ground:
    policies, owner_id = Policies(connection), viewer.user_id
    assert owner_id is not None, "they are a person's"
    return _Ground(
        viewer,
        origin,
        endpoint,
        policies.words_of(owner_id),
        policies.words_generation_of(owner_id),
        find_key(connection, FINDING_VALUES),
        policies.policy_of(endpoint, owner_id),
        policies.releases_of(owner_id),
        people.is_active(connection, owner_id),
    )


def _are_later_fields_to_be_noted(
    connection: Connection, viewer: Viewer, endpoint: Endpoint, drafts: Iterable[Draft]
) -> bool:
    if viewer.user_id is None or not any(has_later_fields(endpoint, each.content) for each in drafts):
        return False
    return not are_later_fields_shown(connection, viewer.user_id, endpoint.id)


def _made(one: Replacement, row: Row[Any], pairs: Pairs, looked: Looked, now: datetime) -> _Made:
    draft, ground, old_text = one.draft, looked.ground, stored_text(row.data)
    said = said_visibility(draft.content)
    wanted: dict[str, object] = {"visibility": said or visibility_of_row(row), **draft.times._asdict()}
    if one.slug is not None:
        wanted["slug"] = one.slug or None
    changed = [name for name, value in wanted.items() if value != getattr(row, name)]
    found = findings.hashed(pairs, ground.key)
    was = _hashes_before(row, ground, now)
    now_is = _hashes_after(draft, row, wanted["visibility"], found, ground, now)
    known_by = findings.content_hash(row.created_by_id, draft.text)
    return _Made(
        row.id,
        row,
        {**wanted, "of_entry": row.id, "data": draft.text, "revision": int(row.number) + 1},
        ("data", "revision", "updated_at", *changed),
        revisions.state_of(row.id, row.number, [getattr(row, name) for name in revisions.MORE]),
        findings.row_of(Searched(row.id, known_by, ground.words_generation, found)),
        view_changes.views_to_be(row, was, now_is, looked.views.get(row.id, {})),
        len(draft.text) - len(old_text),
        said is not None,
        [each for each in (ShownTimes(row.shown_from, row.shown_until), draft.times) if any(each)],
        Happened(
            webhook_events.CHANGED, ground.endpoint.name, row.id, publishes=bool(now_is) and not bool(was)
        ),
        _line(row.id, old_text, draft.text, ground),
    )


def _line(entry_id: int, old_text: str, new_text: str, ground: _Ground) -> Line:
    origin = ground.origin
    return audit.line_of(
        audit.UPDATE,
        "data_entries",
        entry_id,
        Actor(ground.viewer.user_id, origin.ip_address, origin.user_agent),
        old_text=old_text,
        new_text=new_text,
        api_key_id=origin.api_key_id,
    )


def _hashes_before(row: Row[Any], ground: _Ground, now: datetime) -> Hashes:
    content, whole = read_presentable(row.data)
    if not access.is_shown_to_strangers(row, content.value):
        return {}
    found = findings.found_with(row, ground.words, ground.words_generation, ground.key)
    return _hashes(row, whole, found, ground, now)


def _hashes_after(
    draft: Draft,
    row: Row[Any],
    visibility: object,
    found: tuple[Found, ...],
    ground: _Ground,
    now: datetime,
) -> Hashes:
    is_public = visibility == "public" and ground.endpoint.is_open and ground.is_active
    if not (is_public and draft.times.are_now(now) and access.is_text_public(draft.content)):
        return {}
    return _hashes(row, draft.shown, found, ground, now)


def _hashes(row: Row[Any], whole: object, found: tuple[Found, ...], ground: _Ground, now: datetime) -> Hashes:
    tree = noted_tree(row, found, ground.releases, None, None) if found else None
    return view_changes.hashes_of(ground.policy, whole, tree, now.date())


def _change_rows(connection: Connection, made: Iterable[_Made], updated_at: str) -> None:
    """Write the entries, with a statement for those of which the same columns change."""
    alike: dict[tuple[str, ...], list[dict[str, object]]] = {}
    for one in made:
        alike.setdefault(one.columns, []).append({**one.values, "updated_at": updated_at})
    for columns, rows in alike.items():
        store_writing.change_entries(connection, rows, columns)
