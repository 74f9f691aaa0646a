"""Displaced values (kept_values). How is kept what the other engine cannot hold, and found again?

Rows of `kept_values` whose key begins with "move:". `move:cell:[KEY]` is one value of the row with that key,
in whose place something stands; `move:row:N` is a value of a row that is kept whole; `move:column` says which
columns the owner added to a table, and `move:made:N:KIND` what else the owner made, in its order.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from app.storage.typed_rows import TypedRow, TypedRows, type_of
from app.storage.types import Value
from app.upgrade.move.fit import Engine, decoded

TABLE = "kept_values"
COLUMNS = ("id", "table_name", "row_key", "column_name", "value", "value_type", "kept_at")
PREFIX = "move:"
_CELL, _ROW, _COLUMN, _MADE = "move:cell:", "move:row:", "move:column", "move:made:"


@dataclass(frozen=True)
class Statement:
    """A statement that makes something which the owner had."""

    kind: str  # table | index | trigger | view
    name: str
    sql: str


@dataclass(frozen=True)
class Kept:
    """One row of kept_values: the place, and the value with its type."""

    table: str
    key: str
    column: str
    value: Value

    def row(self, number: int, moment: str) -> TypedRow:
        """The row, as it is written."""
        return (number, self.table, self.key, self.column, self.value, type_of(self.value), moment)


@dataclass
class Displaced:
    """What earlier moves kept in a database: all of it is put back by whoever reads that database's contents.

    ``used`` are the ids of the rows that are put back; the rest counts as ordinary kept values.
    """

    cells: dict[str, dict[str, dict[str, tuple[int, Value]]]] = field(default_factory=dict)
    rows: dict[str, dict[int, dict[str, Value]]] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    made: list[Statement] = field(default_factory=list)
    used: set[int] = field(default_factory=set)


def key_of(values: Sequence[Value]) -> str:
    """Return how the primary key of a row is written."""
    return json.dumps(list(values))


def cell(table: str, key: Sequence[Value], column: str, value: Value) -> Kept:
    """One value of a row that is there."""
    return Kept(table, _CELL + key_of(key), column, value)


def whole_row(table: str, number: int, columns: Sequence[str], row: TypedRow) -> list[Kept]:
    """A row that is kept whole, its NULLs too; ``number`` tells it from others of this table."""
    key = f"{_ROW}{number}"
    return [Kept(table, key, column, value) for column, value in zip(columns, row, strict=True)]


def added_column(table: str, column: str, declaration: str) -> Kept:
    """A column that the owner added to a table of ours."""
    return Kept(table, _COLUMN, column, declaration)


def made(number: int, statement: Statement) -> Kept:
    """Something else that the owner made, the how manieth."""
    return Kept(statement.name, f"{_MADE}{number:06}:{statement.kind}", "sql", statement.sql)


def find_displaced(rows: TypedRows, engine: Engine) -> Displaced:
    """Return what earlier moves kept in a database."""
    found = Displaced()
    statements: list[tuple[str, Statement, int]] = []
    for number, table, key, column, value in _of_moves(rows, engine):
        if key.startswith(_CELL):
            of_table = found.cells.setdefault(table, {})
            of_table.setdefault(key.removeprefix(_CELL), {})[column] = (number, value)
        elif key.startswith(_ROW) and key.removeprefix(_ROW).isdecimal():
            whole = found.rows.setdefault(table, defaultdict(dict))
            whole[int(key.removeprefix(_ROW))][column] = value
            found.used.add(number)
        elif key == _COLUMN and isinstance(value, str):
            found.columns.setdefault(table, {})[column] = value
            found.used.add(number)
        elif key.startswith(_MADE) and isinstance(value, str):
            statements.append((key, Statement(key.rpartition(":")[2], table, value), number))
    found.made = [statement for _, statement, _ in sorted(statements, key=lambda one: one[0])]
    found.used |= {number for *_, number in statements}
    return found


def _of_moves(rows: TypedRows, engine: Engine) -> Iterator[tuple[int, str, str, str, Value]]:
    for number, table, key, column, value, value_type, _ in rows.each(TABLE, COLUMNS):
        if isinstance(key, str) and key.startswith(PREFIX) and isinstance(number, int):
            known = decoded(value, value_type) if engine == "postgresql" else value
            yield number, str(table), key, str(column), known


def as_rows(kept: Iterable[Kept], after: int, moment: str) -> Iterator[TypedRow]:
    """Return the rows for what is kept, with ids behind ``after``."""
    for number, one in enumerate(kept, after + 1):
        yield one.row(number, moment)
