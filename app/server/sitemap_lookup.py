"""Site map lookup. Which pages may search engines know of, and when did what they show change last?

What strangers see, and nothing else: an edit of what is hidden moves no time. The map has parts, one of the
pages of a person, and one of each kind with the newest ENTRIES_MOST entries; the others are reached from page
to page.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from app.entries.entry import LIMIT_MOST, View
from app.entries.parts import by_cursor
from app.entries.profiles import profile_of
from app.entries.question import Question
from app.entries.validity import ALWAYS, Validity
from app.errors import NotFound
from app.server.authenticate import Caller, Client, stranger_of
from app.server.entry_lookup import look
from app.server.profile_lookup import MANY, NEWEST_FIRST, look_around, look_at_people, look_at_profile
from app.server.state import ServerState

ENTRIES_MOST = 1_000


@dataclass(frozen=True)
class MappedPage:
    """A page: of whom, and below that the kind and the entry; ``updated`` is empty where it is not known."""

    username: str
    below: tuple[str, ...] = ()
    updated: str = ""


@dataclass(frozen=True)
class SeenMap:
    """What is in a part of the map, and what a door must know of it beside (`entry_lookup.Seen`)."""

    caller: Caller
    generation: int
    pages: tuple[MappedPage, ...]
    depends_on_agent: bool
    validity: Validity


def look_at_parts(server: ServerState, client: Client) -> SeenMap:
    """Return which parts there are: of whom, and of which kind of theirs; raises what `authenticate` does."""
    seen = look_at_people(server, client)
    with server.supervisor.reading() as connection:
        ceiling = server.settings.privacy_level
        viewer = stranger_of(client)
        profiles = [profile_of(connection, viewer, each, ceiling) for each in seen.usernames]
    pages = [
        MappedPage(profile.username, below)
        for profile in profiles
        for below in ((), *((kind.name,) for kind in profile.kinds_of_page))
    ]
    return SeenMap(seen.caller, seen.generation, tuple(pages), seen.depends_on_agent, seen.validity)


def look_at_pages(server: ServerState, client: Client, username: str) -> SeenMap:
    """Return the pages of a person and of their kinds; raises as `look_at_profile`."""
    seen = look_at_profile(server, client, username, None, MANY)
    of_kinds = [
        MappedPage(seen.username, (section.kind.name,), _newest(section.entries)) for section in seen.sections
    ]
    updated = max((page.updated for page in of_kinds), default="")
    pages = (MappedPage(seen.username, (), updated), *of_kinds)
    return SeenMap(seen.caller, seen.generation, pages, seen.depends_on_agent, seen.validity)


def look_at_entries(server: ServerState, client: Client, username: str, kind: str) -> SeenMap:
    """Return the pages of a person's newest entries of a kind; raises as `look`, and NotFound for none."""
    username = look_around(server, client, username, kind).username  # as it is written, not as it was typed
    pages: list[MappedPage] = []
    cursor: str | None = None
    depends_on_agent, validity = False, ALWAYS
    while len(pages) < ENTRIES_MOST:
        part = replace(by_cursor(LIMIT_MOST, cursor, key=server.cursor_key), order=NEWEST_FIRST)
        seen = look(server, client, Question(kind, owner=username, part=part), as_stranger=True)
        views: list[View] = json.loads(seen.value.body)["items"]
        pages += [MappedPage(username, (kind, str(view["id"])), _newest([view])) for view in views]
        depends_on_agent |= seen.depends_on_agent
        validity &= seen.validity
        cursor = seen.next
        if cursor is None:
            break
    if not pages:
        raise NotFound("There is nothing at this address.")
    return SeenMap(seen.caller, seen.generation, tuple(pages[:ENTRIES_MOST]), depends_on_agent, validity)


def _newest(views: Iterable[View]) -> str:
    return max((str(view.get("updated_at") or "") for view in views), default="")
