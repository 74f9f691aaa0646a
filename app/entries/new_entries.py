"""New entries (many at once). What of them is ready before the turn to write, and how do they all come in?

All of them are one transaction, and no one else writes meanwhile. So whatever can be known before it is
worked out before it: ids, digests, what is found in the texts, whether they fit. In it is asked whether that
still holds, each line of the audit is made a link to the one before, and each table gets its rows by one
statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from app import clock, ids
from app.accounts import audit
from app.accounts.audit import Actor, Line
from app.entries import findings, slugs, storage_use, store, store_writing, webhook_events, write
from app.entries.draft import Draft
from app.entries.endpoints import Endpoint, default_of
from app.entries.entry import Origin
from app.entries.findings import Searched
from app.entries.listed_fields import has_later_fields, note_later_fields
from app.entries.policies import Policies
from app.entries.privacy_secrets import FINDING_VALUES, find_key, get_or_make_key
from app.entries.searched_texts import Pairs, SearchedTexts
from app.entries.visibility import default_visibility, said_visibility
from app.entries.webhook_events import Happened
from app.errors import Conflict
from app.prepared_statements import compile_all
from app.privacy.entry_search import Words
from app.privacy.viewer import Viewer
from app.tables import data_entries


class NewOne(NamedTuple):
    """An entry to be."""

    kind: str
    draft: Draft
    slug: str | None = None


@dataclass(frozen=True)
class _Made:
    """One that is ready. ``row`` is that of data_entries but for time and place, ``finding_row`` of
    text_findings but for the time."""

    id: int
    endpoint: Endpoint
    draft: Draft
    has_later_fields: bool
    row: dict[str, object]
    pairs: Pairs
    finding_row: dict[str, object]
    line: Line


@dataclass(frozen=True)
class _Ground:
    """What they were made ready with: where it is another one in the transaction, they are made anew."""

    viewer: Viewer
    origin: Origin
    kinds: dict[str, Endpoint]
    words: Words | None
    words_generation: int
    key: bytes | None


@dataclass(frozen=True)
class Looked:
    """What was read for new entries: of whom and how they are to be made, and an id for each."""

    ground: _Ground
    ids: Sequence[int]


@dataclass(frozen=True)
class Ready:
    """New entries of a person that are ready to be written. What they were made of is kept with them."""

    wanted: Sequence[NewOne]
    made: Sequence[_Made]
    ground: _Ground


def look(connection: Connection, viewer: Viewer, kinds: Iterable[str], count: int, origin: Origin) -> Looked:
    """Read what `make_ready` needs for so many new entries of these kinds; raises NotFound (kind)."""
    compile_all(connection)
    return Looked(_ground_of(connection, viewer, kinds, origin), ids.new_ids(connection, data_entries, count))


def make_ready(looked: Looked, wanted: Sequence[NewOne], texts: SearchedTexts | None = None) -> Ready:
    """Return what `add` writes. Needs no turn to write and no database.

    Raises what `write.create` raises of content, and of what can be no slug.
    """
    now = clock.now()
    made = [
        _made(one, entry_id, looked.ground, now, texts)
        for one, entry_id in zip(wanted, looked.ids, strict=True)
    ]
    return Ready(wanted, made, looked.ground)


def holds(connection: Connection, viewer: Viewer, origin: Origin, ready: Ready) -> bool:
    """Whether what was made ready is what would be made now."""
    now_is = _ground_of(connection, viewer, ready.ground.kinds, origin)
    # Without findings no key is needed, and who finds something first makes one.
    return replace(now_is, key=None) == replace(ready.ground, key=None)


def add(connection: Connection, ready: Ready) -> list[int]:
    """Write entries that are ready; return their ids, in order.

    They have to hold (`holds`), and no other entry may have one of the slugs. Raises QuotaReached before
    anything is written, and Conflict, after which the transaction has to be taken back. Writes what
    `write.create` writes.
    """
    made, owner_id, now = ready.made, ready.ground.viewer.user_id, clock.now()
    assert owner_id is not None, "they are a person's"
    if not made:
        return []
    storage_use.take(connection, owner_id, len(made), size_of(ready))
    add_rows(connection, ready, now)
    webhook_events.note_all(connection, owner_id, happened(ready, now), now)
    audit.record_lines(connection, (one.line for one in made), now)
    return [one.id for one in made]


def size_of(ready: Ready) -> int:
    """Return how many bytes their texts take."""
    return sum(len(one.draft.text) for one in ready.made)


def add_rows(connection: Connection, ready: Ready, now: datetime) -> None:
    """Write what `add` writes but for the audit, webhooks and what the person uses."""
    made, owner_id = ready.made, ready.ground.viewer.user_id
    for one in _first_with_later_fields(made):  # before the rows: it is asked whether an older one has any
        note_later_fields(connection, one.endpoint, owner_id, one.id, one.draft.content, now)
    store_writing.add_entries(connection, [one.row for one in made], created_at=clock.stored(now))
    findings.write_new(connection, _finding_rows(connection, ready, now), now)


def happened(ready: Ready, now: datetime) -> Iterator[Happened]:
    """Yield what webhooks are told of each, in order; once the rows are written."""
    for one in ready.made:
        yield Happened(webhook_events.CREATED, one.endpoint.name, one.id, _is_public(one, now))


def refuse_taken_slugs(connection: Connection, ready: Ready) -> None:
    """Raise Conflict where an entry that is there has one of their slugs."""
    taken = find_taken_slugs(connection, ready)
    if taken:
        raise Conflict(f"Another entry of this kind has the slug {taken[0]!r}.", hint="Choose another one.")


def find_taken_slugs(connection: Connection, ready: Ready) -> list[str]:
    """Return those of their slugs that entries have which are there."""
    owner_id, found = ready.ground.viewer.user_id, list[str]()
    assert owner_id is not None, "they are a person's"
    for kind, endpoint in ready.ground.kinds.items():
        named = [one.slug for one in ready.wanted if one.slug and one.kind == kind]
        found += sorted(store.slugs_taken(connection, owner_id, endpoint.id, named))
    return found


# -- inside


def _ground_of(connection: Connection, viewer: Viewer, kinds: Iterable[str], origin: Origin) -> _Ground:
    policies = Policies(connection)
    return _Ground(
        viewer,
        origin,
        {kind: write.endpoint_in_use(connection, viewer, kind) for kind in set(kinds)},
        policies.words_of(viewer.user_id),
        policies.words_generation_of(viewer.user_id),
        find_key(connection, FINDING_VALUES),
    )


def _made(one: NewOne, entry_id: int, ground: _Ground, now: datetime, texts: SearchedTexts | None) -> _Made:
    draft, endpoint, viewer, origin = one.draft, ground.kinds[one.kind], ground.viewer, ground.origin
    draft.check(endpoint, now, texts)
    if one.slug:
        slugs.check_form(one.slug, ground.words)
    pairs = draft.found_with(ground.words, texts)
    line = audit.line_of(
        audit.CREATE,
        "data_entries",
        entry_id,
        Actor(viewer.user_id, origin.ip_address, origin.user_agent),
        new_text=draft.text,
        api_key_id=origin.api_key_id,
    )
    return _Made(
        entry_id,
        endpoint,
        draft,
        has_later_fields(endpoint, draft.content),
        _row(one, entry_id, endpoint, viewer.user_id),
        pairs,
        findings.row_of(_searched(entry_id, draft.text, pairs, ground)),
        line,
    )


def _row(one: NewOne, entry_id: int, endpoint: Endpoint, owner_id: int | None) -> dict[str, object]:
    said = said_visibility(one.draft.content)
    return {
        "id": entry_id,
        "endpoint_id": endpoint.id,
        "data": one.draft.text,
        "is_active": 1,
        "updated_at": None,
        "created_by_id": owner_id,
        "visibility": said or default_visibility(default_of(endpoint), endpoint.is_public),
        "slug": one.slug or None,
        "shown_from": one.draft.times.shown_from,
        "shown_until": one.draft.times.shown_until,
    }


def _searched(entry_id: int, text: str, pairs: Pairs, ground: _Ground) -> Searched:
    known_by = findings.content_hash(ground.viewer.user_id, text)
    return Searched(entry_id, known_by, ground.words_generation, findings.hashed(pairs, ground.key))


def _finding_rows(connection: Connection, ready: Ready, now: datetime) -> Iterator[dict[str, object]]:
    """The rows of what was found; hashed anew where the first finding of all makes the key for it."""
    is_any = any(one.pairs for one in ready.made)
    ground = replace(ready.ground, key=get_or_make_key(connection, FINDING_VALUES, now) if is_any else None)
    is_same = ground.key == ready.ground.key
    for one in ready.made:
        is_well = is_same or not one.pairs
        yield (
            one.finding_row
            if is_well
            else findings.row_of(_searched(one.id, one.draft.text, one.pairs, ground))
        )


def _first_with_later_fields(made: Sequence[_Made]) -> list[_Made]:
    """Of each kind the first with members that came later: after it, it is decided whether they are shown."""
    found: dict[int, _Made] = {}
    for one in made:
        if one.has_later_fields:
            found.setdefault(one.endpoint.id, one)
    return list(found.values())


def _is_public(one: _Made, now: datetime) -> bool:
    return one.row["visibility"] == "public" and one.endpoint.is_open and one.draft.times.are_now(now)
