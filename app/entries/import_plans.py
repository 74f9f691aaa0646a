"""Plan of an import from elsewhere. What would be added where, who would see it, and what is left out?

Nothing is written. Never more public than the default of its kind: an item that its source holds back is
private, and what a source calls public is what the kind is by default. What strangers will see at each level
is what the filter of today's policy leaves of it.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, select

from app import clock
from app.accounts.people import Person
from app.accounts.users import User
from app.entries import kinds, slugs
from app.entries.draft import Draft, draft_of
from app.entries.endpoints import Endpoint, default_of, find_endpoint, known_endpoints
from app.entries.row_types import NewEntry
from app.entries.shown_times import is_within
from app.entries.spans import Spans, noted_tree
from app.entries.visibility import WORDS, default_visibility, said_words
from app.errors import DaemonError, UsageError
from app.formats.items import Choices, Content, Found, LeftOut, ReadSource, Source
from app.formats.recognise import read_source
from app.privacy.levels import NAMES
from app.privacy.viewer import Viewer
from app.tables import data_entries, imported_entries, imports

Action = Literal["add", "here", "changed", "unfit"]
LOOKED_FOR_AT_ONCE = 500
SHOWN_MOST = 1_000
NAMED_MOST = 20  # accounts that an error names


@dataclass(frozen=True)
class PlannedItem:
    """What is to become of one item.

    ``action``: it is added; it is here already; it is, and its source is another one now (it stays as it is
    here); it does not fit its kind, and ``why``. ``visibility`` is that of the new entry; ``entry_id`` the
    one that is here.
    """

    found: Found
    action: Action
    source_key: str
    content_hash: str
    visibility: str
    draft: Draft
    slug: str | None = None
    entry_id: int | None = None
    why: str = ""


@dataclass(frozen=True)
class ImportPlan:
    """What an import will do, in the order of the source."""

    source: Source
    source_sha256: str
    format: str
    items: tuple[PlannedItem, ...]
    left_out: tuple[LeftOut, ...]

    def of(self, action: Action) -> list[PlannedItem]:
        """Return the items of which that becomes."""
        return [item for item in self.items if item.action == action]


def read_for(connection: Connection, owner: Person, source: Source, choices: Choices) -> ReadSource:
    """Return what a source holds, in the kinds that there are for a person."""
    viewer = Viewer("person", owner.id, owner.username)
    known = {*kinds.built_in(), *(each.name for each in known_endpoints(connection, viewer))}
    return read_source(source, choices, frozenset(known), clock.now().date().isoformat())


def plan_of(connection: Connection, owner: Person, source: Source, read: ReadSource) -> ImportPlan:
    """Return what importing a source for a person would do."""
    known = _known(connection, owner.id, [_source_key(read.format, each) for each in read.items])
    viewer = Viewer("person", owner.id, owner.username)
    endpoints = {name: find_endpoint(connection, viewer, name) for name in {each.kind for each in read.items}}
    taken: set[tuple[str, str]] = set()
    items = tuple(
        _planned(connection, owner, endpoints[each.kind], each, known, taken, read.format)
        for each in read.items
    )
    return ImportPlan(source, _sha256_of(source), read.format, items, read.left_out)


def views_by_level(
    connection: Connection, owner: Person, item: PlannedItem, spans: Spans | None = None
) -> dict[str, Any]:
    """Return what strangers will be shown of a planned item, by level: JSON, None where that is nothing."""
    spans = spans or Spans(connection)
    viewer = Viewer("person", owner.id, owner.username)
    endpoint = find_endpoint(connection, viewer, item.found.kind)
    if endpoint is None or not endpoint.is_open or item.visibility != "public" or not owner.is_active:
        return dict.fromkeys(NAMES)
    if not is_within(item.draft.times, clock.now()):
        return dict.fromkeys(NAMES)
    policy, today = spans.policies.policy_of(endpoint, owner.id), clock.now().date()
    found = tuple(one for one, _ in item.draft.found_with(spans.policies.words_of(owner.id), None))
    to_be = NewEntry(
        0, item.draft.text, "", owner.id, item.visibility, owner.username, endpoint.id, item.slug
    )
    tree = noted_tree(to_be, found, spans.releases_of(owner.id), None, None) if found else None
    return {level: policy.filter_at(level, today).view(item.draft.shown, tree) for level in NAMES}


def shown_by_key(connection: Connection, owner: Person, plan: ImportPlan) -> dict[str, dict[str, Any]]:
    """Return, by source key, what strangers will be shown of the first thousand items that are added."""
    spans = Spans(connection)
    return {
        item.source_key: views_by_level(connection, owner, item, spans)
        for item in plan.of("add")[:SHOWN_MOST]
    }


def plan_view(
    plan: ImportPlan,
    owner: Person,
    shown: dict[str, dict[str, Any]],
    done: dict[str, int],
    import_id: int | None,
) -> dict[str, Any]:
    """Return a plan, or what was done, as doors answer it.

    That is: id (of the import, null where nothing was written), format, username, items and left_out (place,
    why). Each item has: place, action, kind, visibility, id (of the entry, null where there is none yet),
    slug, why, left_out, strangers_see (by level; null where that is not told).
    """
    return {
        "id": import_id,
        "format": plan.format,
        "username": owner.username,
        "items": [_item_view(item, shown, done) for item in plan.items],
        "left_out": [{"place": each.place, "why": each.why} for each in plan.left_out],
    }


def _item_view(item: PlannedItem, shown: dict[str, dict[str, Any]], done: dict[str, int]) -> dict[str, Any]:
    return {
        "place": item.found.place,
        "action": item.action,
        "kind": item.found.kind,
        "visibility": item.visibility,
        "id": done.get(item.source_key, item.entry_id),
        "slug": item.slug,
        "why": item.why or None,
        "left_out": [{"place": each.place, "why": each.why} for each in item.found.left_out],
        "strangers_see": shown.get(item.source_key),
    }


def _planned(
    connection: Connection,
    owner: Person,
    endpoint: Endpoint | None,
    found: Found,
    known: dict[str, tuple[int, str]],
    taken: set[tuple[str, str]],
    format_name: str,
) -> PlannedItem:
    key, content_hash = _source_key(format_name, found), _content_hash(found)
    if endpoint is None:
        why = f"there is no kind {found.kind!r} here"
        return PlannedItem(found, "unfit", key, content_hash, "private", Draft({}), why=why)
    visibility = _visibility(found, endpoint)
    draft = draft_of(endpoint.name, _with_visibility(found.content, visibility))
    item = PlannedItem(found, "add", key, content_hash, visibility, draft)
    here = known.get(key)
    if here is not None:
        action: Action = "here" if here[1] == content_hash else "changed"
        return replace(item, action=action, entry_id=here[0])
    try:
        draft.check(endpoint, clock.now(), None)
    except DaemonError as error:
        return replace(item, action="unfit", why=error.message)
    return replace(item, slug=_slug(connection, owner, endpoint, found, taken))


def _visibility(found: Found, endpoint: Endpoint) -> str:
    """The strictest of the kind's default, what the source says in Daemon's words, and that it is hidden."""
    words = [default_visibility(default_of(endpoint), endpoint.is_public)]
    words += ["private"] if found.is_hidden else []
    words += [found.visibility] if found.visibility is not None else []
    words += [word if word in WORDS else "private" for word in map(str, said_words(found.content).values())]
    return min(words, key=WORDS.index)


def _with_visibility(content: Content, visibility: str) -> Content:
    meta = content.get("meta")
    said = {key: value for key, value in content.items() if key != "visibility"}
    return said | {"meta": {**(meta if isinstance(meta, dict) else {}), "visibility": visibility}}


def _slug(
    connection: Connection,
    owner: Person,
    endpoint: Endpoint,
    found: Found,
    taken: set[tuple[str, str]],
) -> str | None:
    """The slug that a source gives, where it can be one and no other entry has it; else none."""
    slug = found.slug
    if slug is None or (endpoint.name, slug) in taken:
        return None
    try:
        slugs.check(connection, endpoint, owner.id, slug)
    except DaemonError:
        return None
    taken.add((endpoint.name, slug))
    return slug


# -- the same again


@lru_cache(maxsize=1)
def _imported() -> Any:
    is_there = data_entries.c.is_active == 1
    return (
        select(imported_entries.c.source_key, imported_entries.c.entry_id, imported_entries.c.content_hash)
        .join(imports, imports.c.id == imported_entries.c.import_id)
        .join(data_entries, data_entries.c.id == imported_entries.c.entry_id)
        .where(
            imported_entries.c.user_id == bindparam("user_id"),
            imported_entries.c.source_key.in_(bindparam("keys", expanding=True)),
            imports.c.undone_at.is_(None),
            is_there,
        )
    )


def _known(connection: Connection, user_id: int, keys: list[str]) -> dict[str, tuple[int, str]]:
    """Return what an import brought that was not undone and is still there: key -> entry and hash."""
    found: dict[str, tuple[int, str]] = {}
    for some in _some_of(keys):
        rows = connection.execute(_imported(), {"user_id": user_id, "keys": some})
        found |= {key: (entry_id, content_hash) for key, entry_id, content_hash in rows}
    return found


def _some_of(keys: list[str]) -> Iterator[list[str]]:
    for begin in range(0, len(keys), LOOKED_FOR_AT_ONCE):
        yield keys[begin : begin + LOOKED_FOR_AT_ONCE]


def _source_key(format_name: str, found: Found) -> str:
    return hashlib.sha256(f"{format_name}\n{found.source_id}".encode()).hexdigest()


def _content_hash(found: Found) -> str:
    said = json.dumps([found.kind, found.content, found.is_hidden, found.visibility], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _sha256_of(source: Source) -> str:
    told = hashlib.sha256()
    for path, content in sorted(source.files.items()):
        told.update(hashlib.sha256(path.encode("utf-8", "surrogateescape")).digest())
        told.update(hashlib.sha256(content).digest())
    return told.hexdigest()


def person_for(users: list[User], name: str | None, typed: Sequence[str] = ("import", "PATH")) -> Person:
    """Return whose entries they will be: who is named, else the only one.

    Raises UsageError, whose hint repeats the words that were ``typed``, with an account.
    """
    found = [each for each in users if name is None or each.username == name]
    if not users:
        what = "This is no export, and there is no account yet that it could be for; nothing was imported."
        raise UsageError(what, hint="daemon user create NAME --admin")
    if len(found) != 1:
        what = "There are several accounts." if name is None else f"There is no account {name!r}."
        names = ", ".join(each.username for each in users[:NAMED_MOST])
        more = f" and {len(users) - NAMED_MOST} more" if len(users) > NAMED_MOST else ""
        raise UsageError(
            f"{what} These are here: {names}{more}. Nothing was done.",
            hint=f"daemon {shlex.join(typed)} --into NAME",
        )
    return Person(found[0].id, found[0].username, is_active=found[0].is_active)
