"""Copying of rows. How do the contents of one database come into another, and are they the same there?

Everything is written within the transaction that the caller opened at the target, and read again from it: it
is committed only where both databases have the same contents, by count and hash, computed in one run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from app import clock
from app.errors import Failed
from app.installation import Place
from app.storage.schema import quoted
from app.storage.typed_rows import Digesting, RowsDigest, TypedRow, WritableRows
from app.storage.types import StorageError
from app.upgrade.move import displaced
from app.upgrade.move.contents import MADE, Contents, Shape, columns_of_place, comparable
from app.upgrade.move.displaced import Kept, Statement
from app.upgrade.move.fit import encoded
from app.upgrade.move.placement import Placed, Placing

OnTable = Callable[[str, int], object]
"""Is told how many rows of a table were copied until now."""

_EMPTY = RowsDigest(0, "0" * 32)
_TELL_EVERY = 20_000
_LAST_WITH_ROOM = 2**63 - 2**32  # what is above it is an id behind which none can be counted


@dataclass
class Copying:
    """One copying: from ``source`` into the open target, whose engine `placing` knows."""

    source: Contents
    target: WritableRows
    placing: Placing
    on_table: OnTable
    kept: list[Kept] = field(default_factory=list)
    digests: dict[str, RowsDigest] = field(default_factory=dict)
    highest_ids: dict[str, int] = field(default_factory=dict)
    not_made: set[str] = field(default_factory=set)
    whole_rows: int = 0

    def run(self, place: Place) -> dict[str, RowsDigest]:
        """Copy everything; return the digests of what was read. ``place`` is where the database will be."""
        self._add_columns()
        self._make("column", "table")
        if not self.placing.can_make:
            self._make("index", "view", "trigger")
        for shape in self.source.shapes:
            self._table(shape, place)
        if self.placing.can_make:  # only now: no trigger fires while rows are copied
            since = len(self.kept)
            self._make("index", "view", "trigger")
            self._keep_what_was_not_made(since)
        counters = self.source.rows.counters()
        for table in self.target.counting_tables():
            last_id = max(counters.get(table, 0), self.highest_ids.get(table, 0))
            if last_id:
                self.target.set_counter(table, last_id)
        return {**self.digests, MADE: self.source.digest_of_made()}

    # -- what the owner made

    def _make(self, *kinds: str) -> None:
        """Make what the owner made, where it can be made, and keep the statement of what cannot."""
        wanted = [one for one in self.source.made if one.kind in kinds]
        for one in sorted(wanted, key=_virtual_first):
            if not (self.placing.can_make and self._is_made(one)):
                self.kept.append(displaced.made(len(self.kept), one))

    def _is_made(self, one: Statement) -> bool:
        """Make it; False where it needs what only its owner's program has: a module, a collation."""
        try:
            self.target.make(one.sql)
        except StorageError as error:
            if error.is_of_the_place:
                raise
            self.not_made.add(one.name)
            return False
        return True

    def _keep_what_was_not_made(self, since: int) -> None:
        """Write down the statements that are kept since kept_values was written."""
        highest = self.highest_ids.get(displaced.TABLE, 0)
        rows = displaced.as_rows(self.kept[since:], highest, clock.stored(clock.now()))
        self.target.insert_all(displaced.TABLE, displaced.COLUMNS, rows)

    def _add_columns(self) -> None:
        for shape in self.source.shapes:
            for name, declaration in self._columns_added_to(shape).items():
                self._add_column(shape.name, name, declaration)

    def _columns_added_to(self, shape: Shape) -> dict[str, str]:
        return self.source.added_columns(shape.name) if shape.is_ours else {}

    def _add_column(self, table: str, name: str, declaration: str) -> None:
        if self.placing.can_make:
            self.target.make(f"ALTER TABLE {table} ADD COLUMN {quoted(name)} {declaration}")
        else:
            self.kept.append(displaced.added_column(table, name, declaration))

    # -- rows

    def _table(self, shape: Shape, place: Place) -> None:
        digesting = Digesting()
        columns = shape.names if self.placing.can_make else tuple(one.name for one in shape.ours)
        if shape.is_ours or self._is_there(shape):
            self.target.delete_all(shape.name)
            rows = self._rows(shape, digesting, place)
            self.target.insert_all(shape.name, columns, rows)
        else:
            for _ in self._rows(shape, digesting, place):
                raise AssertionError("a row of a table that is not made there")
        self.digests[shape.name] = digesting.result()

    def _rows(self, shape: Shape, digesting: Digesting, place: Place) -> Iterator[TypedRow]:
        highest = 0
        for number, placed in enumerate(self.placing.each(shape), 1):
            if not shape.is_ours and not self._is_there(shape):
                placed = Placed(placed.found, None)
            digesting.add(comparable(shape, placed.found))
            self._keep(shape, placed)
            if number % _TELL_EVERY == 0:
                self.on_table(shape.name, number)
            if shape.is_ours and isinstance(placed.found[0], int) and placed.found[0] <= _LAST_WITH_ROOM:
                highest = max(highest, placed.found[0])
            if placed.row is not None:
                yield _said_to_be_at(place, shape, placed.row)
        if shape.name == displaced.TABLE:  # the last table: all that is kept is known by now
            moment = clock.stored(clock.now())
            for row in displaced.as_rows(self.kept, highest, moment):
                highest += 1
                yield row if self.placing.engine == "sqlite" else (*row[:4], encoded(row[4]), *row[5:])
        if shape.is_ours:
            self.highest_ids[shape.name] = highest

    def _is_there(self, shape: Shape) -> bool:
        """Whether a table of the owner's was made at the target; else all its rows are kept whole."""
        return self.placing.can_make and shape.name not in self.not_made

    def _keep(self, shape: Shape, placed: Placed) -> None:
        if placed.row is None:
            self.whole_rows += 1
            self.kept += displaced.whole_row(shape.name, self.whole_rows, shape.names, placed.found)
        else:
            key, said_anew = shape.key_of(placed.found), columns_of_place(shape, placed.found)
            self.kept += [
                displaced.cell(shape.name, key, column, value)
                for column, value in placed.kept.items()
                if column not in said_anew
            ]


def refuse_if_different(before: dict[str, RowsDigest], after: dict[str, RowsDigest]) -> None:
    """Raise Failed where a table has not the same rows on both sides; the caller rolls back."""
    differing = [
        f"{name} ({before.get(name, _EMPTY).count:,} rows, {after.get(name, _EMPTY).count:,} at the target)"
        for name in sorted(before.keys() | after.keys())
        if before.get(name, _EMPTY) != after.get(name, _EMPTY)
    ]
    if differing:
        raise Failed(
            f"What was copied is not the same at the target: {', '.join(differing)}; nothing was moved.",
            hint="Please tell the project about it, with logs/server.log.",
            tables=differing,
        )


def _said_to_be_at(place: Place, shape: Shape, row: TypedRow) -> TypedRow:
    """The row of the installation says where the database is: at its new place."""
    if not columns_of_place(shape, row):
        return row
    said = dict(zip(shape.names, row, strict=False))
    if said.get("seen_path") is not None:
        said.update(seen_host=place.host, seen_path=place.path)
    return tuple(said.values())


def _virtual_first(one: Statement) -> tuple[int, int]:
    """Columns and virtual tables first: these bring tables of their own, which are then there already."""
    is_virtual = one.sql.upper().startswith("CREATE VIRTUAL")
    return (0 if one.kind == "column" else 1, 0 if is_virtual else 1)
