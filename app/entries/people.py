"""Of whom may this viewer know? Strangers: of people with something public, and of nobody else.

Whoever shows nothing is answered as a name that nobody has, with the same statements and so in the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, Row

from app.entries import kinds as all_kinds
from app.entries import store
from app.entries.json_safe import read_content
from app.entries.parts import Part
from app.entries.visibility import said_words
from app.privacy.person_settings import PersonSettings, read_settings
from app.privacy.policy import level_shown
from app.privacy.viewer import Viewer

NOBODYS_ID = -1  # asked for where there is nobody, so that it costs what somebody costs
TEXTS_READ = 20  # entries that an older server made private after the upgrade are looked past, so many a kind


def find_person(conn: Connection, viewer: Viewer, typed: str, ceiling: str) -> store.Person | None:
    """Return whom ``typed`` names, as far as the viewer may know: exactly, or else in any case if unique.

    Admins know of everybody, a person of themselves and whom strangers know of. ``ceiling`` is the
    installation's PRIVACY_LEVEL. Whom the viewer may not know of makes no other name ambiguous.
    """
    named = store.people_named(conn, typed)
    if not viewer.is_admin:
        shown = _shown_among([one.id for one in named if one.is_active], conn, ceiling)
        named = [one for one in named if one.id in shown or viewer.owns(one.id)]
    exact = [one for one in named if one.username == typed]
    found = exact or named
    return found[0] if len(found) == 1 else None


def is_anybody_else_shown(conn: Connection, person: store.Person | None, ceiling: str) -> bool:
    """Return whether strangers know of anybody besides ``person``."""
    others = store.publishing_people(conn, person.id if person else NOBODYS_ID)
    return bool(others) and bool(_shown_among(others, conn, ceiling))


def says_no_other_word(row: Row[Any]) -> bool:
    """Whether the text agrees that an entry is public: an old server changes the text alone."""
    content = read_content(row.data).value
    return not isinstance(content, dict) or all(word == "public" for word in said_words(content).values())


def _shown_among(user_ids: Sequence[int], conn: Connection, ceiling: str) -> set[int]:
    """Return who of these active people has anything that strangers may see; asks the same for nobody."""
    asked = list(user_ids) or [NOBODYS_ID]
    published = store.published_kinds(conn, asked)
    rows = {user_id: store.settings_rows(conn, user_id) for user_id in asked}
    return {
        user_id
        for user_id, kinds in published.items()
        if _shows_any(conn, user_id, kinds, read_settings(rows[user_id]), ceiling)
    }


def _shows_any(
    conn: Connection, user_id: int, kinds: list[store.Endpoint], settings: PersonSettings, ceiling: str
) -> bool:
    return any(_shows(conn, user_id, kind, settings, ceiling) for kind in kinds)


def _shows(
    conn: Connection, user_id: int, endpoint: store.Endpoint, settings: PersonSettings, ceiling: str
) -> bool:
    allowed = all_kinds.allow_lists_of(endpoint)
    if level_shown(endpoint.name, allowed, settings, None, ceiling) is None:
        return False
    with closing(store.entries_for_strangers(conn, endpoint.id, user_id, Part(TEXTS_READ))) as rows:
        return any(says_no_other_word(row) for row in rows)  # the first nearly always answers
