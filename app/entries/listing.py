"""Listing (incremental invalidation). Would a page of a list be the same after these rows were written?

Asked where it is known that nothing else was written (`known_commits`): no setting, rule, release, kind or
account. Where it is not sure, it is said to be another one, and the page is compared with what is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.entries.row_types import Listed
from app.snapshot_memory import RowChange

_ID, _PLACE = (Listed._fields.index(name) for name in ("id", "place"))


@dataclass(frozen=True, slots=True)
class Listing:
    """Which entries of a kind and person strangers were listed, those that their own text hides too.

    ``open_behind``: an entry that comes in behind this place changes nothing, since there is more already.
    """

    endpoint_id: int
    person_id: int
    ids: tuple[int, ...]
    open_behind: int | None

    @classmethod
    def of(
        cls, endpoint_id: int, person_id: int, rows: Sequence[tuple[Any, ...]], *, is_open: bool
    ) -> Listing:
        """Make one of all rows that were read, which begin as a `Listed` does."""
        place = rows[-1][_PLACE] if is_open and rows else None
        return cls(endpoint_id, person_id, tuple([row[_ID] for row in rows]), place)

    def is_same_after(self, changes: Iterable[RowChange]) -> bool:
        """Whether the page would be made as it was, with the same times in which it holds."""
        return all(map(self._is_left_by, changes))

    def _is_left_by(self, change: RowChange) -> bool:
        values = change.values
        entry_id = next((values[name] for name in ("of_entry", "entry_id", "id") if name in values), None)
        if entry_id is None or entry_id in self.ids:
            return False
        if change.table != "data_entries":  # what was found in another entry, and when that changed
            return True
        if values.get("shown_from") is not None or values.get("shown_until") is not None:
            return False  # a time more at which something comes or goes
        return self._stays_out(values) if "of_entry" in values else self._is_behind(values)

    def _is_behind(self, values: Mapping[str, Any]) -> bool:
        """Whether a new entry stands in another list, or behind what was listed."""
        if values["endpoint_id"] != self.endpoint_id or values["created_by_id"] != self.person_id:
            return True
        position: int = values["position"]
        return self.open_behind is not None and position > self.open_behind

    @staticmethod
    def _stays_out(values: Mapping[str, Any]) -> bool:
        """Whether an entry that was not listed is no stranger's after its change either."""
        is_gone: bool = values.get("is_active", 1) == 0
        return is_gone or bool(values.get("visibility", "public") != "public")
