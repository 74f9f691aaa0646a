"""Access rule. Who sees which kinds and entries, whole or as strangers do? Decided here and nowhere else.

| viewer | sees whole | sees as strangers do |
|---|---|---|
| stranger | - | what is public |
| person | what is theirs | what is public |
| admin | everything | - |
| local door | what came in through it and belongs to no one | what is public |
| who has a share link | - | what the link names that is public or unlisted |

Public is an entry that is not deleted, of visibility ``public``, no draft and at its time (`shown_times`), of
an active person, and of a kind that is open (active and public), unless its text says another word. The rule
is SQL, so that a list is full and a count is right; a single entry is asked the same conditions as columns.
Flags are compared with 1: NULL and odd values are on the closed side.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import ColumnElement, FromClause, Row, and_, exists, false, not_, or_, true

from app.accounts.audit import CREATE_UNCLAIMED
from app.accounts.audit_reading import is_recorded
from app.accounts.people import PEOPLE, Person
from app.entries import kinds
from app.entries.shown_times import is_its_time
from app.entries.visibility import said_words
from app.privacy.viewer import Viewer
from app.tables import data_entries, endpoints, unclaimed_entries

CONDITIONS_KEPT = 512  # each is built once; what is built of them is found again by what they are

SHARED = ("public", "unlisted")
"""Visibilities of what a link may show: what is private no link does."""

# -- kinds

IS_IN_USE: ColumnElement[bool] = endpoints.c.is_active == 1
IS_OPEN: ColumnElement[bool] = and_(IS_IN_USE, endpoints.c.is_public == 1)
"""Strangers know of a kind that is in use and public."""


class Kind(Protocol):
    """What this rule must know of a kind that was found already."""

    @property
    def is_open(self) -> bool:
        """Whether `IS_OPEN` held for its row."""

    def __hash__(self) -> int:
        """It is a value: what is built for it is found again."""


@lru_cache(maxsize=CONDITIONS_KEPT)
def knows_kind(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition on endpoints: the viewer may know of the kind.

    Who is no stranger knows of the built-in ones in use, a person of their own and of those they wrote to.
    What is a person's own is known to others once it is public.
    """
    if viewer.is_admin:
        return true()
    if viewer.is_stranger:
        return IS_OPEN
    is_built_in = or_(endpoints.c.name.in_(kinds.always_built_in()), endpoints.c.is_shipped == 1)
    is_common = and_(IS_IN_USE, is_built_in)
    if viewer.user_id is None:
        return or_(IS_OPEN, is_common)
    entry = data_entries.alias()
    wrote = exists().where(entry.c.endpoint_id == endpoints.c.id, entry.c.created_by_id == viewer.user_id)
    return or_(IS_OPEN, is_common, endpoints.c.created_by_id == viewer.user_id, wrote)


# -- entries: conditions on data_entries, beside which PEOPLE are joined by owner


def is_there(entry: FromClause = data_entries) -> ColumnElement[bool]:
    """Return the condition that an entry is not deleted."""
    return entry.c.is_active == 1


def is_published(entry: FromClause = data_entries) -> ColumnElement[bool]:
    """Return the condition that an entry is public as far as itself goes, whatever its kind and owner are."""
    return and_(is_there(entry), entry.c.visibility == "public", is_its_time(entry))


IS_OF_ACTIVE_PERSON: ColumnElement[bool] = PEOPLE.c.is_active == 1


@lru_cache(maxsize=CONDITIONS_KEPT)
def is_public(kind: Kind) -> ColumnElement[bool]:
    """Return the condition that an entry of the kind is there for strangers, as far as columns tell."""
    return and_(is_published(), IS_OF_ACTIVE_PERSON) if kind.is_open else false()


@lru_cache(maxsize=CONDITIONS_KEPT)
def sees_whole(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that the viewer sees an entry unfiltered, and may change it."""
    if viewer.is_admin:
        return is_there()
    if viewer.kind == "local":
        return and_(is_there(), is_unclaimed())
    return false() if viewer.user_id is None else and_(is_there(), _belongs_to(viewer.user_id))


@lru_cache(maxsize=CONDITIONS_KEPT)
def keeps(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that an entry, deleted or not, is the viewer's, or the viewer is an admin."""
    if viewer.is_admin:
        return true()
    return false() if viewer.user_id is None else _belongs_to(viewer.user_id)


def is_unclaimed() -> ColumnElement[bool]:
    """Return the condition that an entry came in through the open local door and belongs to no one yet."""
    is_counted = exists().where(unclaimed_entries.c.entry_id == data_entries.c.id)
    is_audited = is_recorded("data_entries", data_entries.c.id, CREATE_UNCLAIMED)  # all there is of 0.3.0's
    return and_(data_entries.c.created_by_id.is_(None), or_(is_counted, is_audited))


@lru_cache(maxsize=CONDITIONS_KEPT)
def of_list(viewer: Viewer, named: Person | None) -> ColumnElement[bool] | None:
    """Return the condition for the entries that a list shows the viewer whole; None: a strangers' list.

    ``named`` is whose list was asked for; None is an address without a name, where an admin has their own
    entries and those that belong to no one or to an account that is gone.
    """
    whole = sees_whole(viewer)
    if viewer.kind == "local":
        return whole if named is None else None
    if viewer.user_id is None:
        return None
    if named is None:
        return and_(whole, or_(_belongs_to(viewer.user_id), _is_ownerless())) if viewer.is_admin else whole
    if viewer.is_admin or viewer.owns(named.id):
        return and_(whole, _belongs_to(named.id))
    return None


@lru_cache(maxsize=CONDITIONS_KEPT)
def of_strangers_list(kind: Kind, person_id: int) -> ColumnElement[bool]:
    """Return the condition for the entries of a person that a list shows strangers."""
    return and_(is_public(kind), _belongs_to(person_id))


@lru_cache(maxsize=CONDITIONS_KEPT)
def is_shared(kind: Kind) -> ColumnElement[bool]:
    """Return the condition that an entry of the kind is there for who has a link to it."""
    if not kind.is_open:
        return false()
    return and_(is_there(), data_entries.c.visibility.in_(SHARED), is_its_time(), IS_OF_ACTIVE_PERSON)


def is_text_shared(content: object) -> bool:
    """Whether the text agrees that an entry may be shown by a link."""
    return not isinstance(content, dict) or all(word in SHARED for word in said_words(content).values())


def is_shown_to_strangers(row: Row[Any], content: object) -> bool:
    """Whether an entry with this content is there for strangers; ``row.is_public`` is from `is_public`."""
    return row.is_public == 1 and is_text_public(content)


def is_text_public(content: object) -> bool:
    """Whether the text agrees that an entry is public: an older server changes the text alone."""
    if not isinstance(content, dict):
        return True
    meta = content.get("meta")  # the places of `said_words`, which takes longer, and is asked for each view
    is_meta_public = not isinstance(meta, dict) or meta.get("visibility", "public") == "public"
    return is_meta_public and bool(content.get("visibility", "public") == "public")


def _belongs_to(user_id: int) -> ColumnElement[bool]:
    return data_entries.c.created_by_id == user_id


def _is_ownerless() -> ColumnElement[bool]:
    somebody = PEOPLE.alias()  # not those of the query around it
    is_gone = not_(exists().where(somebody.c.id == data_entries.c.created_by_id))
    return or_(data_entries.c.created_by_id.is_(None), is_gone)
