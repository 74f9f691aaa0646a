"""Writes since an upgrade. Which rows were added, changed or removed after it was done?

They are the difference of two private copies: *then*, the state when the upgrade was done, and *now*.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from app.storage.schema import folded
from app.storage.types import Key, RowsOfCopy, Value, Values
from app.upgrade.checks.allowed_changes import HISTORY, KEPT
from app.upgrade.records.kept_writes import What, is_moment


@dataclass(frozen=True)
class Change:
    """One row that was written since; ``table`` is its name now."""

    table: str
    key: Key
    what: What
    was: Values | None
    now: Values | None


class WrittenSince:
    """The two copies; ``derived`` tables are filled by the steps, ``began`` is when then was made again."""

    def __init__(self, then: RowsOfCopy, now: RowsOfCopy, derived: AbstractSet[str], began: str) -> None:
        self.then, self.now, self.derived, self.began = then, now, derived, began

    def changes(self, also: Callable[[str], Collection[Key]]) -> Iterator[Change]:
        """Yield every row that differs, and those of a table that ``also`` names although they do not."""
        for table in self.now.tables():
            if not self.counts(table):
                continue
            if self.then.name_of(table) is None:
                for key in self.now.hashes(table, ()):
                    yield Change(table, key, "added", None, self.now.row(table, key))
            else:
                yield from self._changes_in(table, also(table))
        for table in self.then.tables():
            if self.counts(table) and self.now.name_of(table) is None:
                for key in self.then.hashes(table, ()):
                    yield Change(table, key, "removed", self.then.row(table, key), None)

    def counts(self, table: str) -> bool:
        """Whether the rows of a table are the owner's, and not the upgrade's own."""
        return folded(table) not in {HISTORY, KEPT} | self.derived

    def _changes_in(self, table: str, also: Collection[Key]) -> Iterator[Change]:
        columns = [name for name in self.then.columns(table) if name in self.now.columns(table)]
        was, now = self.then.hashes(table, columns), self.now.hashes(table, columns)
        for key, digest in now.items():
            if key not in was:
                yield Change(table, key, "added", None, self.now.row(table, key))
            elif digest != was[key] or key in also:
                old, new = self.then.row(table, key), self.now.row(table, key)
                assert old is not None
                assert new is not None
                if key in also or self.differing(old, new):
                    yield Change(table, key, "changed", old, new)
        for key in was.keys() - now.keys():
            yield Change(table, key, "removed", self.then.row(table, key), None)

    def differing(self, was: Mapping[str, Value], now: Mapping[str, Value]) -> list[str]:
        """Return the columns that were written; a moment that the upgrade put in is another in every run."""
        return [
            name
            for name, value in now.items()
            if value != was.get(name) or type(value) is not type(was.get(name))
            if not self.is_of_the_run(was.get(name)) or not is_moment(value)
        ]

    def is_of_the_run(self, value: Value) -> bool:
        """Whether a value is a moment that the repeated upgrade put in."""
        return is_moment(value) and str(value) >= self.began
