"""Releases of findings. Which findings may be shown, because their owner said so?

A release names a value in an entry; or, for a kind of finding, every value in entries of a kind, or in all.
Nothing releases words of the never-list. What is released one by one (`detected`) is in no wide release.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from app.privacy.detected import CONTACT_KINDS, NEVER_LIST, is_released_one_by_one, kind_of
from app.privacy.found import Found


@dataclass(frozen=True)
class Release:
    """One row of finding_releases. None: of any entry, of any kind of entry, any contact data, any value."""

    id: int
    entry_id: int | None
    endpoint_id: int | None
    detector: str | None
    value_hash: str | None
    created_at: str | None = None

    def covers(self, found: Found, entry_id: int, endpoint_id: int) -> bool:
        """Whether a finding in an entry of a kind of entries is released by this."""
        kind = kind_of(found.detector)
        if kind == NEVER_LIST or self.detector not in (None, kind):
            return False
        if self.entry_id not in (None, entry_id) or self.endpoint_id not in (None, endpoint_id):
            return False
        if self.value_hash is not None:
            return found.value_hash == self.value_hash != ""
        if self.detector is None:
            return kind in CONTACT_KINDS
        return not is_released_one_by_one(kind)


_NONE: tuple[tuple[Release, ...], ...] = ((), ())


@dataclass(frozen=True)
class Releases:
    """What a person has released."""

    rows: tuple[Release, ...] = ()

    def covering(self, found: Found, entry_id: int, endpoint_id: int) -> Release | None:
        """Return the first release that covers a finding, None where there is none."""
        return next((one for one in self.rows if one.covers(found, entry_id, endpoint_id)), None)

    def touching(self, entry_id: int) -> tuple[tuple[Release, ...], ...]:
        """Return those that may say something of an entry: of no other one alone."""
        return (self._by_entry.get(None, ()), self._by_entry.get(entry_id, ())) if self.rows else _NONE

    @cached_property
    def _by_entry(self) -> dict[int | None, tuple[Release, ...]]:
        found: dict[int | None, list[Release]] = {}
        for one in self.rows:
            found.setdefault(one.entry_id, []).append(one)
        return {entry_id: tuple(several) for entry_id, several in found.items()}
