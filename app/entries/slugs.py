"""Slugs. Which entry does a name in an address mean, and may an entry have it? One of a person and kind.

An address that names no one means a stranger's default person, or whoever asks, as a list does. Whether the
entry may be seen is asked afterwards, as by its id: a hidden one and one that is not there are the same.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection, bindparam, select

from app.accounts.people import find_default_person
from app.entries.endpoints import Endpoint
from app.entries.entry import invalid
from app.entries.policies import Policies
from app.errors import Conflict
from app.prepared_statements import PreparedQuery
from app.privacy.entry_search import Words, search
from app.privacy.viewer import Viewer
from app.tables import data_entries

FORM = "[a-z][a-z0-9]*(-[a-z0-9]+)*"
CHARACTERS_MOST = 100
ADDRESSES = frozenset({"bulk"})
"""What is below the list of a kind, and no entry."""

_FORM = re.compile(FORM)


def is_slug(text: str) -> bool:
    """Return whether a text can be a slug: it begins with a letter, so that none can be an id."""
    return len(text) <= CHARACTERS_MOST and _FORM.fullmatch(text) is not None


def find_entry_id(
    connection: Connection, viewer: Viewer, endpoint: Endpoint, slug: str, owner_id: int | None = None
) -> int | None:
    """Return the id of the entry of a kind that a slug means to the viewer, whether or not they may see it.

    ``owner_id``: of whom, where the address says so. None also where anyone but its owner asks by a word of
    the owner's never-list.
    """
    if owner_id is None:
        person = None if viewer.user_id is not None else find_default_person(connection)
        owner_id = viewer.user_id if person is None else person.id
    if owner_id is None or not is_slug(slug):
        return None
    if not viewer.owns(owner_id) and holds_something(slug, Policies(connection).words_of(owner_id)):
        return None
    return _find(connection, endpoint.id, owner_id, slug)


def check(
    connection: Connection, endpoint: Endpoint, owner_id: int | None, slug: str, entry_id: int | None = None
) -> None:
    """Raise InvalidContent for what can be no slug, and Conflict where another entry of the person has it.

    An address is shown by no level: so there must be nothing in it that would be hidden in a text.
    """
    check_form(slug, Policies(connection).words_of(owner_id))
    if owner_id is None:
        raise Conflict("An entry that belongs to no one has no slug.", hint="Leave `slug` out.")
    if not is_free(connection, endpoint.id, owner_id, slug, entry_id):
        raise Conflict(f"Another entry of this kind has the slug {slug!r}.", hint="Choose another one.")


def check_form(slug: str, words: Words | None) -> None:
    """Raise InvalidContent for what can be no slug of whoever has these words on a never-list."""
    if not is_slug(slug):
        raise invalid("/query/slug", "small letters, digits and single dashes are needed, a letter first")
    if slug in ADDRESSES:
        raise invalid("/query/slug", f"{slug} is an address below each kind's; choose another word")
    if holds_something(slug, words):
        raise invalid("/query/slug", "it holds what would be hidden in a text")


def is_free(
    connection: Connection, endpoint_id: int, owner_id: int, slug: str, entry_id: int | None = None
) -> bool:
    """Return whether no other entry of a person and kind has a slug."""
    return _find(connection, endpoint_id, owner_id, slug) in (None, entry_id)


def _find(connection: Connection, endpoint_id: int, owner_id: int, slug: str) -> int | None:
    found = _NAMED.value(connection, {"owner_id": owner_id, "endpoint_id": endpoint_id, "slug": slug})
    return None if found is None else int(found)


_ENTRY = data_entries.c
_NAMED = PreparedQuery(
    select(_ENTRY.id).where(
        _ENTRY.created_by_id == bindparam("owner_id"),
        _ENTRY.endpoint_id == bindparam("endpoint_id"),
        _ENTRY.slug == bindparam("slug"),
    )
)


def holds_something(slug: str, words: Words | None) -> bool:
    """Return whether a name with dashes holds what would be hidden in a text."""
    return next(search(slug.replace("-", " "), words), None) is not None or (
        next(search(slug, words), None) is not None
    )
