"""People that a viewer may know of. Strangers know of people with something public, and of no one else.

A person who shows nothing is answered as a name that no one has, with the same statements, in the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import partial

from sqlalchemy import Connection

from app.accounts.people import Person, people_named
from app.entries import access, kinds, store
from app.entries.endpoints import Endpoint
from app.entries.json_safe import read_content
from app.entries.parts import Part
from app.entries.policies import Policies
from app.entries.published import published_kinds, publishing_people
from app.entries.validity import Validity
from app.privacy.policy import level_shown
from app.privacy.viewer import Viewer
from app.snapshot_memory import LONGEST_NAME, remembered

NOBODYS_ID = -1  # asked for where there is no one, so that it costs what someone costs
TEXTS_READ = 20  # entries that an older server made private after the upgrade are looked past, so many a kind


def find_person(
    connection: Connection, viewer: Viewer, typed: str, ceiling: str, policies: Policies, alike: Validity
) -> Person | None:
    """Return whom ``typed`` names, as far as the viewer may know: exactly, or else in any case if unique.

    Admins know of everyone, a person of themselves and whom strangers know of. ``ceiling`` is the
    installation's PRIVACY_LEVEL, ``alike`` what `time_between` says. Whom the viewer may not know of makes
    no other name ambiguous.
    """
    find = partial(_find_person, connection, viewer, typed, ceiling, policies)
    if len(typed) > LONGEST_NAME:
        return find()
    # Whoever shows nothing but what comes or goes by itself is known of for that time only.
    return remembered(connection, ("person", viewer, typed, ceiling, alike), find)


def _find_person(
    connection: Connection, viewer: Viewer, typed: str, ceiling: str, policies: Policies
) -> Person | None:
    named = people_named(connection, typed)
    if not viewer.is_admin:
        active = [one.id for one in named if one.is_active]
        shown = _shown_among(active, connection, viewer, ceiling, policies)
        named = [one for one in named if one.id in shown or viewer.owns(one.id)]
    exact = [one for one in named if one.username == typed]
    found = exact or named
    return found[0] if len(found) == 1 else None


def is_anybody_else_shown(
    connection: Connection, viewer: Viewer, person: Person | None, ceiling: str
) -> bool:
    """Return whether strangers, such as ``viewer``, know of anyone besides ``person``."""
    others = publishing_people(connection, person.id if person else NOBODYS_ID)
    return bool(others) and bool(_shown_among(others, connection, viewer, ceiling, Policies(connection)))


def shown_people(connection: Connection, viewer: Viewer, ceiling: str) -> list[int]:
    """Return the ids of people whom strangers, such as ``viewer``, know of: so many as are looked at."""
    found = publishing_people(connection, NOBODYS_ID)
    return sorted(_shown_among(found, connection, viewer, ceiling, Policies(connection)))


def _shown_among(
    user_ids: Sequence[int], connection: Connection, viewer: Viewer, ceiling: str, policies: Policies
) -> set[int]:
    """Return who of these active people has anything that strangers may see; asks the same for no one."""
    asked = list(user_ids) or [NOBODYS_ID]
    published = published_kinds(connection, asked)
    policies.read_settings(asked)
    return {
        user_id
        for user_id, endpoints in published.items()
        if any(_shows(connection, user_id, endpoint, viewer, ceiling, policies) for endpoint in endpoints)
    }


def _shows(
    connection: Connection, user_id: int, endpoint: Endpoint, viewer: Viewer, ceiling: str, policies: Policies
) -> bool:
    allowed = kinds.allow_lists_of(endpoint.name, endpoint.own_schema)
    settings = policies.settings_of(user_id)
    level = level_shown(endpoint.name, allowed, settings, None, ceiling, is_assistant=viewer.is_assistant)
    if level is None:
        return False
    shown = access.of_strangers_list(endpoint, user_id)
    with closing(store.entries(connection, endpoint, shown, Part(TEXTS_READ))) as rows:
        return any(  # the first nearly always answers
            access.is_shown_to_strangers(row, read_content(row.data).value) for row in rows
        )
