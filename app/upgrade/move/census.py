"""Census. Which values are in which columns, by type, and what of them does not fit the other engine?

Taken before anything is moved: what does not fit is told beforehand, not on the way. Reads only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.storage.typed_rows import type_of
from app.upgrade.move.contents import Contents, Shape
from app.upgrade.move.fit import Engine
from app.upgrade.move.placement import Placed, Placing

MOST_EXAMPLES = 5


@dataclass
class Misfit:
    """Values that do not fit, of one column and for one reason; "" for rows that are kept whole.

    ``examples`` are the keys of the first few rows.
    """

    table: str
    column: str
    reason: str
    is_whole_row: bool
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        """Say it in one line."""
        where = ", ".join(self.examples) + (", ..." if self.count > len(self.examples) else "")
        place = f"{self.table}.{self.column}" if self.column else self.table
        rows = "1 row" if self.count == 1 else f"{self.count:,} rows"
        if self.is_whole_row:
            return f"{place}: {self.reason}: {rows} kept whole in kept_values and not served ({where})"
        return f"{place}: {self.reason}: {rows}, the value kept in kept_values ({where})"


@dataclass
class TableCensus:
    """One table: its rows, the types of the values in each column, and what of them does not fit."""

    table: str
    rows: int = 0
    types: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    misfits: dict[tuple[str, str], Misfit] = field(default_factory=dict)

    def count(self, shape: Shape, placed: Placed) -> None:
        """Count a row."""
        self.rows += 1
        for column, value in zip(shape.names, placed.found, strict=True):
            self.types[column][type_of(value)] += 1
        for column, reason in placed.reasons.items():
            misfit = self.misfits.setdefault(
                (column, reason), Misfit(self.table, column, reason, placed.row is None)
            )
            misfit.count += 1
            if len(misfit.examples) < MOST_EXAMPLES:
                misfit.examples.append(_row_in_words(shape, placed))


@dataclass(frozen=True)
class Census:
    """All tables, and what the owner made that is kept as its statement."""

    tables: tuple[TableCensus, ...]
    made: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(table.rows for table in self.tables)

    @property
    def misfits(self) -> list[Misfit]:
        """All that does not fit."""
        return [misfit for table in self.tables for misfit in table.misfits.values()]

    def sentences(self) -> Iterator[str]:
        """Say in a line each what does not fit, and what comes of it."""
        for misfit in self.misfits:
            yield misfit.sentence()
        for one in self.made:
            yield f"{one}: kept as its statement, and made again on the way back to SQLite"


def take_census(contents: Contents, engine: Engine) -> Census:
    """Count what a database holds, and what of it does not fit that engine. Raises StorageError."""
    placing = Placing(contents, engine)
    tables = []
    for shape in contents.shapes:
        of_table = TableCensus(shape.name)
        for placed in placing.each(shape):
            of_table.count(shape, placed)
        tables.append(of_table)
    made = () if placing.can_make else tuple(f"the {one.kind} {one.name}" for one in contents.made)
    return Census(tuple(tables), made)


def as_json(census: Census) -> dict[str, object]:
    """Return the census for programs."""
    return {
        "rows": census.rows,
        "tables": [
            {
                "table": table.table,
                "rows": table.rows,
                "types": {column: dict(sorted(types.items())) for column, types in table.types.items()},
                "misfits": [
                    {
                        "column": misfit.column or None,
                        "reason": misfit.reason,
                        "rows": misfit.count,
                        "kept": "row" if misfit.is_whole_row else "value",
                        "examples": misfit.examples,
                    }
                    for misfit in table.misfits.values()
                ],
            }
            for table in census.tables
        ],
        "kept_as_statements": list(census.made),
    }


def _row_in_words(shape: Shape, placed: Placed) -> str:
    key = shape.key_of(placed.found)
    return " ".join(ascii(value) for value in key) if key else "a row"
