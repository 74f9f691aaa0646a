"""Preview of a draft. What would each audience be shown of unwritten content, and what is found in it?

By the filter, findings and releases of what is written: the same code, on a row that no table has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app import clock
from app.accounts.people import Person
from app.entries import access, read
from app.entries.draft import Draft, draft_of
from app.entries.endpoints import Endpoint, default_of
from app.entries.findings import hashed
from app.entries.preview import ASSISTANTS_LEVEL, Preview
from app.entries.privacy_secrets import FINDING_VALUES, find_key
from app.entries.publish_guard import findings_of_unwritten
from app.entries.row_types import StrangersRow
from app.entries.shown_times import is_within
from app.entries.spans import Spans
from app.entries.views import strangers_view
from app.entries.visibility import default_visibility, said_visibility, visibility_of_row
from app.errors import NotFound
from app.privacy.found import Found
from app.privacy.levels import MOST_OPEN, NAMES
from app.privacy.viewer import Viewer

NO_ENTRY = "There is no such entry."
_NOT_WRITTEN = 0  # the id of what has none; no entry has it


@dataclass(frozen=True)
class _Unwritten:
    """Content of a person's as if it were written: who would be shown it is decided by what it says."""

    endpoint: Endpoint
    draft: Draft
    visibility: str
    row: StrangersRow
    found: tuple[Found, ...]

    @property
    def is_public(self) -> bool:
        return (
            self.visibility == "public"
            and self.endpoint.is_open
            and is_within(self.draft.times, clock.now())
            and access.is_text_public(self.draft.stored.value)
        )


def preview_draft(
    connection: Connection,
    person: Person,
    kind: str,
    content: object,
    *,
    entry_id: int | None = None,
    ceiling: str = MOST_OPEN,
) -> dict[str, Any]:
    """Return what strangers at each level and an assistant would be answered, and the findings.

    ``entry_id``: of one's own, in whose place the content would be. Members: items (as `preview.previews`
    has them), findings, visibility, is_shown_now. Raises NotFound (kind, entry) and InvalidContent.
    """
    viewer = Viewer("person", person.id, person.username)
    endpoint, before = _place(connection, viewer, kind, entry_id)
    draft = draft_of(kind, content)
    draft.check(endpoint, clock.now(), None)
    spans = Spans(connection)
    pairs = draft.found_with(spans.policies.words_of(person.id), None)
    found = hashed(pairs, find_key(connection, FINDING_VALUES))
    kept = default_visibility(default_of(endpoint), endpoint.is_public)
    if before is not None:
        kept = visibility_of_row(before)
    row = _row(endpoint, person, draft, before)
    meant = _Unwritten(endpoint, draft, said_visibility(draft.content) or kept, row, found)
    return {
        "items": [_answered(spans, meant, "stranger", level, ceiling) for level in NAMES]
        + [_answered(spans, meant, "assistant", ASSISTANTS_LEVEL, ceiling)],
        "findings": findings_of_unwritten(endpoint, row, draft.shown, found, spans),
        "visibility": meant.visibility,
        "is_shown_now": meant.is_public,
    }


def _place(
    connection: Connection, viewer: Viewer, kind: str, entry_id: int | None
) -> tuple[Endpoint, Any | None]:
    if entry_id is None:
        return read.known_endpoint(connection, viewer, kind), None
    endpoint, row = read.known_entry(connection, viewer, kind, entry_id)
    if row is None or not viewer.owns(row.created_by_id):
        raise NotFound(NO_ENTRY)
    return endpoint, row


def _row(endpoint: Endpoint, person: Person, draft: Draft, before: Any | None) -> StrangersRow:
    now = clock.stored(clock.now())
    return StrangersRow(
        id=_NOT_WRITTEN if before is None else before.id,
        endpoint_id=endpoint.id,
        place=_NOT_WRITTEN,
        data=draft.text,
        created_at=now if before is None else before.created_at,
        updated_at=now,
        created_by_id=person.id,
        shown_from=draft.times.shown_from,
        content_hash=None,
        detectors_version=None,
        words_generation=None,
        found=None,
        changed_at=now,
    )


def _answered(spans: Spans, meant: _Unwritten, audience: str, level: str, ceiling: str) -> Preview:
    row = meant.row
    assert row.created_by_id is not None
    policy = spans.policies.policy_of(meant.endpoint, row.created_by_id)
    given = policy.level_for(level, ceiling, is_assistant=audience == "assistant")
    answered: Preview = {"as": audience, "level": level, "status": 404, "answer": None, "detail": NO_ENTRY}
    if given is None or not meant.is_public:
        return answered
    entry_filter = policy.filter_at(given, clock.now().date())
    tree = spans.noted_tree_of(row, meant.found, None, None)
    view = strangers_view(row, meant.draft.shown, entry_filter, tree)
    return answered | {"status": 200, "answer": view, "detail": None}
