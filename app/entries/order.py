"""Keyset order (position). Where does an entry stand in a list, which stand after it, where does a new one?

An entry from before 0.6.0, and one that an older server wrote, has no position of its own: it stands where
its id says. Later ids are random, so a new entry gets the next place of its kind. No one is told a place,
which would tell how much others have written (`cursors`). Of two in one place the lower id is first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    ScalarSelect,
    and_,
    bindparam,
    func,
    or_,
    select,
    union_all,
)

from app.tables import data_entries

PLACE: ColumnElement[int] = func.coalesce(data_entries.c.position, data_entries.c.id)
"""Where an entry stands, in the words of the indexes."""

IN_ORDER = (PLACE, data_entries.c.id)
LARGEST_PLACE = 2**62  # what an odd row says above it counts for nothing


class Place(NamedTuple):
    """Where an entry stands in the list of its kind."""

    position: int
    id: int


START = Place(0, 0)
END = Place(2**63 - 1, 2**63 - 1)


def in_order(*, is_reversed: bool = False) -> tuple[ColumnElement[Any], ...]:
    """Return what a list is sorted by: the order of writing, or the newest first."""
    return tuple(each.desc() for each in IN_ORDER) if is_reversed else IN_ORDER


def is_after(*, is_reversed: bool = False) -> ColumnElement[bool]:
    """Return the condition that an entry stands after the place that `after` gives as parameters.

    Where the list ``is_reversed``: that it stands before it.
    """
    position: BindParameter[int] = bindparam("after_position", type_=BigInteger)
    entry_id: BindParameter[int] = bindparam("after_id", type_=BigInteger)
    # What an index can begin with stands alone.
    if is_reversed:
        return and_(position >= PLACE, or_(position > PLACE, entry_id > data_entries.c.id))
    return and_(position <= PLACE, or_(position < PLACE, entry_id < data_entries.c.id))


def after(place: Place) -> dict[str, int]:
    """Return the parameters of `is_after`."""
    return {"after_position": place.position, "after_id": place.id}


def next_place() -> ScalarSelect[Any]:
    """Return the query for the place of a new entry of the kind in the parameter ``endpoint_id``.

    Each end of the index is looked up by itself: of those that are there, and of those that were deleted.
    """
    ends = union_all(*(select(_last_place(is_active).label("place")) for is_active in (1, 0))).subquery()
    last = select(ends.c.place).where(ends.c.place.is_not(None)).order_by(ends.c.place.desc()).limit(1)
    return select(func.coalesce(last.scalar_subquery(), 0) + 1).scalar_subquery()


def _last_place(is_active: int) -> ScalarSelect[Any]:
    of_kind = (data_entries.c.endpoint_id == bindparam("endpoint_id"), data_entries.c.is_active == is_active)
    return (
        select(PLACE).where(*of_kind, PLACE < LARGEST_PLACE).order_by(PLACE.desc()).limit(1).scalar_subquery()
    )
