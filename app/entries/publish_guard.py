"""Publish guard (findings for the owner). What was found in an entry, who is shown it, what can be done?

A write always succeeds, and what was sent is what is stored: the answer says what strangers are not shown.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Row

from app import clock
from app.entries.endpoints import Endpoint
from app.entries.entry import View
from app.entries.json_safe import Content, read_presentable
from app.entries.listed_fields import warnings_of
from app.entries.row_types import EntryRow, StrangersRow
from app.entries.shown_times import words_said
from app.entries.spans import Spans, noted_tree
from app.entries.views import view_of_content
from app.privacy.declared import form_of
from app.privacy.detected import NEVER_LIST, OLD, RULE, kind_of, mask_of
from app.privacy.found import Found, tokens_of
from app.privacy.levels import NAMES
from app.privacy.policy import Policy
from app.privacy.released import Release, Releases
from app.privacy.viewer import Viewer

SHOWN, HIDDEN, LEFT_OUT = "shown", "hidden", "left out"
_RELEASED = "Released: DELETE /api/v1/privacy/releases/{id} hides it again."
_HIDDEN = (
    "To show it to strangers, POST `release` to /api/v1/privacy/releases; to keep it hidden, do nothing."
)
_LISTED = "A word of the never-list: it is hidden until the word is taken off the list."


def owners_view(viewer: Viewer, endpoint: Endpoint, row: Row[Any], spans: Spans) -> View:
    """Return the whole view of an entry; for its owner with ``findings``: what was found in its texts.

    Each has: pointer, in_name (it is in the member's name), kind, start, end (code points), value_hash,
    levels (by name: shown, hidden, left out with the whole field), released (the id of the release, None),
    release (what to send to release it, None where it cannot be), hint. ``warnings`` are the members that no
    stranger sees.
    """
    return owners_view_to_be(viewer, endpoint, row, spans)()


def owners_view_to_be(viewer: Viewer, endpoint: Endpoint, row: Row[Any], spans: Spans) -> Callable[[], View]:
    """Read what that view is made of; return what makes it, without the database."""
    content, shown = read_presentable(row.data)
    found = spans.findings.found_in(row) if viewer.owns(row.created_by_id) else ()
    return view_of_known(viewer, endpoint, row, spans, content, shown, found)


def view_of_known(
    viewer: Viewer,
    endpoint: Endpoint,
    row: EntryRow,
    spans: Spans,
    content: Content,
    shown: Any,
    found: tuple[Found, ...],
) -> Callable[[], View]:
    """Return the same, where it is known what the row's text says, how it is shown, what is found in it."""
    told = _findings_view_to_be(endpoint, row, shown, found, spans)

    def make() -> View:
        view = view_of_content(row, content, shown)
        if viewer.owns(row.created_by_id):
            view["findings"] = told()
            view["warnings"] = [*_unheard_times(row, content.value), *warnings_of(endpoint, content.value)]
        return view

    return make


def _unheard_times(row: EntryRow, content: Any) -> list[dict[str, str]]:
    """What an entry from before 0.7.0 says of its times and is not kept to: it is shown as it was."""
    if row.shown_from is not None or row.shown_until is not None:
        return []
    return [
        {
            "pointer": f"/meta/{word}",
            "detail": "Not heard: it is from before 0.7.0. Write it again to be heard.",
        }
        for word in words_said(content)
    ]


def findings_view(endpoint: Endpoint, row: Row[Any], spans: Spans) -> list[dict[str, Any]]:
    """Return the findings of an entry as its owner reads them, in the order of the entry."""
    shown, found = read_presentable(row.data)[1], spans.findings.found_in(row)
    return _findings_view_to_be(endpoint, row, shown, found, spans)()


def findings_of_unwritten(
    endpoint: Endpoint, row: StrangersRow, shown: Any, found: tuple[Found, ...], spans: Spans
) -> list[dict[str, Any]]:
    """Return the same of content that is not written: its values can be released once it is."""
    told = _findings_view_to_be(endpoint, row, shown, found, spans)()
    return [each | {"release": None} for each in told]


def _findings_view_to_be(
    endpoint: Endpoint,
    row: EntryRow | StrangersRow,
    shown: Any,
    found: tuple[Found, ...],
    spans: Spans,
) -> Callable[[], list[dict[str, Any]]]:
    if row.created_by_id is None or not any(map(_is_told, found)):
        return list
    policy = spans.policies.policy_of(endpoint, row.created_by_id)
    return partial(_findings_view, row, shown, found, policy, spans.releases_of(row.created_by_id))


def _findings_view(
    row: EntryRow | StrangersRow,
    content: Any,
    everything: tuple[Found, ...],
    policy: Policy,
    releases: Releases,
) -> list[dict[str, Any]]:
    fates: dict[str, dict[Found, str]] = {}
    today = clock.now().date()
    for level in NAMES:
        shown: list[Found] = []
        masked: list[Found] = []
        tree = noted_tree(row, everything, releases, shown, masked)
        policy.filter_at(level, today).view(content, tree)
        fates[level] = dict.fromkeys(shown, SHOWN) | dict.fromkeys(masked, HIDDEN)
    return [
        _view(
            one,
            row.id,
            {level: fates[level].get(one, LEFT_OUT) for level in NAMES},
            releases.covering(one, row.id, row.endpoint_id),
        )
        for one in everything
        if _is_told(one)
    ]


def _view(found: Found, entry_id: int, levels: dict[str, str], release: Release | None) -> dict[str, Any]:
    kind = kind_of(found.detector)
    body = {"entry_id": entry_id, "detector": kind, "value_hash": found.value_hash}
    is_listed = kind == NEVER_LIST
    return {
        "pointer": found.pointer,
        "in_name": found.in_key,
        "kind": kind,
        "start": found.start,
        "end": found.end,
        "value_hash": found.value_hash,
        "levels": levels,
        "released": None if release is None else release.id,
        "release": None if is_listed or release is not None else body,
        "hint": _LISTED if is_listed else _HIDDEN if release is None else _RELEASED.format(id=release.id),
    }


def _is_told(found: Found) -> bool:
    """Whether it is a finding to the owner: no match of a rule's, and not what its field is declared for.

    A mail address in `contact.email` is where it belongs.
    """
    if found.detector.startswith(RULE):
        return False
    if found.in_key or found.detector.startswith((OLD, NEVER_LIST)):
        return True
    names = [token for token in tokens_of(found.pointer) if not token.isdigit()]
    return not names or mask_of(found.detector) not in form_of(names[-1]).contact
