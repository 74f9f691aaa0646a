"""Shared entries. What does whoever has a share link see? Filtered views, kind after kind, nothing whole.

What is public or unlisted, of an active person and an open kind, at its time, and called by no other word in
its text: at the link's level, and never beyond the ceilings of the person and the installation.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from datetime import datetime

from sqlalchemy import Connection

from app import clock
from app.entries import access, strangers_rows
from app.entries.cursors import read_cursor
from app.entries.endpoints import Endpoint, endpoints_of
from app.entries.entry import Page, json_bytes
from app.entries.json_safe import read_presentable
from app.entries.order import START, Place
from app.entries.parts import Part, filled
from app.entries.policies import Policies
from app.entries.row_types import StrangersRow
from app.entries.share_links import OpenLink, find_open
from app.entries.spans import Spans
from app.entries.views import shared_view
from app.errors import NotFound, UsageError
from app.privacy.filter import EntryFilter
from app.privacy.viewer import Viewer


def no_such_link() -> NotFound:
    """Return the one error for every link that is over, revoked, used up, or never was."""
    return NotFound("There is no such link.", hint="Ask whoever gave it to you for another one.")


def open_link(connection: Connection, token: str, now: datetime) -> OpenLink:
    """Return the link of a text; raises NotFound."""
    found = find_open(connection, token, now)
    if found is None:
        raise no_such_link()
    return found


def page(connection: Connection, viewer: Viewer, link: OpenLink, part: Part, ceiling: str) -> Page:
    """Return a part of what a link shows whoever is no assistant, or is let in; raises UsageError."""
    shared = _Shared(connection, viewer, link, part, ceiling)
    with closing(shared.rows()) as rows:
        return filled(part, rows, shared.body_of)


class _Shared:
    """The entries of one link, kind after kind in the order of their ids, each kind in its own order."""

    def __init__(
        self, connection: Connection, viewer: Viewer, link: OpenLink, part: Part, ceiling: str
    ) -> None:
        self._connection = connection
        self._viewer = viewer
        self._link = link
        self._part = part
        self._ceiling = ceiling
        self._policies = Policies(connection)
        self._spans = Spans(connection, self._policies)
        self._filters: dict[int, tuple[Endpoint, EntryFilter]] = {}

    def rows(self) -> Generator[StrangersRow, None, None]:
        """Yield the rows from where the cursor stands; each is read when it is asked for."""
        found = endpoints_of(self._connection, self._link.endpoint_ids, self._link.entry_ids)
        begin, place = self._begin([each.id for each in found])
        for endpoint in found:
            entry_filter = self._filter_of(endpoint)
            if endpoint.id < begin or entry_filter is None:
                continue
            self._filters[endpoint.id] = endpoint, entry_filter
            yield from strangers_rows.shared_rows(
                self._connection,
                endpoint,
                self._link.user_id,
                None if endpoint.id in self._link.endpoint_ids else self._link.entry_ids,
                place if endpoint.id == begin else START,
                self._part.count + 1,
                entry_filter.level,
            )

    def body_of(self, row: StrangersRow) -> bytes | None:
        """Return what is shown of a row, None for one that its own text hides."""
        endpoint, entry_filter = self._filters[row.endpoint_id]
        content, shown = read_presentable(row.data)
        if not access.is_text_shared(content.value):
            return None
        tree = self._spans.noted_tree_of(row, self._spans.findings.found_in(row), None, None)
        return json_bytes({"kind": endpoint.name, **shared_view(row, shown, entry_filter, tree)})

    def _begin(self, endpoint_ids: list[int]) -> tuple[int, Place]:
        """In which kind the part begins, and after which place there. Raises UsageError."""
        if self._part.cursor is None:
            return 0, START
        refused: UsageError | None = None
        for endpoint_id in endpoint_ids:
            try:
                place = read_cursor(self._part.key, endpoint_id, self._part.cursor, self._part.order)
            except UsageError as error:
                refused = error
            else:
                return endpoint_id, place
        raise refused or UsageError("The cursor is not one of this link.")

    def _filter_of(self, endpoint: Endpoint) -> EntryFilter | None:
        if not endpoint.is_open:
            return None
        policy = self._policies.policy_of(endpoint, self._link.user_id)
        level = policy.level_for(self._link.level, self._ceiling, is_assistant=self._viewer.is_assistant)
        return None if level is None else policy.filter_at(level, clock.now().date())
