"""Findings and releases together (spans). What of an entry's texts is a filter told to hide?"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from app.entries.findings import Findings
from app.entries.policies import Policies
from app.entries.row_types import EntryRow, EntryTexts
from app.privacy.found import Found, FoundAt, tree_of
from app.privacy.released import Releases


class Spans:
    """What is found in entries, and what of it is released, in one snapshot; releases are read if needed."""

    def __init__(self, connection: Connection, policies: Policies | None = None) -> None:
        self.policies = policies or Policies(connection)
        self.findings = Findings(connection, self.policies)

    def tree_of(self, row: Row[Any]) -> FoundAt | None:
        """Return what is found in an entry, for a filter; None where that is nothing."""
        return self.noted_tree_of(row, self.findings.found_in(row), None, None)

    def noted_tree_of(
        self,
        row: EntryTexts,
        found: tuple[Found, ...],
        shown: list[Found] | None,
        masked: list[Found] | None,
    ) -> FoundAt | None:
        """Return these findings in an entry for a filter, which notes in the lists what it does with each."""
        return noted_tree(row, found, self.releases_of(row.created_by_id), shown, masked) if found else None

    def releases_of(self, owner_id: int | None) -> Releases:
        """Return what a person has released."""
        return self.policies.releases_of(owner_id)


def noted_tree(
    row: EntryRow | EntryTexts,
    found: tuple[Found, ...],
    releases: Releases,
    shown: list[Found] | None,
    masked: list[Found] | None,
) -> FoundAt | None:
    """Return what is found in an entry for a filter, which notes in the lists what it does with each."""
    is_released = {one: releases.covering(one, row.id, row.endpoint_id) is not None for one in found}
    return tree_of(found, is_released.__getitem__, shown=shown, masked=masked)
