"""Rows that travel with entries (releases, revisions, times of views). How do they come in elsewhere?

Hashes of values are keyed, and of no use elsewhere: a release travels with the text that it shows, which
stands in the entry beside it, and is hashed anew. What a release of a whole kind, or of everything, would
show of entries that are here already stays hidden: those come with an account that is made.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, LargeBinary, bindparam, cast, insert, select, update

from app.accounts.audit import Actor
from app.entries import pictures_transfer, releases
from app.entries.policies import Policies
from app.entries.privacy_secrets import FINDING_VALUES, find_key, get_or_make_key, keyed_hash
from app.entries.release_rows import releases_of
from app.entries.searched_texts import search_text
from app.ids import new_id
from app.prepared_statements import PreparedStatement
from app.privacy.detected import kind_of
from app.privacy.detectors.catalogue import names
from app.privacy.levels import ANSWERED
from app.privacy.released import Release
from app.tables import data_entries, entry_revisions, finding_releases, view_changes

Stored = dict[str, Any]
PICTURES_FILE = pictures_transfer.FILE
RELEASES_FILE, REVISIONS_FILE, VIEWS_FILE = "releases.json", "revisions.json", "view_changes.json"
COLUMNS: dict[str, frozenset[str]] = {
    RELEASES_FILE: frozenset(("entry_id", "endpoint_id", "detector", "value", "created_at")),
    REVISIONS_FILE: frozenset(
        (
            *("entry_id", "number", "stored", "stored_base64", "visibility", "slug", "is_active", "more"),
            *("written_at", "ended_at"),
        )
    ),
    VIEWS_FILE: frozenset(("entry_id", "privacy_level", "view_hash", "changed_at")),
    PICTURES_FILE: pictures_transfer.COLUMNS,
}
"""The files, which are there where there are rows, and what a row has."""

_ENTRY, _STATE = data_entries.c, entry_revisions.c


def rows_of(connection: Connection, user_id: int) -> dict[str, list[Stored]]:
    """Return the rows of a person's by file, without files that would have none."""
    found = {
        RELEASES_FILE: _releases(connection, user_id),
        REVISIONS_FILE: _revisions(connection, user_id),
        VIEWS_FILE: _views(connection, user_id),
        PICTURES_FILE: pictures_transfer.rows_of(connection, user_id),
    }
    return {path: rows for path, rows in found.items() if rows}


def stored_of(row: Mapping[str, Any]) -> str | bytes:
    """Return what an exported row has stored, as it was. Raises ValueError, KeyError, TypeError."""
    return str(row["stored"]) if "stored" in row else base64.b64decode(row["stored_base64"], validate=True)


def as_exported(row: Stored) -> Stored:
    """Return a row with ``stored`` as a text, or else, as ``stored_base64``, its bytes."""
    stored = bytes(row.pop("stored"))
    try:
        return {**row, "stored": stored.decode("utf-8")}
    except UnicodeDecodeError:
        return {**row, "stored_base64": base64.b64encode(stored).decode()}


# -- out


def _releases(connection: Connection, user_id: int) -> list[Stored]:
    """Return what a person has released; of a value that its entry does not hold any more, nothing."""
    found = []
    for one in releases_of(connection, user_id).rows:
        row = {"entry_id": one.entry_id, "endpoint_id": one.endpoint_id, "detector": one.detector}
        value = None if one.value_hash is None else _value_of(connection, user_id, one)
        if one.value_hash is None or value is not None:
            found.append({**row, "value": value, "created_at": one.created_at})
    return found


def _value_of(connection: Connection, user_id: int, one: Release) -> str | None:
    """Return the text whose hash a release names, found again in its entry."""
    key = find_key(connection, FINDING_VALUES)
    is_it = (_ENTRY.id == one.entry_id, _ENTRY.created_by_id == user_id)
    row = connection.execute(select(_ENTRY.data).where(*is_it)).first()
    if key is None or row is None:
        return None
    pairs = search_text(row.data, Policies(connection).words_of(user_id))
    kinds = ((kind_of(found.detector), value) for found, value in pairs)
    return next((value for kind, value in kinds if keyed_hash(key, kind, value) == one.value_hash), None)


def _revisions(connection: Connection, user_id: int) -> list[Stored]:
    columns = [column for column in entry_revisions.c if column.name != "data"]
    query = (
        select(*columns, cast(_STATE.data, LargeBinary).label("stored"))
        .join(data_entries, _STATE.entry_id == _ENTRY.id)
        .where(_ENTRY.created_by_id == user_id)
        .order_by(_STATE.entry_id, _STATE.number)
    )
    return [as_exported(dict(row._mapping)) for row in connection.execute(query)]


def _views(connection: Connection, user_id: int) -> list[Stored]:
    view = view_changes.c
    query = (
        select(view_changes)
        .join(data_entries, view.entry_id == _ENTRY.id)
        .where(_ENTRY.created_by_id == user_id)
        .order_by(view.entry_id, view.privacy_level)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


# -- in


def add_rows(
    connection: Connection,
    user_id: int,
    rows: Mapping[str, Sequence[Stored]],
    entry_ids: Mapping[int, int],
    kind_ids: Mapping[int, int],
    now: datetime,
    actor: Actor,
    *,
    is_new: bool,
) -> dict[int, int]:
    """Write what came with entries that were added: ids there -> ids here. ``is_new``: so is the account.

    Returns the numbers of the present states of entries that have earlier ones, by id here. Rows of entries
    that were not added now are passed over. Writes entry_revisions, data_entries,
    view_changes, finding_releases, pictures, audit_logs, and privacy_secrets where it has no key yet.
    """
    numbers = _add_revisions(connection, rows.get(REVISIONS_FILE, ()), entry_ids)
    _add_views(connection, rows.get(VIEWS_FILE, ()), entry_ids)
    for row in rows.get(RELEASES_FILE, ()):
        _add_release(connection, user_id, row, entry_ids, kind_ids, now, is_new=is_new)
    pictures = rows.get(PICTURES_FILE, ())
    pictures_transfer.add(connection, user_id, pictures, entry_ids, now, actor, is_new=is_new)
    return numbers


def _add_revisions(
    connection: Connection, rows: Iterable[Stored], entry_ids: Mapping[int, int]
) -> dict[int, int]:
    numbers: dict[int, int] = {}
    states: list[Stored] = []
    for row in rows:
        entry_id = entry_ids.get(row["entry_id"])
        if entry_id is None:
            continue
        kept = {name: row.get(name) for name in _KEPT}
        states.append({"entry_id": entry_id, "data": stored_of(row), **kept})
        numbers[entry_id] = max(numbers.get(entry_id, 1), int(row["number"]) + 1)
    _ADD_STATES.run_all(connection, states)
    counted = [{"of_entry": entry_id, "revision": number} for entry_id, number in numbers.items()]
    _COUNT_STATES.run_all(connection, counted)
    return numbers


_KEPT = ("number", "visibility", "slug", "is_active", "more", "written_at", "ended_at")
_ADD_STATES = PreparedStatement(insert(entry_revisions), "entry_id", "data", *_KEPT)
_COUNT_STATES = PreparedStatement(update(data_entries).where(_ENTRY.id == bindparam("of_entry")), "revision")


def _add_views(connection: Connection, rows: Iterable[Stored], entry_ids: Mapping[int, int]) -> None:
    found = [
        {**row, "entry_id": entry_ids[row["entry_id"]]}
        for row in rows
        if row["entry_id"] in entry_ids and row["privacy_level"] in ANSWERED
    ]
    if found:
        connection.execute(insert(view_changes), found)


def _add_release(
    connection: Connection,
    user_id: int,
    row: Stored,
    entry_ids: Mapping[int, int],
    kind_ids: Mapping[int, int],
    now: datetime,
    *,
    is_new: bool,
) -> None:
    detector, value = row.get("detector"), row.get("value")
    if detector is not None and detector not in names():
        return  # it was found there by what is not here
    entry_id, endpoint_id = entry_ids.get(row["entry_id"] or 0), kind_ids.get(row["endpoint_id"] or 0)
    is_known = (row["entry_id"] is None or entry_id is not None) and (
        row["endpoint_id"] is None or endpoint_id is not None
    )
    if not is_known or (row["entry_id"] is None and not is_new):
        return
    value_hash = None
    if value is not None:
        key = get_or_make_key(connection, FINDING_VALUES, now)
        value_hash = keyed_hash(key, str(detector), str(value))
    made = Release(new_id(connection, finding_releases), entry_id, endpoint_id, detector, value_hash)
    releases.add_release(connection, user_id, made, now)
