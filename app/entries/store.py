"""Entry rows. Which of them fulfil a condition, and how is one written? Queries, and nothing but queries.

Who may see what is `access`'s to say: every query here is handed its condition, or asks for it.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from functools import lru_cache
from types import SimpleNamespace
from typing import Any
from typing import cast as taken_as

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    Row,
    Select,
    bindparam,
    cast,
    func,
    or_,
    select,
    type_coerce,
)

from app.accounts.people import PEOPLE
from app.entries import access, revisions
from app.entries.endpoints import NAME, Endpoint
from app.entries.order import IN_ORDER, PLACE, after, in_order, is_after
from app.entries.parts import Part
from app.prepared_statements import PreparedLookup, PreparedQuery, prepared
from app.privacy.viewer import Viewer
from app.tables import data_entries, endpoints, text_findings

FINDINGS = (
    text_findings.c.content_hash,
    text_findings.c.detectors_version,
    text_findings.c.words_generation,
    text_findings.c.found,
)
"""What is read of text_findings beside an entry, so that `findings.Findings` can be asked of the row."""

_WITH_FINDINGS: Select[Any] = select(
    data_entries.c.id, data_entries.c.data, data_entries.c.created_by_id, *FINDINGS
).select_from(data_entries.outerjoin(text_findings, text_findings.c.entry_id == data_entries.c.id))

_STATES = PreparedLookup(select(*data_entries.c), data_entries.c.id)
_ANY = PreparedQuery(select(data_entries.c.id).limit(1))
_PLACES = {column.name: at for at, column in enumerate(data_entries.c)}
_BY_SLUG = PreparedLookup(
    select(data_entries.c.slug, data_entries.c.id).where(
        data_entries.c.created_by_id == bindparam("owner_id"),
        data_entries.c.endpoint_id == bindparam("kind_id"),
    ),
    data_entries.c.slug,
)
STATEMENTS_KEPT = 512

Rows = Generator[Row[Any], None, None]

IDS_AT_ONCE = 500


def entries(
    connection: Connection,
    endpoint: Endpoint,
    shown: ColumnElement[bool],
    part: Part,
) -> Rows:
    """Yield the entries of a kind for which ``shown`` holds, in order: those of the part, and one more.

    Each is read when it is asked for. ``owner`` is a name, ``is_public`` what `access.is_public` says.
    """
    query = _page(endpoint, shown, part.is_reversed)
    asked = {**after(part.after(endpoint.id)), "skipped": part.skipped, "most": part.count + 1}
    names = _names_of(query)
    with closing(prepared(query).rows(connection, asked)) as found:
        for row in found:
            yield _named(names, row)


# conditions of `access` are built once too, and are found as what they are
@lru_cache(maxsize=STATEMENTS_KEPT)
def _page(endpoint: Endpoint, shown: ColumnElement[bool], is_reversed: bool = False) -> Select[Any]:
    return (
        _entry_rows(endpoint)
        .where(shown, is_after(is_reversed=is_reversed))
        .order_by(*in_order(is_reversed=is_reversed))
        .offset(bindparam("skipped"))
        .limit(bindparam("most"))
    )


def find_entry(
    connection: Connection,
    viewer: Viewer,
    endpoint: Endpoint,
    entry_id: int | None,
    more: tuple[ColumnElement[Any], ...] = (),
) -> Row[Any] | None:
    """Return an entry that the viewer may see in some way: with ``sees_whole`` beside what `entries` gives.

    ``more`` are columns besides. What is not shown is not read either: its size is nothing that the time of
    an answer could tell.
    """
    query = query_of_one(viewer, endpoint, more)
    found = list(prepared(query).rows(connection, {"entry_id": entry_id}))
    return _named(_names_of(query), found[0]) if found else None


@lru_cache(maxsize=STATEMENTS_KEPT)
def query_of_one(viewer: Viewer, endpoint: Endpoint, more: tuple[ColumnElement[Any], ...]) -> Select[Any]:
    """Return the query of `find_entry`; its parameter is ``entry_id``."""
    sees_whole, is_public = access.sees_whole(viewer), access.is_public(endpoint)
    return (
        _entry_rows(endpoint)
        .add_columns(type_coerce(sees_whole, Integer).label("sees_whole"), *more)
        .where(data_entries.c.id == bindparam("entry_id"), or_(sees_whole, is_public))
    )


@lru_cache(maxsize=STATEMENTS_KEPT)
def _names_of(query: Select[Any]) -> tuple[str, ...]:
    return tuple(query.selected_columns.keys())


def _named(names: tuple[str, ...], row: tuple[Any, ...]) -> Row[Any]:
    """A row as the driver has it, by the names of its columns; SQLAlchemy takes longer to make one."""
    return taken_as("Row[Any]", SimpleNamespace(**dict(zip(names, row, strict=True))))


def find_kept(connection: Connection, viewer: Viewer, endpoint: Endpoint, entry_id: int) -> Row[Any] | None:
    """Return an entry that the viewer owns, or sees as an admin, deleted or not.

    As `find_entry` gives it, with is_active, and number: that of its present state.
    """
    return connection.execute(_kept(viewer, endpoint), {"entry_id": entry_id}).first()


@lru_cache(maxsize=STATEMENTS_KEPT)
def _kept(viewer: Viewer, endpoint: Endpoint) -> Select[Any]:
    return (
        _entry_rows(endpoint)
        .add_columns(data_entries.c.is_active, revisions.NUMBER)
        .where(data_entries.c.id == bindparam("entry_id"), access.keeps(viewer))
    )


def find_own(connection: Connection, user_id: int, entry_id: int) -> Row[Any] | None:
    """Return an entry of a person that is not deleted: id, data, created_by_id and FINDINGS."""
    is_it = (data_entries.c.id == entry_id, data_entries.c.created_by_id == user_id, access.is_there())
    return connection.execute(_WITH_FINDINGS.where(*is_it)).first()


def own_entries(
    connection: Connection, user_id: int, after_id: int, most: int, entry_id: int | None = None
) -> Rows:
    """Yield a person's entries that are not deleted, by id: `find_own` with endpoint_id and kind."""
    query = (
        _WITH_FINDINGS.add_columns(data_entries.c.endpoint_id, NAME.label("kind"))
        .join(endpoints, endpoints.c.id == data_entries.c.endpoint_id)
        .where(data_entries.c.created_by_id == user_id, data_entries.c.id > after_id, access.is_there())
    )
    if entry_id is not None:
        query = query.where(data_entries.c.id == entry_id)
    with connection.execute(query.order_by(data_entries.c.id).limit(most)) as found:
        yield from found


def with_findings(connection: Connection, after_id: int, most: int) -> Rows:
    """Yield the entries of anyone after an id that are not deleted, by id: what `find_own` returns."""
    query = (
        _WITH_FINDINGS.where(data_entries.c.id > after_id, access.is_there())
        .order_by(data_entries.c.id)
        .limit(most)
    )
    with connection.execute(query) as found:
        yield from found


def these_with_findings(connection: Connection, entry_ids: Sequence[int]) -> Rows:
    """Yield those of these entries that are not deleted: what `find_own` returns."""
    query = _WITH_FINDINGS.where(data_entries.c.id.in_(entry_ids), access.is_there())
    with connection.execute(query) as found:
        yield from found


def rows_of(
    connection: Connection, viewer: Viewer, endpoint: Endpoint, entry_ids: Sequence[int]
) -> dict[int, Row[Any]]:
    """Return by id what `find_entry` gives of each of these entries that is there.

    With the column number, that of its present state.
    """
    found: dict[int, Row[Any]] = {}
    for begin in range(0, len(entry_ids), IDS_AT_ONCE):
        some = entry_ids[begin : begin + IDS_AT_ONCE]
        found |= {row.id: row for row in connection.execute(_of_ids(viewer, endpoint), {"ids": some})}
    return found


@lru_cache(maxsize=STATEMENTS_KEPT)
def _of_ids(viewer: Viewer, endpoint: Endpoint) -> Select[Any]:
    sees_whole, is_public = access.sees_whole(viewer), access.is_public(endpoint)
    return (
        _entry_rows(endpoint)
        .add_columns(type_coerce(sees_whole, Integer).label("sees_whole"), revisions.NUMBER)
        .where(data_entries.c.id.in_(bindparam("ids", expanding=True)), or_(sees_whole, is_public))
    )


def states_of(connection: Connection, entry_ids: Sequence[int]) -> dict[int, tuple[Any, ...]]:
    """Return the stored rows of these entries by id, to be compared: is every column as it was?"""
    return {value_of(row, "id"): row for row in _STATES.rows(connection, entry_ids)}


def value_of(row: tuple[Any, ...], column: str) -> Any:
    """Return what stands in a column of a row of `states_of`."""
    return row[_PLACES[column]]


def texts_of(connection: Connection, entry_ids: Sequence[int]) -> dict[int, tuple[int | None, Any]]:
    """Return whose each of these entries is, and its stored text; those that are not there are left out."""
    entry = data_entries.c
    query = select(entry.id, entry.created_by_id, entry.data).where(entry.id.in_(entry_ids))
    return {row.id: (row.created_by_id, row.data) for row in connection.execute(query)}


def has_entries(connection: Connection, endpoint_id: int) -> bool:
    """Return whether there are entries of a kind, deleted ones too."""
    query = select(data_entries.c.id).where(data_entries.c.endpoint_id == endpoint_id).limit(1)
    return connection.execute(query).first() is not None


def has_any(connection: Connection) -> bool:
    """Return whether there is any entry, deleted ones too."""
    return _ANY.value(connection) is not None


def count_there(connection: Connection) -> int:
    """Return how many entries are not deleted."""
    query = select(func.count()).select_from(data_entries).where(access.is_there())
    return int(connection.execute(query).scalar_one())


def _entry_rows(endpoint: Endpoint) -> Select[Any]:
    return (
        select(
            data_entries.c.id,
            data_entries.c.data,
            data_entries.c.created_at,
            data_entries.c.updated_at,
            data_entries.c.created_by_id,
            data_entries.c.visibility,
            PEOPLE.c.username.label("owner"),
            type_coerce(access.is_public(endpoint), Integer).label("is_public"),  # 1 or 0, or what equals it
            data_entries.c.endpoint_id,
            PLACE.label("place"),
            data_entries.c.slug,
            data_entries.c.shown_from,
            data_entries.c.shown_until,
            *FINDINGS,
        )
        .select_from(
            data_entries.outerjoin(PEOPLE, PEOPLE.c.id == data_entries.c.created_by_id).outerjoin(
                text_findings, text_findings.c.entry_id == data_entries.c.id
            )
        )
        .where(data_entries.c.endpoint_id == endpoint.id)
    )


def everything_of(connection: Connection, user_id: int) -> list[dict[str, Any]]:
    """Return every entry of a person, deleted ones too, in order: data as bytes, and the kind's name.

    Without its position, which would tell how much others have written.
    """
    columns = [column for column in data_entries.c if column.name not in ("data", "position")]
    stored = cast(data_entries.c.data, LargeBinary).label("stored")
    query = (
        select(*columns, stored, NAME.label("kind"))
        .select_from(data_entries.outerjoin(endpoints, endpoints.c.id == data_entries.c.endpoint_id))
        .where(data_entries.c.created_by_id == user_id)
        .order_by(*IN_ORDER)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def slugs_of(connection: Connection, entry_ids: Sequence[int]) -> dict[int | None, str | None]:
    """Return the slugs of entries by id, a few hundred at a time."""
    found: dict[int | None, str | None] = {}
    for begin in range(0, len(entry_ids), IDS_AT_ONCE):
        some = entry_ids[begin : begin + IDS_AT_ONCE]
        query = select(data_entries.c.id, data_entries.c.slug).where(data_entries.c.id.in_(some))
        found |= {row.id: row.slug for row in connection.execute(query)}
    return found


def slugs_taken(connection: Connection, owner_id: int, endpoint_id: int, slugs: Sequence[str]) -> set[str]:
    """Return those of these slugs that a person's entries of a kind have."""
    return set(ids_by_slug(connection, owner_id, endpoint_id, slugs))


def ids_by_slug(
    connection: Connection, owner_id: int, endpoint_id: int, slugs: Sequence[str]
) -> dict[str, int]:
    """Return the ids of a person's entries of a kind that have one of these slugs, by slug."""
    whose = {"owner_id": owner_id, "kind_id": endpoint_id}
    return dict(_BY_SLUG.rows(connection, slugs, whose))
