"""Profiles (pages of people). Of whom is something public, and of which kinds? For who looks at pages.

What is asked here is what strangers may know of: entries themselves are read as any list is (`read`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from app.accounts import message_boxes
from app.accounts.people import find_name
from app.entries import kinds, people, pictures, read
from app.entries.endpoints import Endpoint
from app.entries.json_safe import whole_text
from app.entries.page_wishes import NONE, Wishes, wishes_of
from app.entries.pictures import Picture
from app.entries.policies import Policies
from app.entries.published import published_kinds
from app.entries.shown_times import time_between
from app.entries.validity import Validity
from app.errors import NotFound
from app.privacy.viewer import Viewer

FIRST = (
    *("about", "mission", "currently", "looking_for", "resume", "skills", "skills_matrix", "projects"),
    *("achievements", "goals", "learning", "ideas", "problems", "solutions", "experiments", "outcomes"),
    *("results", "claims", "arguments", "frames", "predictions", "values", "telos", "personal_story"),
    *("events", "recommendations", "favorite_books", "favorite_movies", "favorite_podcasts", "quotes"),
    *("hobbies", "preferences", "places", "daily_routine", "organizations", "funding_sources"),
    *("data_sources", "people", "contacts", "contact_info", "risks", "threats"),
)
"""Kinds in the order in which a page has them: who someone is and looks for, what they do, what they like."""

_PLACE = {name: place for place, name in enumerate(FIRST)}


@dataclass(frozen=True)
class ShownKind:
    """A kind of which someone has something public; ``title`` is what a heading says."""

    name: str
    title: str


@dataclass(frozen=True)
class Profile:
    """Whose page it is, which kinds it has in their order, and when that is so."""

    username: str
    kinds: tuple[ShownKind, ...]
    validity: Validity
    wishes: Wishes = NONE
    takes_messages: bool = False
    avatar: Picture | None = None

    @property
    def kinds_of_page(self) -> list[ShownKind]:
        """The kinds as the person wants them on the page."""
        by_name = {kind.name: kind for kind in self.kinds}
        return [by_name[name] for name in self.wishes.in_order(list(by_name))]


def profile_of(connection: Connection, viewer: Viewer, username: str, ceiling: str) -> Profile:
    """Return what strangers, such as ``viewer``, may know of a person.

    Raises NotFound, the same for a person of whom nothing is public and for one who is not there.
    """
    validity = time_between(connection)
    person = people.find_person(connection, viewer, username, ceiling, Policies(connection), validity)
    if person is None or not person.is_active:
        raise NotFound("There is no such person.")
    found = published_kinds(connection, [person.id]).get(person.id, [])
    told = [each for each in found if read.is_told(connection, viewer, each)]
    shown = sorted(map(_shown, told), key=lambda kind: (_PLACE.get(kind.name, len(FIRST)), kind.name))
    wishes = wishes_of(connection, person.id)
    takes_messages = message_boxes.is_open(connection, person.id)
    avatar = pictures.shown_avatar(connection, person.id)
    return Profile(person.username, tuple(dict.fromkeys(shown)), validity, wishes, takes_messages, avatar)


def shown_people(connection: Connection, viewer: Viewer, ceiling: str) -> list[str]:
    """Return the names of people of whom strangers may know, a few dozen at most, in their order."""
    found = people.shown_people(connection, viewer, ceiling)
    return sorted(filter(None, (find_name(connection, one) for one in found)), key=str.casefold)


def _shown(endpoint: Endpoint) -> ShownKind:
    title = kinds.built_in()[endpoint.name].title if endpoint.is_built_in else words_of(endpoint.name)
    return ShownKind(whole_text(endpoint.name), whole_text(title))


def words_of(name: str) -> str:
    """Return the name of somebody's own kind as a heading says it."""
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:] if words else name
