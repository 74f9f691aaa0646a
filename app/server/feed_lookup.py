"""Feed lookup. What is in the feed of a person, or of one of their kinds, for whoever looks?

The entries are those of the same lists that their page has, the newest first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from app.accounts.people import find_default_person
from app.entries.entry import View
from app.entries.feed_ids import FeedIds, feed_ids
from app.entries.page_wishes import Wishes, check_wanted
from app.entries.pictures import Picture
from app.entries.validity import Validity
from app.errors import NotFound
from app.server.authenticate import Caller, Client
from app.server.picture_lookup import pictures_of_shown
from app.server.profile_lookup import (
    MANY,
    Section,
    look_around,
    look_at_kind,
    look_at_people,
    look_at_profile,
)
from app.server.state import ServerState


@dataclass(frozen=True)
class FedEntry:
    """An entry in a feed, the name and the title of its kind, and its pictures."""

    kind: str
    kind_title: str
    view: View
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class SeenFeed:
    """What is in a feed, and what a door must know of it beside (`entry_lookup.Seen`).

    ``kind`` is empty where the feed has all kinds of the page; ``sections`` are those of the page, none in
    the feed of one kind. ``avatar``: where the person wants a picture in the head of their page.
    """

    caller: Caller
    generation: int
    username: str
    kind: str
    title: str
    entries: tuple[FedEntry, ...]
    sections: tuple[Section, ...]
    wishes: Wishes
    ids: FeedIds
    depends_on_agent: bool
    validity: Validity
    avatar: Picture | None = None


def look_at_feed(server: ServerState, client: Client, username: str, level: str | None) -> SeenFeed:
    """Return the newest entries of all kinds that a page has.

    Raises what `look_at_profile` raises, and NotFound where the person wants no feeds.
    """
    seen = look_at_profile(server, client, username, level, MANY)
    check_wanted(seen.wishes, "feeds")
    found = [
        FedEntry(section.kind.name, section.kind.title, view)
        for section in seen.sections
        for view in section.entries
    ]
    newest = sorted(found, key=lambda one: (str(one.view.get("created_at")), one.view["id"]), reverse=True)
    return SeenFeed(
        seen.caller,
        seen.generation,
        seen.username,
        "",
        seen.username,
        _with_pictures(server, client, newest[:MANY]),
        seen.sections,
        seen.wishes,
        _ids(server),
        seen.depends_on_agent,
        seen.validity,
        seen.shown_avatar,
    )


def look_at_feed_of_kind(
    server: ServerState, client: Client, username: str, kind: str, level: str | None
) -> SeenFeed:
    """Return the newest entries of a kind; raises as `look_at_kind`, and NotFound for unwanted feeds."""
    around = look_around(server, client, username, kind)
    check_wanted(around.wishes, "feeds")
    seen = look_at_kind(server, client, username, kind, level, None)
    views = json.loads(seen.value.body)["items"]
    return SeenFeed(
        seen.caller,
        seen.generation,
        around.username,
        kind,
        around.title,
        _with_pictures(server, client, [FedEntry(kind, around.title, view) for view in views]),
        (),
        around.wishes,
        _ids(server),
        seen.depends_on_agent,
        seen.validity,
        around.shown_avatar,
    )


def primary_person(server: ServerState, client: Client) -> tuple[str, bool]:
    """Return whose the addresses without a name are, and whether others may be answered another one.

    That is the only one who shows something, or else the default person. Raises NotFound where they show
    nothing, and what `look_at_people` raises.
    """
    seen = look_at_people(server, client)
    if len(seen.usernames) == 1:
        return seen.usernames[0], seen.depends_on_agent
    with server.supervisor.reading() as connection:
        default = find_default_person(connection)
    if default is None or default.username not in seen.usernames:
        raise NotFound("There is nothing at this address.")
    return default.username, seen.depends_on_agent


def _with_pictures(server: ServerState, client: Client, found: list[FedEntry]) -> tuple[FedEntry, ...]:
    shown = pictures_of_shown(server, client, [int(each.view["id"]) for each in found])
    return tuple(replace(each, pictures=tuple(shown.get(int(each.view["id"]), ()))) for each in found)


def _ids(server: ServerState) -> FeedIds:
    with server.supervisor.reading() as connection:
        return feed_ids(connection)
