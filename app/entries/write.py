"""Writing entries. How is one created, replaced, changed, deleted? With its audit row, in one transaction.

What is kept is what was sent, as JSON: nothing is filled in, no text is altered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from app import clock
from app.accounts import audit
from app.entries import (
    access,
    forms,
    read,
    slugs,
    storage_use,
    store,
    store_writing,
    unclaimed,
    view_changes,
    webhook_events,
)
from app.entries.change_records import audit_entry, note_change, tell_owner
from app.entries.draft import Draft, draft_of, object_of, refuse_words
from app.entries.endpoints import Endpoint, default_of
from app.entries.entry import Origin, View, Written, check_json
from app.entries.json_safe import read_content, stored_text
from app.entries.listed_fields import note_later_fields
from app.entries.publish_guard import owners_view, owners_view_to_be, view_of_known
from app.entries.searched_texts import SearchedTexts, search_text
from app.entries.shown_times import ShownTimes, says_another, shown_times
from app.entries.spans import Spans
from app.entries.view_changes import view_hashes
from app.entries.views import whole_view
from app.entries.visibility import default_visibility, said_visibility, said_words, visibility_of_row
from app.errors import Conflict, NotAllowed, NotAuthenticated, NotFound
from app.other_words import other_words, words_not_heard
from app.privacy.viewer import STRANGER, Viewer

FROM_COMMAND_LINE = Origin()
Condition = Callable[[tuple[View, ...]], None]
"""Is given an entry as its owner and as admins see it, before it is changed; raises where it must stay so."""


class PutBack(NamedTuple):
    """What an entry gets back: content as it was stored; and who may see it, when."""

    stored: object
    visibility: str
    times: ShownTimes


def create(
    connection: Connection,
    viewer: Viewer,
    kind: str,
    content: object,
    *,
    origin: Origin = FROM_COMMAND_LINE,
    texts: SearchedTexts | None = None,
    slug: str | None = None,
) -> Written:
    """Keep ``content``, or a `Draft` of it, as a new entry of the viewer (of no one, and private, through the
    local door).

    Raises NotFound (kind), NotAuthenticated (stranger), InvalidContent, and Conflict where the local door
    takes no more, or another entry has the ``slug``. Writes data_entries, text_findings, audit_logs and,
    through the local door, unclaimed_entries.
    """
    _refuse_strangers(viewer)
    endpoint, now = endpoint_in_use(connection, viewer, kind), clock.now()
    draft = content if isinstance(content, Draft) else draft_of(kind, content)
    draft.check(endpoint, now, texts)
    kind_default = default_of(endpoint)
    visibility = said_visibility(draft.content) or default_visibility(kind_default, endpoint.is_public)
    is_unclaimed = viewer.kind == "local"
    kept_as = "private" if is_unclaimed else visibility
    if slug:
        slugs.check(connection, endpoint, viewer.user_id, slug)
    storage_use.take(connection, viewer.user_id, 1, len(draft.text))
    new = store_writing.add_entry(
        connection, endpoint.id, viewer.user_id, draft.text, kept_as, now, slug or None, draft.times
    )
    note_later_fields(connection, endpoint, viewer.user_id, new.id, draft.content, now)
    spans = Spans(connection)
    pairs = draft.found_with(spans.policies.words_of(viewer.user_id), texts)
    found = spans.findings.keep(new.id, viewer.user_id, draft.text, now, pairs, is_new=True)
    if is_unclaimed:
        unclaimed.take(connection, new.id, len(draft.text), now)
    webhook_events.note(
        connection,
        viewer.user_id,
        webhook_events.CREATED,
        endpoint.name,
        new.id,
        lambda: kept_as == "public" and endpoint.is_open and draft.times.are_now(now),
    )
    action = audit.CREATE_UNCLAIMED if is_unclaimed else audit.CREATE
    audit_entry(connection, viewer, origin, action, new.id, new_text=draft.text)
    item = view_of_known(viewer, endpoint, new, spans, draft.stored, draft.shown, found)
    return Written(new.id, _size(draft.text, found), item)


def replace(
    connection: Connection,
    viewer: Viewer,
    kind: str,
    entry_id: int,
    content: object,
    *,
    origin: Origin = FROM_COMMAND_LINE,
    condition: Condition | None = None,
    texts: SearchedTexts | None = None,
    slug: str | None = None,
) -> Written:
    """Put ``content`` in the place of an entry's. Without a visibility word the entry's visibility stays.

    So does its slug; "" takes it away. Raises NotFound, NotAuthenticated, NotAllowed (visible, and someone
    else's), InvalidContent, Conflict (the slug is another's), and what ``condition`` raises.
    """
    endpoint, row = _to_be_changed(connection, viewer, kind, entry_id, condition)
    checked = _checked(endpoint, content, texts)
    note_later_fields(connection, endpoint, row.created_by_id, entry_id, checked, clock.now())
    times = shown_times(checked)
    return _change(
        connection, viewer, origin, endpoint, row, checked, said_visibility(checked), times, texts, slug
    )


def merge(
    connection: Connection,
    viewer: Viewer,
    kind: str,
    entry_id: int,
    patch: object,
    *,
    origin: Origin = FROM_COMMAND_LINE,
    condition: Condition | None = None,
    texts: SearchedTexts | None = None,
    slug: str | None = None,
) -> Written:
    """Change an entry by a JSON merge patch (RFC 7396); its visibility changes only if the patch says one.

    Raises as `replace`, and Conflict for an entry whose stored content cannot be read. What was stored before
    and did not fit its kind already does not have to fit it now.
    """
    endpoint, row = _to_be_changed(connection, viewer, kind, entry_id, condition)
    check_json(patch)
    stored = _readable(row)
    fitted = not isinstance(stored, dict) or forms.fits(endpoint, stored)
    checked = object_of(merge_patch(stored, patch))
    words = said_words(patch).values() if isinstance(patch, dict) else ()
    said = said_visibility(checked) if any(word is not None for word in words) else None
    publishes = said == "public" and visibility_of_row(row) != "public"
    _refuse_other_words(endpoint, checked, before=None if publishes else stored)
    if fitted:
        forms.check(endpoint, checked, texts)
    times = shown_times(checked) if says_another(stored, checked) else None
    return _change(connection, viewer, origin, endpoint, row, checked, said, times, texts, slug)


def delete(
    connection: Connection,
    viewer: Viewer,
    kind: str,
    entry_id: int,
    *,
    origin: Origin = FROM_COMMAND_LINE,
    condition: Condition | None = None,
) -> None:
    """Mark an entry as deleted: afterwards it is not found by anyone. Raises as `replace`."""
    endpoint, row = _to_be_changed(connection, viewer, kind, entry_id, condition)
    store_writing.change_entry(connection, entry_id, clock.now(), is_active=0, slug=None)
    view_changes.forget(connection, entry_id)
    if viewer.kind != "local":
        unclaimed.settle(connection, entry_id)
    audit_entry(connection, viewer, origin, audit.DELETE, entry_id, old_text=stored_text(row.data))
    tell_owner(connection, viewer, origin, kind, row, audit.DELETE)
    webhook_events.note(connection, row.created_by_id, webhook_events.DELETED, endpoint.name, entry_id)


def put_back(
    connection: Connection,
    viewer: Viewer,
    origin: Origin,
    endpoint: Endpoint,
    row: Row[Any],
    back: PutBack,
    texts: SearchedTexts | None,
) -> Written:
    """Put content that an entry had before in the place of its content; raises Conflict where it is none."""
    content = _readable_value(back.stored)
    if not isinstance(content, dict):
        raise Conflict("What was stored then is no JSON object; nothing was changed.")
    said, times = back.visibility, back.times
    return _change(
        connection, viewer, origin, endpoint, row, content, said, times, texts, None, action=audit.RESTORE
    )


def endpoint_in_use(connection: Connection, viewer: Viewer, kind: str) -> Endpoint:
    """Return the kind that a name means to the viewer; raises NotFound for none, and for one not in use."""
    endpoint = read.known_endpoint(connection, viewer, kind)
    if not endpoint.is_active:
        raise NotFound(f"The kind {kind!r} is not in use.", hint="An admin can switch it on again.")
    return endpoint


def merge_patch(target: object, patch: object) -> Any:
    """Return ``target`` changed by ``patch`` as RFC 7396 says; neither is changed."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


# -- inside


def _refuse_strangers(viewer: Viewer) -> None:
    if viewer.is_stranger:
        raise NotAuthenticated(
            "Writing needs an account.",
            hint="POST /auth/login, then send the token as Authorization: Bearer.",
        )


def _to_be_changed(
    connection: Connection, viewer: Viewer, kind: str, entry_id: int, condition: Condition | None
) -> tuple[Endpoint, Row[Any]]:
    _refuse_strangers(viewer)
    endpoint, row = read.known_entry(connection, viewer, kind, entry_id)
    if row is None:
        raise read.no_such_entry()
    if row.sees_whole == 1:
        if condition is not None:
            condition((owners_view(_owner_of(row), endpoint, row, Spans(connection)), whole_view(row)))
        return endpoint, row
    if access.is_shown_to_strangers(row, read_content(row.data).value):
        raise NotAllowed("The entry is someone else's.", hint="Only its owner and admins may change it.")
    raise read.no_such_entry()


def _owner_of(row: Row[Any]) -> Viewer:
    return STRANGER if row.created_by_id is None else Viewer("person", row.created_by_id)


def _checked(endpoint: Endpoint, content: object, texts: SearchedTexts | None) -> dict[str, Any]:
    check_json(content)
    checked = object_of(content)
    _refuse_other_words(endpoint, checked)
    forms.check(endpoint, checked, texts)
    return checked


def _refuse_other_words(endpoint: Endpoint, content: object, before: object = None) -> None:
    """Raise InvalidContent for words about who may see an entry that would not be heard.

    Those that were there ``before``, as they are, are left alone.
    """
    now = clock.now()
    known = other_words(before, endpoint.schema_text, now)
    found = [word for word in words_not_heard(content, endpoint.schema_text, now) if word not in known]
    refuse_words(found)


def _readable(row: Row[Any]) -> object:
    """The stored value, NaN and lone surrogates as they are: merging keeps what it does not touch."""
    return _readable_value(row.data)


def _readable_value(stored: object) -> object:
    try:
        value: object = json.loads(stored_text(stored))
    except (ValueError, RecursionError):
        raise Conflict(
            "The stored content cannot be read as JSON and not be merged with.", hint="Replace it with PUT."
        ) from None
    return value


def _change(
    connection: Connection,
    viewer: Viewer,
    origin: Origin,
    endpoint: Endpoint,
    row: Row[Any],
    content: dict[str, Any],
    said: str | None,
    times: ShownTimes | None,
    texts: SearchedTexts | None,
    slug: str | None,
    *,
    action: str = audit.UPDATE,
) -> Written:
    if slug:
        slugs.check(connection, endpoint, row.created_by_id, slug, row.id)
    now, text, old_text = clock.now(), json.dumps(content), stored_text(row.data)
    spans = Spans(connection)
    words = spans.policies.words_of(row.created_by_id)
    pairs = search_text(text, words) if texts is None else texts.found_in(text, words)
    if viewer.kind == "local":  # whatever it was before: no one knows who has changed it
        unclaimed.take(connection, row.id, len(text) + len(old_text), now)
        said = "private"
    elif said:
        unclaimed.settle(connection, row.id)
    if viewer.owns(row.created_by_id):
        storage_use.take(connection, viewer.user_id, 0, len(text) - len(old_text))
    else:
        storage_use.forget(connection, row.created_by_id)
    values = {"data": text, "visibility": said or visibility_of_row(row)}
    named = {} if slug is None else {"slug": slug or None}
    timed = {} if times is None else times._asdict()  # as it was, where this write says nothing of it
    store_writing.change_entry(connection, row.id, now, **values, **named, **timed)
    audit_entry(connection, viewer, origin, action, row.id, old_text=old_text, new_text=text)
    tell_owner(connection, viewer, origin, endpoint.name, row, action)
    was = view_hashes(endpoint, row, spans)
    spans.findings.keep(row.id, row.created_by_id, text, now, pairs)
    after = _row_of(connection, viewer, endpoint, row.id)
    view_changes.record(connection, row, was, view_hashes(endpoint, after, spans), now)
    note_change(connection, endpoint, row, after)
    return Written(row.id, _size(text, pairs), owners_view_to_be(viewer, endpoint, after, spans))


def _row_of(connection: Connection, viewer: Viewer, endpoint: Endpoint, entry_id: int) -> Row[Any]:
    row = store.find_entry(connection, viewer, endpoint, entry_id)
    assert row is not None, "an entry that was just written is there"
    return row


def _size(text: str, found: Sequence[object]) -> int:
    return len(text) + 100 * len(found)
