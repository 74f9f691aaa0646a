"""Publish guard (findings for the owner). What was found in an entry, who is shown it, what can be done?

A write always succeeds, and what was sent is what is stored: the answer says what strangers are not shown.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from app import clock
from app.entries.endpoints import Endpoint
from app.entries.entry import View
from app.entries.json_safe import presentable, read_content
from app.entries.listed_fields import warnings_of
from app.entries.spans import Spans
from app.entries.views import whole_view
from app.privacy.declared import form_of
from app.privacy.detected import NEVER_LIST, OLD, RULE, kind_of, mask_of
from app.privacy.found import Found, tokens_of
from app.privacy.levels import NAMES
from app.privacy.released import Release
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
    view = whole_view(row)
    if viewer.owns(row.created_by_id):
        view["findings"] = findings_view(endpoint, row, spans)
        view["warnings"] = warnings_of(endpoint, read_content(row.data).value)
    return view


def findings_view(endpoint: Endpoint, row: Row[Any], spans: Spans) -> list[dict[str, Any]]:
    """Return the findings of an entry as its owner reads them, in the order of the entry."""
    everything = spans.findings.found_in(row)
    found = tuple(one for one in everything if _is_told(one))
    if not found:
        return []
    content = presentable(read_content(row.data).value)
    policy = spans.policies.policy_of(endpoint, row.created_by_id)
    fates: dict[str, dict[Found, str]] = {}
    today = clock.now().date()
    for level in NAMES:
        shown: list[Found] = []
        masked: list[Found] = []
        policy.filter_at(level, today).view(content, spans.noted_tree_of(row, everything, shown, masked))
        fates[level] = dict.fromkeys(shown, SHOWN) | dict.fromkeys(masked, HIDDEN)
    releases = spans.releases_of(row.created_by_id)
    return [
        _view(
            one,
            row.id,
            {level: fates[level].get(one, LEFT_OUT) for level in NAMES},
            releases.covering(one, row.id, row.endpoint_id),
        )
        for one in found
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
