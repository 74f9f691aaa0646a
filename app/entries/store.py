"""Entry rows. Which of them fulfil a condition, and how is one written? Queries, and nothing but queries.

Who may see what is `access`'s to say: every query here is handed its condition, or asks for it.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
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
    case,
    cast,
    func,
    insert,
    or_,
    select,
    type_coerce,
    update,
)

from app import clock
from app.accounts.people import PEOPLE, find_name
from app.entries import access, revisions
from app.entries.endpoints import NAME, Endpoint
from app.entries.order import IN_ORDER, PLACE, after, in_order, is_after, next_place
from app.entries.parts import Part
from app.entries.shown_times import NO_TIMES, ShownTimes
from app.errors import Conflict
from app.ids import DRAWN, drawn_ids, is_given, new_id, no_id_left
from app.prepared_statements import PreparedQuery, PreparedStatement, prepared
from app.privacy.viewer import Viewer
from app.snapshot_memory import remembered
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

_ADD = PreparedStatement(
    insert(data_entries),
    *("id", "endpoint_id", "data", "is_active", "created_at", "created_by_id"),
    *("visibility", "position", "slug", "shown_from", "shown_until"),
    unless_taken="id",
)
COLUMNS = (
    *("id", "endpoint_id", "data", "is_active", "created_at", "updated_at", "created_by_id"),
    *("visibility", "slug", "shown_from", "shown_until"),
)
"""What a row has for `add_entries`."""

_ADD_MANY = PreparedStatement(insert(data_entries), *COLUMNS, "position", unless_taken="id")
_NEXT_PLACE = PreparedQuery(select(next_place()))
_IS_GIVEN = PreparedQuery(select(case((is_given(data_entries), 1), else_=0)))
STATEMENTS_KEPT = 512

Rows = Generator[Row[Any], None, None]

IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry that was just written, as `find_entry` would give it to its owner."""

    id: int
    data: str
    created_at: str
    created_by_id: int | None
    visibility: str
    owner: str | None
    endpoint_id: int
    slug: str | None = None
    shown_from: str | None = None
    shown_until: str | None = None
    updated_at: None = None


EntryRow = Row[Any] | NewEntry


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
    return connection.execute(select(data_entries.c.id).limit(1)).first() is not None


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


# -- writing


def add_entry(
    connection: Connection,
    endpoint_id: int,
    owner_id: int | None,
    text: str,
    visibility: str,
    now: datetime,
    slug: str | None = None,
    times: ShownTimes = NO_TIMES,
) -> NewEntry:
    """Write an entry with an id that no entry and no audit row ever named; return it."""
    created_at = clock.stored(now)
    values = {
        "endpoint_id": endpoint_id,
        "data": text,
        "is_active": 1,
        "created_at": created_at,
        "created_by_id": owner_id,
        "visibility": visibility,
        "slug": slug,
        "shown_from": times.shown_from,
        "shown_until": times.shown_until,
    }
    entry_id = _add(connection, values)
    owner = None if owner_id is None else find_name(connection, owner_id)
    return NewEntry(entry_id, text, created_at, owner_id, visibility, owner, endpoint_id, slug, *times)


def add_entries(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Write entries, each in the next place of its kind, with one statement.

    ``rows`` have all of COLUMNS; the ids are of `ids.new_ids`. Raises Conflict where someone else was given
    one of them meanwhile; then the transaction has to be taken back.
    """
    kinds_there = {row["endpoint_id"] for row in rows}
    ends = {endpoint_id: _end_of(connection, endpoint_id) for endpoint_id in kinds_there}
    placed = []
    for row in rows:
        end = ends[row["endpoint_id"]]
        placed.append({**row, "position": end.place})
        end.place += 1
    if _ADD_MANY.run_all(connection, placed) < len(rows):
        raise Conflict("An id was given to something else meanwhile; nothing was written.", hint="Try again.")


def add_entry_as_it_was(connection: Connection, endpoint_id: int, **values: object) -> int:
    """Write an entry with the times and flags that it had in another installation; return its id here."""
    entry_id = new_id(connection, data_entries)
    row = {**dict.fromkeys(COLUMNS), **values, "id": entry_id, "endpoint_id": endpoint_id}
    add_entries(connection, [row])
    return entry_id


def slugs_taken(connection: Connection, owner_id: int, endpoint_id: int, slugs: Sequence[str]) -> set[str]:
    """Return those of these slugs that a person's entries of a kind have."""
    entry, found = data_entries.c, set[str]()
    is_theirs = (entry.created_by_id == owner_id, entry.endpoint_id == endpoint_id)
    for begin in range(0, len(slugs), IDS_AT_ONCE):
        query = select(entry.slug).where(*is_theirs, entry.slug.in_(slugs[begin : begin + IDS_AT_ONCE]))
        found |= {str(slug) for slug in connection.execute(query).scalars()}
    return found


def _add(connection: Connection, values: dict[str, object]) -> int:
    """Write an entry with an id that no entry and no audit row ever named, in the next place of its kind.

    Returns the id. Another one is drawn where someone else writes an entry with the same at the same time.
    """
    end = _end_of(connection, values["endpoint_id"])
    for drawn in drawn_ids(data_entries):
        if _IS_GIVEN.value(connection, {DRAWN: drawn}):
            continue
        if _ADD.run(connection, {**values, "id": drawn, "position": end.place}):
            end.place += 1
            return drawn
    raise no_id_left(data_entries)


@dataclass
class _End:
    """Which place the next entry of a kind gets."""

    place: int


def _end_of(connection: Connection, endpoint_id: object) -> _End:
    """Return where a kind's list ends. What is remembered hangs on no row of entries: `_add` moves it on."""

    def read() -> _End:
        return _End(_NEXT_PLACE.value(connection, {"endpoint_id": endpoint_id}))

    return remembered(connection, ("end of list", endpoint_id), read, while_writing=True)


def change_entry(connection: Connection, entry_id: int, now: datetime, **values: object) -> None:
    """Write new values of an entry: data, visibility, is_active, slug, shown_from, shown_until.

    What it was is kept as a revision.
    """
    number = revisions.keep(connection, entry_id, now)
    changed = {**values, "updated_at": clock.stored(now), "revision": number}
    _changing(*sorted(changed)).run(connection, {**changed, "of_entry": entry_id})


def delete_entries(connection: Connection, entry_ids: Sequence[int], now: datetime) -> None:
    """Mark these entries as deleted, with a statement for all of them; what they were is kept."""
    numbers, at = revisions.keep_all(connection, entry_ids, now), clock.stored(now)
    gone = {"is_active": 0, "slug": None, "updated_at": at}
    rows = [{**gone, "revision": numbers[entry_id], "of_entry": entry_id} for entry_id in entry_ids]
    _changing("is_active", "revision", "slug", "updated_at").run_all(connection, rows)


@lru_cache
def _changing(*columns: str) -> PreparedStatement:
    """The statement that writes these columns of an entry."""
    return PreparedStatement(update(data_entries).where(data_entries.c.id == bindparam("of_entry")), *columns)
