"""Listed fields (allow-lists). Which members of an entry are on no list, which are shown of whom since when?

A kind may get paths with a new version. What was stored before it could have such members, hidden from all:
of a person whose account is older they stay hidden, until that person writes the first entry that has any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, exists, insert, select

from app import clock
from app.entries import kinds
from app.entries.endpoints import Endpoint
from app.entries.json_safe import read_content
from app.entries.visibility import said_words
from app.ids import new_id
from app.privacy.fields import is_sensitive
from app.privacy.found import below
from app.privacy.levels import MOST_OPEN
from app.privacy.paths import Node
from app.tables import data_entries, finding_releases

LATER_FIELDS = "later_fields"
"""What a row of finding_releases names where it shows a person's members that came later, of a kind."""

WARNINGS_MOST = 20
ENTRIES_LOOKED_AT = 200
TIMES_HEARD = ("/meta/publish_at", "/meta/expires_at")
KINDS_KEPT = 500
_HEARD_IN_META = ("visibility", "publish_at", "expires_at")
_ALWAYS = frozenset({"always"})
_ROW = finding_releases.c


def warnings_of(endpoint: Endpoint, content: object) -> list[dict[str, str]]:
    """Return the members that no stranger sees at any level, each a ``pointer`` and a ``detail``; some 20."""
    if not isinstance(content, dict):
        return []
    is_usual = not isinstance(content.get("meta"), list)  # words in one of several are not heard
    if is_usual and _is_all_listed(content, _listed_of(endpoint.name, endpoint.own_schema)):
        return []
    allowed = kinds.allow_lists_of(endpoint.name, endpoint.own_schema)[MOST_OPEN]
    heard = {*said_words(content), *TIMES_HEARD}
    found = dict.fromkeys(pointer for pointer in _not_listed(content, allowed, "") if pointer not in heard)
    named = [
        {"pointer": pointer, "detail": _why(pointer, endpoint.name)}
        for pointer in list(found)[:WARNINGS_MOST]
    ]
    if len(found) > WARNINGS_MOST:
        more = len(found) - WARNINGS_MOST
        named.append({"pointer": "", "detail": f"No stranger sees {more} more members."})
    return named


@dataclass(frozen=True, slots=True)
class _Listed:
    """A place on the most open list: may a value be there, and which members? Those of None are not asked."""

    is_shown: bool
    below: Mapping[str, _Listed | None]


_NOWHERE = _Listed(False, {})


@lru_cache(maxsize=KINDS_KEPT)
def _listed_of(name: str, schema_text: str | None) -> _Listed:
    """Return what `_not_listed` asks of entries of a kind; of words that are heard no one is told."""
    root = _listed(kinds.allow_lists_of(name, schema_text)[MOST_OPEN])
    meta = root.below.get("meta")
    below = {"visibility": None, **root.below}
    if meta is not None:
        below["meta"] = _Listed(meta.is_shown, {**dict.fromkeys(_HEARD_IN_META), **meta.below})
    return _Listed(root.is_shown, below)


def _listed(node: Node) -> _Listed:
    below = {key: _listed(child) for key, child in node.below.items() if not is_sensitive(key, _ALWAYS)}
    return _Listed(node.shown, below)


def _is_all_listed(value: Any, place: _Listed) -> bool:
    """Whether `_not_listed` would yield nothing that is told: so it is of most entries."""
    if isinstance(value, dict):
        for key, child in value.items():
            below = place.below.get(key, _NOWHERE)
            if below is _NOWHERE:
                return False
            if isinstance(child, dict | list):
                if below is not None and not _is_all_listed(child, below):
                    return False
            elif below is not None and not below.is_shown and child is not None:
                return False
        return True
    if isinstance(value, list):
        for child in value:  # noqa: SIM110 - where lists are deep, the frames of `all` are too many
            if not _is_all_listed(child, place):
                return False
        return True
    return place.is_shown or value is None


def _why(pointer: str, kind: str) -> str:
    name = pointer.rpartition("/")[2]
    if is_sensitive(name, _ALWAYS):
        return "No stranger sees it: a member of this name is hidden at every level."
    return f"No stranger sees it: {kind} has no such member."


def _not_listed(value: Any, node: Node, pointer: str) -> Iterator[str]:
    """Yield the pointer of each member without a place on the list; of several elements that of the first."""
    if isinstance(value, list):
        seen: set[str] = set()
        for at, child in enumerate(value):
            for one in _not_listed(child, node, ""):
                if one not in seen:
                    seen.add(one)
                    yield f"{below(pointer, at)}{one}"
    elif isinstance(value, dict):
        for key, child in value.items():
            here, place = below(pointer, key), node.child(key)
            if place is None or is_sensitive(key, _ALWAYS):
                yield here
            else:
                yield from _not_listed(child, place, here)
    elif not node.shown and value is not None:
        yield pointer


# -- members that came later


def are_later_fields_shown(connection: Connection, user_id: int, endpoint_id: int) -> bool:
    """Return whether a person whose account is older has written the first entry that has any."""
    is_it = exists().where(
        _ROW.user_id == user_id, _ROW.endpoint_id == endpoint_id, _ROW.detector == LATER_FIELDS
    )
    return bool(connection.execute(select(is_it)).scalar())


def note_later_fields(
    connection: Connection,
    endpoint: Endpoint,
    user_id: int | None,
    entry_id: int,
    content: object,
    now: datetime,
) -> None:
    """Show the members of a person's entries that came later, where this is the first one with any.

    Where an older entry has some, which no one could see, all stay hidden until the person releases what
    older versions hid (the setting releases_shipped_rules). Writes finding_releases.
    """
    if user_id is None or not has_later_fields(endpoint, content):
        return
    if are_later_fields_shown(connection, user_id, endpoint.id):
        return
    if any(has_later_fields(endpoint, other) for other in _others(connection, endpoint, user_id, entry_id)):
        return
    values = {"id": new_id(connection, finding_releases), "user_id": user_id, "endpoint_id": endpoint.id}
    said = {"detector": LATER_FIELDS, "created_at": clock.stored(now)}
    connection.execute(insert(finding_releases).values(values | said))


def _others(connection: Connection, endpoint: Endpoint, user_id: int, entry_id: int) -> Iterator[object]:
    entry = data_entries.c
    query = select(entry.data).where(
        entry.endpoint_id == endpoint.id, entry.created_by_id == user_id, entry.id != entry_id
    )
    for (stored,) in connection.execute(query.order_by(entry.id).limit(ENTRIES_LOOKED_AT)):
        yield read_content(stored).value


def has_later_fields(endpoint: Endpoint, content: object) -> bool:
    if not endpoint.is_built_in or not kinds.has_later_fields(endpoint.name):
        return False
    return _shows_more(content, _later_of(endpoint.name))


@lru_cache(maxsize=KINDS_KEPT)
def _later_of(name: str) -> _Listed:
    """Return the places of a kind that came later, and those above them."""
    then, now = (kinds.allow_lists_of(name, None, with_added=added)[MOST_OPEN] for added in (False, True))
    return _later(then, now)


def _later(then: Node, now: Node) -> _Listed:
    below = {key: _later(then.child(key) or Node(), place) for key, place in now.below.items()}
    there = {key: place for key, place in below.items() if place.is_shown or place.below}
    return _Listed(now.shown and not then.shown, there)


def _shows_more(value: Any, later: _Listed) -> bool:
    if isinstance(value, list):
        for child in value:  # noqa: SIM110 - the same
            if _shows_more(child, later):
                return True
        return False
    if isinstance(value, dict):
        for key, child in value.items():
            place = later.below.get(key)
            if place is not None and _shows_more(child, place):
                return True
        return False
    return later.is_shown
