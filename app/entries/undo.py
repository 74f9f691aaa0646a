"""Undoing. How does an entry get an earlier state back, and how does a deleted one come back?

Both are changes as any other: the state before them is kept, and they are in the audit. Neither shows more of
an entry than it was shown before: of the visibility then and now the stricter one holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Text, cast, func, literal_column, or_, select

from app import clock
from app.accounts import audit
from app.entries import change_records, history, revisions, slugs, store, store_writing, view_changes, write
from app.entries.endpoints import NAME, Endpoint
from app.entries.entry import Origin, Written
from app.entries.json_safe import stored_text
from app.entries.publish_guard import owners_view_to_be
from app.entries.searched_texts import SearchedTexts, search_text
from app.entries.shown_times import ShownTimes
from app.entries.spans import Spans
from app.entries.visibility import WORDS
from app.entries.write import PutBack
from app.errors import Conflict
from app.privacy.viewer import Viewer
from app.tables import data_entries, endpoints

FROM_COMMAND_LINE = Origin()
CHARACTERS_SHOWN = 200


def restore(
    connection: Connection,
    viewer: Viewer,
    endpoint: Endpoint,
    entry_id: int,
    number: int,
    *,
    origin: Origin = FROM_COMMAND_LINE,
    texts: SearchedTexts | None = None,
) -> Written:
    """Give an entry the content that it had in an earlier state. It has to fit no schema of today's.

    Raises NotFound (entry, state), and Conflict where the entry is deleted, is in that state, or where what
    was stored is no JSON object.
    """
    row = history.kept_entry(connection, viewer, endpoint, entry_id)
    if row.is_active != 1:
        raise Conflict("The entry is deleted; nothing was changed.", hint="Undelete it first.")
    if number == row.number:
        raise Conflict(f"Revision {number} is the present one; nothing was changed.")
    wanted = history.state(connection, row, number)
    back = PutBack(wanted.data, _stricter(row, wanted.visibility), _narrower(row, wanted.times))
    return write.put_back(connection, viewer, origin, endpoint, row, back, texts)


def undelete(
    connection: Connection,
    viewer: Viewer,
    endpoint: Endpoint,
    entry_id: int,
    *,
    origin: Origin = FROM_COMMAND_LINE,
    texts: SearchedTexts | None = None,
) -> Written:
    """Bring a deleted entry back as it was, with its slug where no other entry has that by now.

    Raises NotFound, and Conflict where it is not deleted.
    """
    row = history.kept_entry(connection, viewer, endpoint, entry_id)
    if row.is_active == 1:
        raise Conflict("The entry is not deleted; nothing was changed.")
    now, spans = clock.now(), Spans(connection)
    text = stored_text(row.data)
    words = spans.policies.words_of(row.created_by_id)
    pairs = search_text(text, words) if texts is None else texts.found_in(text, words)
    slug = _free_slug(connection, row)
    store_writing.change_entry(connection, entry_id, now, is_active=1, slug=slug)
    change_records.audit_entry(connection, viewer, origin, audit.UNDELETE, entry_id, new_text=text)
    change_records.tell_owner(connection, viewer, origin, endpoint.name, row, audit.UNDELETE)
    spans.findings.keep(entry_id, row.created_by_id, row.data, now, pairs)
    after = store.find_entry(connection, viewer, endpoint, entry_id)
    assert after is not None, "an entry that was just undeleted is there"
    view_changes.record(connection, row, {}, view_changes.view_hashes(endpoint, after, spans), now)
    change_records.note_change(connection, endpoint, None, after)
    size = len(text) + 100 * len(pairs)
    return Written(entry_id, size, owners_view_to_be(viewer, endpoint, after, spans))


def deleted(
    connection: Connection, user_id: int, below: int | None, most: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return deleted entries of a person, by id from the highest on.

    Each has id, kind, beginning (of what is stored), size_bytes, created_at and, as updated_at, when it was
    deleted.
    """
    entry = data_entries.c
    text = cast(entry.data, Text)
    beginning = func.substr(text, literal_column("1"), literal_column(str(CHARACTERS_SHOWN))).label(
        "beginning"
    )
    kind, size = NAME.label("kind"), func.length(text).label("size_bytes")
    query = (
        select(entry.id, beginning, size, entry.created_at, entry.updated_at, kind)
        .join_from(data_entries, endpoints, endpoints.c.id == entry.endpoint_id)
        .where(entry.created_by_id == user_id, or_(entry.is_active.is_(None), entry.is_active != 1))
        .order_by(entry.id.desc())
        .limit(most)
    )
    if below is not None:
        query = query.where(entry.id < below)
    return connection.execute(query).all()


def _stricter(row: Row[Any], then: str | None) -> str:
    known = [word if word in WORDS else WORDS[0] for word in (row.visibility, then)]
    return min(known, key=WORDS.index)


def _narrower(row: Row[Any], then: ShownTimes) -> ShownTimes:
    """The times at which strangers may see the entry both as it is and as it was."""
    begins = [moment for moment in (row.shown_from, then.shown_from) if moment is not None]
    ends = [moment for moment in (row.shown_until, then.shown_until) if moment is not None]
    return ShownTimes(max(begins, default=None), min(ends, default=None))


def _free_slug(connection: Connection, row: Row[Any]) -> str | None:
    slug = revisions.slug_before(connection, row.id)
    if slug is None or row.created_by_id is None:
        return None
    return slug if slugs.is_free(connection, row.endpoint_id, row.created_by_id, slug) else None
