"""Contents of a database. What does it hold, on whichever engine, with what earlier moves displaced put back?

Two databases hold the same when their contents have the same digests: in the one a value may stand in its
column, in the other in `kept_values`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from app import installation
from app.storage.schema import Column as SchemaColumn
from app.storage.schema import Schema, Table, folded, quoted
from app.storage.typed_rows import Digesting, RowsDigest, TypedRow, TypedRows
from app.storage.types import StorageConnection, Value
from app.upgrade.move.displaced import TABLE as KEPT_VALUES
from app.upgrade.move.displaced import Displaced, Statement, find_displaced, key_of
from app.upgrade.move.fit import Column, Engine, decoded, still_stands
from app.upgrade.versions.expected_schema import our_tables, schema_at
from app.upgrade.versions.releases import NEWEST

MADE = "what its owner made"
_ROW_NUMBER = "rowid"
_OF_THE_PLACE = frozenset({"seen_host", "seen_path"})


@dataclass(frozen=True)
class Shape:
    """A table: its columns, those of its owner last; where its keys and what is unique stand among them."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[int, ...] = ()
    uniques: tuple[tuple[int, ...], ...] = ()
    parents: tuple[tuple[int, str], ...] = ()  # a column that names a row of another table
    is_ours: bool = True

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def ours(self) -> tuple[Column, ...]:
        """The columns that every database at this version has."""
        return self.columns[: self.count_of_ours]

    count_of_ours: int = 0

    def key_of(self, row: TypedRow) -> tuple[Value, ...]:
        """The primary key of a row."""
        return tuple(row[place] for place in self.key)


@dataclass(frozen=True, slots=True)
class Found:
    """A row as it was before any move; ``came_back`` where it was kept whole."""

    row: TypedRow
    came_back: bool = False


@dataclass
class Contents:
    """What an open database at the newest version holds."""

    engine: Engine
    rows: TypedRows
    schema: Schema
    displaced: Displaced = field(init=False)

    def __post_init__(self) -> None:
        self.displaced = find_displaced(self.rows, self.engine)

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """Its tables: ours so that a row comes after those which it names, the owner's, kept_values last."""
        ours = [self._shape(name) for name in our_tables() if name != KEPT_VALUES]
        return (*ours, *self._shapes_of_owner(), self._shape(KEPT_VALUES))

    @cached_property
    def made(self) -> tuple[Statement, ...]:
        """What its owner made, in order: all but columns that hold values; what is not here comes last."""
        here = [Statement(*one) for one in self.rows.owners_statements(_names_of_ours())]
        here += [
            Statement("column", f"{table}.{name}", f"ALTER TABLE {table} ADD COLUMN {quoted(name)} {sql}")
            for table in our_tables()
            for name, sql in self._generated_columns(table).items()
        ]
        return (*here, *(one for one in self.displaced.made if one not in here))

    def columns_here(self, table: str) -> dict[str, str]:
        """The columns that the owner added to a table of ours and that are here, with their declarations."""
        return {
            name: f"{column.type} COLLATE {column.collation}" if column.collation else column.type
            for name, column in self._owners_columns(table).items()
            if not column.hidden
        }

    def added_columns(self, table: str) -> dict[str, str]:
        """The same with those that are not here, and whose values are displaced."""
        return {**self.columns_here(table), **self.displaced.columns.get(table, {})}

    def _generated_columns(self, table: str) -> dict[str, str]:
        return {
            name: f"{column.type} GENERATED ALWAYS AS ({column.generated})"
            for name, column in self._owners_columns(table).items()
            if column.hidden
        }

    def _owners_columns(self, table: str) -> dict[str, SchemaColumn]:
        known = {folded(name) for name in schema_at(NEWEST).tables[table].columns}
        is_here = self.engine == "sqlite"  # on PostgreSQL nothing of the owner is moved: see the census
        here = [found for name, found in self.schema.tables.items() if is_here and folded(name) == table]
        columns = here[0].columns if here else {}
        return {name: column for name, column in columns.items() if folded(name) not in known}

    def foreign_objects(self) -> list[str]:
        """What is here that no statement could make on SQLite: on PostgreSQL, all that is not ours."""
        return self.rows.foreign_objects(_names_of_ours())

    def foreign_columns(self) -> list[str]:
        """The columns that someone added to tables of ours, where nothing of the owner is moved."""
        if self.engine == "sqlite":
            return []
        known = schema_at(NEWEST).tables
        return [
            f"the column {table}.{name}"
            for table in our_tables()
            for name in self.schema.tables[table].columns
            if name not in known[table].columns
        ]

    def each(self, shape: Shape) -> Iterator[Found]:
        """The rows of a table; of kept_values only those that are not put back into another table.

        To be asked for in the order of the shapes, for which kept values are put back by then.
        """
        yield from map(Found, self._rows_there(shape))
        yield from self._rows_kept(shape)

    def digests(self) -> dict[str, RowsDigest]:
        """Return count and hash of every table's rows, and of what the owner made."""
        found = {shape.name: self._digest(shape) for shape in self.shapes}
        return {**found, MADE: self.digest_of_made()}

    def digest_of_made(self) -> RowsDigest:
        """Return count and hash of what the owner made."""
        made = Digesting()
        for one in self.made:
            made.add((one.kind, one.name, one.sql))
        for table in our_tables():
            for name, declaration in self.added_columns(table).items():
                made.add(("column", table, name, declaration))
        return made.result()

    def _digest(self, shape: Shape) -> RowsDigest:
        digesting = Digesting()
        for found in self.each(shape):
            digesting.add(comparable(shape, found.row))
        return digesting.result()

    # -- rows that are there

    def _rows_there(self, shape: Shape) -> Iterator[TypedRow]:
        if not shape.is_ours and shape.name not in self.schema.tables:
            return  # not made here: all its rows are kept whole
        there = len(self.columns_here(shape.name)) if shape.is_ours else len(shape.columns)
        has = shape.columns[: shape.count_of_ours + there]
        cells = self.displaced.cells.get(shape.name, {})
        missing = (None,) * (len(shape.columns) - len(has))
        for stored in self.rows.each(shape.name, [column.name for column in has]):
            row = stored + missing
            if shape.name == KEPT_VALUES:
                if row[0] in self.displaced.used:
                    continue
                row = self._typed(row)
            if cells:  # those of kept_values itself have higher ids: it is passed over them later
                row = self._put_back(shape, row, cells.get(key_of_row(shape, row), {}))
            yield row

    def _put_back(self, shape: Shape, row: TypedRow, cells: dict[str, tuple[int, Value]]) -> TypedRow:
        if not cells:
            return row
        values = list(row)
        for place, column in enumerate(shape.columns):
            if column.name in cells:
                number, value = cells[column.name]
                is_owners = place >= shape.count_of_ours
                if is_owners or still_stands(row[place], value, column, self.engine):
                    values[place] = value
                    self.displaced.used.add(number)
        return tuple(values)

    def _typed(self, row: TypedRow) -> TypedRow:
        if self.engine == "sqlite":
            return row
        return (*row[:4], decoded(row[4], row[5]), *row[5:])

    # -- rows that are kept whole

    def _rows_kept(self, shape: Shape) -> Iterator[Found]:
        for _, kept in sorted(self.displaced.rows.get(shape.name, {}).items()):
            yield Found(tuple(kept.get(name) for name in shape.names), came_back=True)

    # -- shapes

    def _shape(self, name: str) -> Shape:
        table = schema_at(NEWEST).tables[name]
        parents = {key.columns[0]: key.parent for key in table.foreign_keys}
        columns = [
            Column(
                each,
                known.type,
                bool(known.pk) or each in parents or _is_fixed(known.type, known.notnull),
                has_type_beside=(name, each) == (KEPT_VALUES, "value"),
            )
            for each, known in table.columns.items()
        ]
        place = {column.name: number for number, column in enumerate(columns)}
        key = sorted((known.pk, place[each]) for each, known in table.columns.items() if known.pk)
        indexes = [
            one.columns for one in schema_at(NEWEST).indexes.values() if one.table == name and one.unique
        ]
        added = [Column(each, declared) for each, declared in self.added_columns(name).items()]
        return Shape(
            name,
            (*columns, *added),
            key=tuple(number for _, number in key),
            uniques=tuple(_places(terms, place) for terms in (*indexes, *table.uniques) if terms),
            parents=tuple((place[each], parent) for each, parent in parents.items()),
            count_of_ours=len(columns),
        )

    def _shapes_of_owner(self) -> Iterator[Shape]:
        """The owner's tables, in the order of their names, as they are here or as their rows are kept."""
        ours = {folded(name) for name in our_tables()}
        found = {
            name: _columns_of_owner(table)
            for name, table in self.schema.tables.items()
            if not table.module and self.engine == "sqlite"
        }
        for name, kept in self.displaced.rows.items():
            columns = tuple(Column(each, "") for each in next(iter(kept.values())))
            found.setdefault(name, columns)
        for name, columns in sorted(found.items()):
            if folded(name) not in ours:
                yield Shape(name, columns, is_ours=False)


def _columns_of_owner(table: Table) -> tuple[Column, ...]:
    """The columns that hold values; the row's own number too, where no column of the key has it."""
    has_number = table.without_rowid or any(known.pk for known in table.columns.values())
    is_hidden = has_number or any(folded(name) == _ROW_NUMBER for name in table.columns)
    number = () if is_hidden else (Column(_ROW_NUMBER, "INTEGER"),)
    stored = ((name, known.type) for name, known in table.columns.items() if not known.hidden)
    return (*number, *(Column(*one) for one in stored))


def contents_of(engine: Engine, rows: TypedRows, connection: StorageConnection) -> Contents:
    """Return what an open database holds. Raises StorageError."""
    return Contents(engine, rows, connection.schema())


def key_of_row(shape: Shape, row: TypedRow) -> str:
    """Return how the key of a row is written among displaced values; "" where it cannot be."""
    try:
        return key_of(shape.key_of(row))
    except TypeError:
        return ""


def comparable(shape: Shape, row: TypedRow) -> Iterable[Value]:
    """Return a row without what it says of where the database is: that is another thing at every place."""
    blank = columns_of_place(shape, row)
    if not blank:
        return row
    return [None if name in blank else value for name, value in zip(shape.names, row, strict=True)]


def columns_of_place(shape: Shape, row: TypedRow) -> frozenset[str]:
    """Return which columns of a row say where the database is: only one row has any."""
    is_it = shape.name == installation.TABLE and row[0] == installation.THE_ROW
    return _OF_THE_PLACE if is_it else frozenset()


def _places(terms: Sequence[str], place: Mapping[str, int]) -> tuple[int, ...]:
    """Where the columns of an index stand; a term may also say a collation, or an order."""
    return tuple(place[name] for name in (term.split()[0] for term in terms) if name in place)


def _is_fixed(declared: str, notnull: bool) -> bool:
    return notnull and Column("", declared).kind in ("number", "flag")


def _names_of_ours() -> Sequence[str]:
    schema = schema_at(NEWEST)
    return (*schema.tables, *schema.indexes)
