"""Placement. Where does each row go on the other engine, and which of its values do not fit there?

The one decision, for the census and for the copy alike: a row goes in as it is; or with something that stands
for a value which is kept beside it; or, where it would break a rule (a key, a row that it names, a value that
may not be missing), it is kept whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from app.storage.typed_rows import TypedRow, type_of
from app.storage.types import Value
from app.upgrade.move.contents import Contents, Found, Shape
from app.upgrade.move.displaced import TABLE as KEPT_VALUES
from app.upgrade.move.fit import Engine, certainly_fits, fitted

NO_TABLE = "a table of the owner's, which only SQLite can have"
NO_COLUMN = "a column of the owner's, which only SQLite can have"
NO_PARENT = "a row that names one which is not there"
TAKEN = "a row whose key or name another row has"
ODD_TYPE = "a kept value of another type than is said of it"


_NOTHING: dict[str, Value] = {}
_NO_REASONS: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Placed:
    """What becomes of one row: ``row`` goes in (None: it is kept whole), ``kept`` are values of it by column.

    ``reasons`` says for each kept column why, or for a row that is kept whole.
    """

    found: TypedRow
    row: TypedRow | None
    kept: dict[str, Value] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


@dataclass
class Placing:
    """Places the rows of one database for another engine, table after table in the order of the shapes."""

    contents: Contents
    engine: Engine
    _tests: dict[str, list[Callable[[Value], bool]]] = field(default_factory=dict)
    _present: dict[str, set[Value]] = field(default_factory=dict)  # ids, of tables that others name

    @property
    def can_make(self) -> bool:
        """Whether the owner's tables and columns can be made there: they are written for SQLite."""
        return self.engine == "sqlite"

    def each(self, shape: Shape) -> Iterator[Placed]:
        """Return what becomes of every row of a table."""
        if not shape.is_ours:
            yield from self._of_owner(shape)
            return
        doubtful: list[tuple[Found, Placed]] = []
        for found in self.contents.each(shape):
            placed = self._fitted(shape, found)
            if placed.row is not None and (found.came_back or self._touches_a_key(shape, placed)):
                doubtful.append((found, placed))
            else:
                yield self._noted(shape, placed)
        if doubtful:
            yield from self._without_collisions(shape, doubtful)

    def _of_owner(self, shape: Shape) -> Iterator[Placed]:
        for found in self.contents.each(shape):
            if self.can_make:
                yield Placed(found.row, found.row)
            else:
                yield Placed(found.row, None, reasons={"": NO_TABLE})

    def _fitted(self, shape: Shape, found: Found) -> Placed:
        if self._certainly_fits(shape, found.row):
            return Placed(found.row, found.row, _NOTHING, _NO_REASONS)
        return self._looked_at(shape, found)

    def _certainly_fits(self, shape: Shape, row: TypedRow) -> bool:
        """Whether a row of columns of ours alone is stored as it is: so are nearly all."""
        tests = self._tests.get(shape.name)
        if tests is None:
            tests = [certainly_fits(column, self.engine) for column in shape.columns]
            self._tests[shape.name] = tests
        if len(shape.columns) > shape.count_of_ours and not self.can_make:
            return False
        fits = all(fits(value) for fits, value in zip(tests, row, strict=True))
        return fits and not self._broken(shape, row)

    def _looked_at(self, shape: Shape, found: Found) -> Placed:
        stored: list[Value] = []
        kept: dict[str, Value] = {}
        reasons: dict[str, str] = {}
        for place, (column, value) in enumerate(zip(shape.columns, found.row, strict=True)):
            if place >= shape.count_of_ours:
                if self.can_make:
                    stored.append(value)
                elif value is not None:
                    kept[column.name], reasons[column.name] = value, NO_COLUMN
                continue
            fit = fitted(value, column, self.engine)
            if fit.reason and column.is_fixed:
                return Placed(found.row, None, reasons={column.name: fit.reason})
            if fit.reason:
                kept[column.name], reasons[column.name] = value, fit.reason
            stored.append(fit.stored)
        if why := self._broken(shape, found.row):
            return Placed(found.row, None, reasons={"": why})
        return Placed(found.row, tuple(stored), kept, reasons)

    def _broken(self, shape: Shape, row: TypedRow) -> str:
        if self.engine == "sqlite":
            return ""  # which takes rows that name none: `daemon repair orphans` is for them
        for place, parent in shape.parents:
            if row[place] is not None and row[place] not in self._present.get(parent, ()):
                return NO_PARENT
        # The type is told by the column beside the bytes alone.
        is_odd = shape.name == KEPT_VALUES and row[5] != type_of(row[4])
        return ODD_TYPE if is_odd else ""

    def _touches_a_key(self, shape: Shape, placed: Placed) -> bool:
        unique = {shape.columns[place].name for places in (*shape.uniques, shape.key) for place in places}
        return not unique.isdisjoint(placed.kept)

    def _noted(self, shape: Shape, placed: Placed) -> Placed:
        if placed.row is not None and len(shape.key) == 1 and shape.name in self._named_tables:
            self._present.setdefault(shape.name, set()).add(placed.row[shape.key[0]])
        return placed

    @cached_property
    def _named_tables(self) -> set[str]:
        return {parent for shape in self.contents.shapes for _, parent in shape.parents}

    def _without_collisions(self, shape: Shape, doubtful: list[tuple[Found, Placed]]) -> Iterator[Placed]:
        """Return the doubtful rows, whole where another row has what must be unique."""
        uniques = [places for places in (*shape.uniques, shape.key) if places]
        taken: list[set[TypedRow]] = [set() for _ in uniques]
        odd = {(found.row, found.came_back) for found, _ in doubtful}
        for found in self.contents.each(shape):
            if (found.row, found.came_back) not in odd:
                _take(taken, uniques, self._fitted(shape, found).row)
        for found, placed in doubtful:
            assert placed.row is not None
            if _is_taken(taken, uniques, placed.row):
                yield Placed(found.row, None, reasons={"": TAKEN})
            else:
                _take(taken, uniques, placed.row)
                yield self._noted(shape, placed)


def _take(taken: list[set[TypedRow]], uniques: list[tuple[int, ...]], row: TypedRow | None) -> None:
    for places, rows in zip(uniques, taken, strict=True):
        part = None if row is None else _unique_part(row, places)
        if part is not None:
            rows.add(part)


def _is_taken(taken: list[set[TypedRow]], uniques: list[tuple[int, ...]], row: TypedRow) -> bool:
    return any(_unique_part(row, places) in rows for places, rows in zip(uniques, taken, strict=True))


def _unique_part(row: TypedRow, places: tuple[int, ...]) -> TypedRow | None:
    """What of a row must be unique; None where that is unset, which nothing else is equal to."""
    part = tuple(row[place] for place in places)
    return None if None in part else part
