"""Published entries by person. Who has something public, and of which kinds? Queries that do not grow.

What is public here is so by its columns alone; `people` looks at the texts too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)

from app.accounts.people import PEOPLE
from app.entries import access
from app.entries.endpoints import Endpoint, endpoint_of
from app.tables import data_entries, endpoints

OWNERS_LOOKED_AT = 200  # in each endpoint; 10 ms where 1,000 people have private entries of all 33 kinds
OWN_KINDS_LOOKED_AT = 2_000
PUBLISHERS_COUNT = 50


def published_kinds(connection: Connection, user_ids: Sequence[int]) -> dict[int, list[Endpoint]]:
    """Return, by person, the open endpoints in which they have public entries.

    The cost is a look into an index for each open endpoint and person, whatever they wrote.
    """
    given = {f"person_{at}": user_id for at, user_id in enumerate(user_ids)}
    found: dict[int, list[Endpoint]] = {}
    for row in connection.execute(_kinds_query(len(given)), given):
        found.setdefault(row.person_id, []).append(endpoint_of(row))
    return found


@lru_cache(maxsize=PUBLISHERS_COUNT + 1)
def _kinds_query(count: int) -> Select[Any]:
    names = (bindparam(f"person_{at}", type_=PEOPLE.c.id.type) for at in range(count))
    asked = union_all(*(select(name.label("id")) for name in names)).subquery()
    return (
        select(asked.c.id.label("person_id"), endpoints, access.IS_OPEN.label("is_open"))
        .join_from(asked, endpoints, _has_public_entry(endpoints.c.id, asked.c.id))
        .where(access.IS_OPEN, or_(endpoints.c.user_id.is_(None), endpoints.c.user_id == asked.c.id))
        .order_by(endpoints.c.id)
    )


def publishing_people(connection: Connection, but_for: int) -> list[int]:
    """Return the ids of a few active people, ``but_for`` excepted, who have public entries.

    In every open endpoint one owner after the other is looked up in an index, so many rounds at most: the
    cost does not grow with entries, nor without end with people. Of people's own kinds so many are looked at.
    """
    return list(dict.fromkeys(connection.execute(_people_query(), {"but_for": but_for}).scalars()))


@cache
def _people_query() -> Select[Any]:
    begin = _where_to_begin().subquery("begin")
    walk = select(
        begin.c.id.label("endpoint_id"),
        _next_owner(begin.c.id, None).label("owner_id"),
        literal(1).label("rounds"),
    ).cte("walk", recursive=True)
    following = _next_owner(walk.c.endpoint_id, walk.c.owner_id)
    walk = walk.union_all(
        select(walk.c.endpoint_id, following, walk.c.rounds + 1).where(
            walk.c.owner_id.is_not(None), walk.c.rounds < OWNERS_LOOKED_AT
        )
    )
    return (
        select(walk.c.owner_id)
        .join(PEOPLE, PEOPLE.c.id == walk.c.owner_id)
        .where(walk.c.owner_id != bindparam("but_for"), access.IS_OF_ACTIVE_PERSON)
        .where(_has_public_entry(walk.c.endpoint_id, walk.c.owner_id))
        .limit(PUBLISHERS_COUNT)
    )


def _where_to_begin() -> CompoundSelect[Any]:
    kind = endpoints.c
    of_all = select(kind.id).where(kind.user_id.is_(None), access.IS_OPEN)
    some = select(kind.id, kind.is_active, kind.is_public).where(kind.user_id.is_not(None))
    own = some.limit(OWN_KINDS_LOOKED_AT).subquery("own")
    return union_all(of_all, select(own.c.id).where(own.c.is_active == 1, own.c.is_public == 1))


def _next_owner(endpoint_id: ColumnElement[int], after: ColumnElement[int] | None) -> ScalarSelect[int]:
    entry = data_entries.alias()
    query = select(func.min(entry.c.created_by_id)).where(entry.c.endpoint_id == endpoint_id)
    return (query if after is None else query.where(entry.c.created_by_id > after)).scalar_subquery()


def _has_public_entry(endpoint_id: ColumnElement[int], owner_id: ColumnElement[int]) -> ColumnElement[bool]:
    entry = data_entries.alias()
    is_theirs = and_(entry.c.endpoint_id == endpoint_id, entry.c.created_by_id == owner_id)
    return exists().where(is_theirs, access.is_published(entry))
