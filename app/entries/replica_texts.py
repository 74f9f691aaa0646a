"""Texts from replicas. Of the entries that strangers ask for, whose texts need not be read in the database?

The database says, in the snapshot of the request, which entries are shown and what is needed of each but its
text: with it the version of its row, and the hash of the text that was searched. A replica gives the text of
that version; one that it has not, or that has not that hash, comes from the database. So nothing that was
hidden or changed is shown any longer, however far the replicas are behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from functools import lru_cache, partial
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Row, Select

from app.entries import store, strangers_rows
from app.entries.endpoints import Endpoint
from app.entries.findings import content_hash
from app.entries.row_types import StrangersRow
from app.entries.shown_times import at_moment
from app.entries.strangers_rows import Rows
from app.privacy.viewer import Viewer
from app.replicas import replicas_of
from app.tables import data_entries

_TABLE, _TEXT = data_entries.name, data_entries.c.data.name
_AT = StrangersRow._fields.index(_TEXT)


def are_there(connection: Connection) -> bool:
    """Return whether there are replicas."""
    return replicas_of(connection) is not None


def rows_among(
    connection: Connection,
    endpoint: Endpoint,
    entry_ids: Sequence[int],
    level: str,
    now: datetime,
    *,
    is_reversed: bool = False,
) -> Rows:
    """Yield what `strangers_rows.rows_among` yields."""
    rows_here = partial(
        strangers_rows.rows_among, connection, endpoint, level=level, now=now, is_reversed=is_reversed
    )
    replicas = replicas_of(connection)
    if replicas is None or not entry_ids:
        yield from rows_here(entry_ids)
        return
    query = _without_text(strangers_rows.among(endpoint, level, is_reversed), replicas.revision_of(_TABLE))
    found = connection.execute(query, {"entry_ids": list(entry_ids), **at_moment(now)}).all()
    texts = replicas.texts(_TABLE, _TEXT, {row.id: row.revision for row in found})
    rows = [_with_text(row, texts.get(row.id)) for row in found]
    others = [row.id for row in rows if row.data is None]
    with closing(rows_here(others)) as read_here:
        for row in rows:
            yield next(read_here) if row.data is None else row


def find_entry(
    connection: Connection,
    viewer: Viewer,
    endpoint: Endpoint,
    entry_id: int | None,
    more: tuple[ColumnElement[Any], ...] = (),
) -> Row[Any] | None:
    """Return what `store.find_entry` returns, for a stranger."""
    replicas = replicas_of(connection)
    if replicas is None or not viewer.is_stranger:
        return store.find_entry(connection, viewer, endpoint, entry_id, more)
    query = _without_text(store.query_of_one(viewer, endpoint, more), replicas.revision_of(_TABLE))
    found = connection.execute(query, {"entry_id": entry_id}).first()
    if found is None:
        return None
    text = replicas.texts(_TABLE, _TEXT, {found.id: found.revision}).get(found.id)
    if text is None or content_hash(found.created_by_id, text) != found.content_hash:
        return store.find_entry(connection, viewer, endpoint, entry_id, more)
    return cast("Row[Any]", SimpleNamespace(**found._mapping, data=text))


def _with_text(found: Sequence[Any], text: str | None) -> StrangersRow:
    """The row with the text, if that is the one that was searched; else without."""
    _revision, *values = found
    row = StrangersRow._make([*values[:_AT], text, *values[_AT:]])
    is_it = text is not None and content_hash(row.created_by_id, text) == row.content_hash
    return row if is_it else row._replace(data=None)


@lru_cache(maxsize=strangers_rows.STATEMENTS_KEPT)
def _without_text(query: Select[Any], revision: ColumnElement[str]) -> Select[Any]:
    columns = [column for column in query.selected_columns if column.key != _TEXT]
    return query.with_only_columns(revision.label("revision"), *columns, maintain_column_froms=True)
