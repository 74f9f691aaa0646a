"""Listed fields (allow-lists). Which members of an entry are on no list, which are shown of whom since when?

A kind may get paths with a new version. What was stored before it could have such members, hidden from all:
of a person whose account is older they stay hidden, until that person writes the first entry that has any.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
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
_ALWAYS = frozenset({"always"})
_ROW = finding_releases.c


def warnings_of(endpoint: Endpoint, content: object) -> list[dict[str, str]]:
    """Return the members that no stranger sees at any level, each a ``pointer`` and a ``detail``; some 20."""
    if not isinstance(content, dict):
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
    then, now = (
        kinds.allow_lists_of(endpoint.name, None, with_added=added)[MOST_OPEN] for added in (False, True)
    )
    return _shows_more(content, then, now)


def _shows_more(value: Any, then: Node, now: Node) -> bool:
    if isinstance(value, list):
        return any(_shows_more(child, then, now) for child in value)
    if isinstance(value, dict):
        return any(
            _shows_more(child, then.child(key) or Node(), place)
            for key, child in value.items()
            if (place := now.child(key)) is not None
        )
    return now.shown and not then.shown
