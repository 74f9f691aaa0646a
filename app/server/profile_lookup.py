"""Profile lookup. What is shown on the page of a person, kind by kind, to whoever looks?

Each kind is the very list that the API answers a stranger (`entry_lookup.look`), whoever it is who looks: a
page is what strangers see, its owner's too.
"""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.entries import pictures
from app.entries.entry import View
from app.entries.page_wishes import NONE, Wishes
from app.entries.parts import by_cursor
from app.entries.pictures import Picture
from app.entries.profiles import Profile, ShownKind, profile_of, shown_people
from app.entries.question import Question
from app.entries.shown_times import time_between
from app.entries.validity import ALWAYS, Validity
from app.errors import NotFound
from app.privacy.viewer import STRANGER
from app.server.authenticate import Caller, Client, authenticate, stranger_of
from app.server.entry_lookup import Seen, look
from app.server.state import ServerState

NEWEST_FIRST = "-created"
FEW, MANY = 5, 30
SHORT = frozenset({"skills", "skills_matrix", "values", "hobbies", "quotes", "places", "favorite_books"})
"""Kinds whose entries are a line each: a page has more of them."""

OF_RESUME = frozenset(
    (
        *("about", "mission", "currently", "looking_for", "resume", "skills", "skills_matrix", "projects"),
        *("achievements", "recommendations", "learning", "organizations", "contact_info"),
    )
)
"""Kinds that a resume has; the others are on the page alone."""


@dataclass(frozen=True)
class Section:
    """A kind on a page: its first entries, and whether there are more."""

    kind: ShownKind
    entries: tuple[View, ...]
    has_more: bool


@dataclass(frozen=True)
class SeenProfile:
    """What is shown of a person, and what a door must know of it beside (as `entry_lookup.Seen` has it)."""

    caller: Caller
    generation: int
    username: str
    sections: tuple[Section, ...]
    depends_on_agent: bool = False
    validity: Validity = ALWAYS
    wishes: Wishes = NONE
    takes_messages: bool = False
    avatar: Picture | None = None

    @property
    def shown_avatar(self) -> Picture | None:
        """The person's picture, where they want it in the head of their page."""
        return self.avatar if self.wishes.has_picture else None


@dataclass(frozen=True)
class SeenPeople:
    """Of whom something is public: as far as who asks may know, for anyone, and for assistants."""

    caller: Caller
    generation: int
    usernames: tuple[str, ...]
    everyone: tuple[str, ...]
    for_assistants: tuple[str, ...]
    validity: Validity

    @property
    def depends_on_agent(self) -> bool:
        """Whether someone else might be answered something else (`entry_lookup.Seen`)."""
        return self.everyone != self.for_assistants


def look_at_people(server: ServerState, client: Client) -> SeenPeople:
    """Return who shows anything; raises what `authenticate` raises."""
    generation = server.supervisor.generation()
    with server.supervisor.reading() as connection:
        caller = authenticate(server, connection, client)
        validity = time_between(connection)
        ceiling = server.settings.privacy_level
        everyone = tuple(shown_people(connection, STRANGER, ceiling))
        for_assistants = tuple(shown_people(connection, replace(STRANGER, is_assistant=True), ceiling))
    found = for_assistants if client.is_assistant else everyone
    return SeenPeople(caller, generation, found, everyone, for_assistants, validity)


def people_who_want(server: ServerState, client: Client, usernames: Sequence[str], form: str) -> list[str]:
    """Return who of these people wants things said in a form (`page_wishes.FORMATS`)."""
    with server.supervisor.reading() as connection:
        ceiling, viewer = server.settings.privacy_level, stranger_of(client)
        found = [profile_of(connection, viewer, each, ceiling) for each in usernames]
    return [profile.username for profile in found if profile.wishes.has(form)]


def look_at_profile(
    server: ServerState,
    client: Client,
    username: str,
    level: str | None,
    few: int = FEW,
    wishes: Wishes | None = None,
    only: Container[str] | None = None,
) -> SeenProfile:
    """Return the page of a person, at a level; ``few``: the first so many entries of a kind.

    ``wishes``: as it would be with these, which no one has stored. None: with those of the person.
    ``only``: of these kinds alone; what is true of the page (``depends_on_agent``) is then not to be had.
    Raises NotFound, UnknownLevel, and what `authenticate` and `look` raise.
    """
    generation = server.supervisor.generation()
    with server.supervisor.reading() as connection:
        caller = authenticate(server, connection, client)
        profile = profile_of(connection, stranger_of(client), username, server.settings.privacy_level)
    if wishes is not None:
        profile = replace(profile, wishes=wishes)
    wanted = [kind for kind in profile.kinds_of_page if only is None or kind.name in only]
    seen = [(kind, _look_at(server, client, profile, kind, level, few)) for kind in wanted]
    found = [(kind, one) for kind, one in seen if one is not None]
    validity = profile.validity
    for _kind, one in found:
        validity &= one.validity
    return SeenProfile(
        caller,
        generation,
        profile.username,
        tuple(section for kind, one in found if (section := _section(kind, one)).entries),
        depends_on_agent=any(one.depends_on_agent for _kind, one in found),
        validity=validity,
        wishes=profile.wishes,
        takes_messages=profile.takes_messages,
        avatar=profile.avatar,
    )


def look_at_kind(
    server: ServerState, client: Client, username: str, kind: str, level: str | None, cursor: str | None
) -> Seen:
    """Return one part of the entries of a kind as strangers see it, the newest first.

    Raises what `look` raises, NotFound where nothing is there, and UsageError for what is no cursor of it.
    """
    part = replace(by_cursor(MANY, cursor, key=server.cursor_key), order=NEWEST_FIRST)
    seen = look(server, client, Question(kind, owner=username, level=level, part=part), as_stranger=True)
    if cursor is None and seen.next is None and not json.loads(seen.value.body)["items"]:
        raise NotFound("There is nothing at this address.")
    return seen


@dataclass(frozen=True)
class Around:
    """What stands around a list or an entry on its page: whose it is, of which kind, and how it looks."""

    username: str
    kind: str
    title: str
    wishes: Wishes
    avatar: Picture | None = None

    @property
    def shown_avatar(self) -> Picture | None:
        """The person's picture, where they want it in the head of their page."""
        return self.avatar if self.wishes.has_picture else None


def look_around(server: ServerState, client: Client, username: str, kind: str) -> Around:
    """Return what stands around what is at an address; raises NotFound."""
    with server.supervisor.reading() as connection:
        profile = profile_of(connection, stranger_of(client), username, server.settings.privacy_level)
    found = (each.title for each in profile.kinds if each.name == kind.removeprefix("~"))
    return Around(profile.username, kind, next(found, kind), profile.wishes, profile.avatar)


def look_at_entry(
    server: ServerState,
    client: Client,
    username: str,
    kind: str,
    level: str | None,
    named: tuple[int | None, str | None],
) -> Seen:
    """Return an entry of a person as strangers see it; ``named`` is its id, or its slug. Raises as `look`."""
    entry_id, slug = named
    asked = Question(kind, owner=username, level=level, entry_id=entry_id, slug=slug)
    return look(server, client, asked, as_stranger=True)


def pictures_of(server: ServerState, seen: Seen) -> list[Picture]:
    """Return the pictures of an entry that was seen, as strangers see them."""
    with server.supervisor.reading() as connection:
        found = pictures.of_entry(connection, int(json.loads(seen.value.body)["id"]))
        return pictures.as_strangers_see(connection, found)


def _look_at(
    server: ServerState, client: Client, profile: Profile, kind: ShownKind, level: str | None, few: int
) -> Seen | None:
    part = replace(by_cursor(MANY if kind.name in SHORT else few, key=server.cursor_key), order=NEWEST_FIRST)
    question = Question(kind.name, owner=profile.username, level=level, part=part)
    try:
        return look(server, client, question, as_stranger=True)
    except NotFound:  # gone in between, or closed
        return None


def _section(kind: ShownKind, seen: Seen) -> Section:
    page: dict[str, Any] = json.loads(seen.value.body)
    return Section(kind, tuple(page["items"]), page["next"] is not None)
