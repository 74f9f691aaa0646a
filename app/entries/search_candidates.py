"""Candidates of a search (index queries). Which rows have the terms, and is what they are of shown now?

The index is read backwards from a place, and no further than it is asked for: neither the number of entries
nor that of people or hits makes a difference to one step. What is hidden now, deleted, not yet or no longer
to be shown, is told in the same statement, by the rule of `access`, and counted: left out there, any number
of rows could be read for one that is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Row, Select, and_, bindparam, or_, select

from app.accounts.people import PEOPLE
from app.entries import access
from app.entries.row_types import StrangersRow
from app.entries.search_terms import OWN
from app.entries.strangers_rows import ROW, WITH_FINDINGS, WITH_OWNER
from app.entries.view_changes import changed_at
from app.full_text import FullText
from app.privacy.viewer import Viewer
from app.tables import data_entries, endpoints, search_rows

STATEMENTS_KEPT = 256
IS_SHOWN = and_(access.is_published(), access.IS_OF_ACTIVE_PERSON, access.IS_OPEN)
"""Of entries with their kinds and owners: those that strangers are shown, as far as columns tell."""

_ROW = search_rows.c
_ENTRY = data_entries.c
_IS_ASKED = _ENTRY.id.in_(bindparam("entry_ids", expanding=True))
_OF_KIND = endpoints.c.id == _ENTRY.endpoint_id


class Candidate(NamedTuple):
    """A row of the index that has the terms."""

    id: int
    entry_id: int
    audience: str
    endpoint_id: int
    user_id: int
    stamp: str
    is_shown: bool


def candidates(
    connection: Connection, index: FullText, viewer: Viewer, match: str, least: int, before: int, most: int
) -> list[Candidate]:
    """Return rows between two places of the index, the last first; of what is hidden now, too."""
    asked = {"match": match, "least": least, "before": before, "most": most}
    found = connection.execute(query_of(index, viewer), asked)
    return sorted(map(Candidate._make, found), reverse=True)


@lru_cache(maxsize=STATEMENTS_KEPT)
def query_of(index: FullText, viewer: Viewer) -> Select[Any]:
    """Return the query of `candidates`, in no order: it bounds the rows before it looks what they are of."""
    place = index.place(search_rows)
    columns = (_ROW.id, _ROW.entry_id, _ROW.audience, _ROW.endpoint_id, _ROW.user_id, _ROW.stamp)
    found = (
        select(*columns)
        .select_from(index.source(search_rows))
        .where(
            index.matches(search_rows),
            place >= bindparam("least", type_=BigInteger),
            place < bindparam("before", type_=BigInteger),
        )
        .order_by(place.desc())
        .limit(bindparam("most"))
        .subquery("found")
    )
    is_of_strangers = and_(found.c.audience != OWN, IS_SHOWN)
    is_own = and_(found.c.audience == OWN, access.sees_whole(viewer))
    joined = (
        found.outerjoin(data_entries, _ENTRY.id == found.c.entry_id)
        .outerjoin(endpoints, _OF_KIND)
        .outerjoin(PEOPLE, PEOPLE.c.id == _ENTRY.created_by_id)
    )
    is_shown = and_(_ENTRY.id.is_not(None), or_(is_of_strangers, is_own))
    return select(*found.c, is_shown.label("is_shown")).select_from(joined)


def strangers_rows(
    connection: Connection, entry_ids: Sequence[int], level: str
) -> Mapping[int, StrangersRow]:
    """Return, by id, those of these entries that strangers are shown, as they are read for a level."""
    rows = connection.execute(_shown(level), {"entry_ids": list(entry_ids)})
    return {row.id: StrangersRow._make(row) for row in rows}


@lru_cache
def _shown(level: str) -> Select[Any]:
    joined = WITH_FINDINGS.join(endpoints, _OF_KIND)
    return select(*ROW, changed_at(level)).select_from(joined).where(_IS_ASKED, IS_SHOWN)


def whole_rows(connection: Connection, entry_ids: Sequence[int], viewer: Viewer) -> Mapping[int, Row[Any]]:
    """Return, by id, those of these entries that the viewer sees whole, with ``is_public`` as in `store`."""
    return {row.id: row for row in connection.execute(_whole(viewer), {"entry_ids": list(entry_ids)})}


@lru_cache(maxsize=STATEMENTS_KEPT)
def _whole(viewer: Viewer) -> Select[Any]:
    columns = (
        *(_ENTRY.id, _ENTRY.data, _ENTRY.created_at, _ENTRY.updated_at, _ENTRY.created_by_id),
        *(_ENTRY.visibility, _ENTRY.slug, _ENTRY.endpoint_id),
        *(PEOPLE.c.username.label("owner"), IS_SHOWN.label("is_public")),
    )
    joined = WITH_OWNER.join(endpoints, _OF_KIND)
    return select(*columns).select_from(joined).where(_IS_ASKED, access.sees_whole(viewer))
