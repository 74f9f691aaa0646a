"""What schema does an SQLite database have? The pragmas tell most of it, the CREATE text the rest."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from app.full_text import OWN_NAME
from app.storage.schema import Column, ForeignKey, Index, Schema, Table, folded
from app.storage.sqlite.ddl import TableText, normal, normal_default, read_create_index, read_create_table
from app.storage.sqlite.driver import open_database
from app.storage.sqlite.rows import Row, rows, value
from app.storage.sqlite.schema_table import SchemaObject, schema_objects

_SAME_ACTION = "NO ACTION"
_EXPRESSION = -2  # the column number of a term that is no column
_ODD_CELLS = (
    "SELECT 1 FROM main.sqlite_master WHERE typeof(type) <> 'text' OR typeof(name) <> 'text'"
    " OR typeof(tbl_name) <> 'text' OR typeof(sql) NOT IN ('text', 'null') OR typeof(rootpage) <> 'integer'"
    f" OR (rootpage > 0) <> (type IN ('table', 'index') AND name <> '{OWN_NAME}') LIMIT 1"
)
_MOST_REMEMBERED = 16  # one upgrade asks a few times for each of its states

_read_before: dict[tuple[SchemaObject, ...], Schema] = {}
_ONE_AT_A_TIME = threading.Lock()


def schema_of(connection: sqlite3.Connection) -> Schema:
    """The schema of the main database, without SQLite's own tables. Reads only; raises sqlite3.Error."""
    objects = tuple(schema_objects(connection))
    # What the pragmas tell follows from the statements, unless a module, a cell of another type than SQLite
    # writes (it reads such a row otherwise), or what is left unread, has a say.
    is_plain = not (
        any(one.is_virtual for one in objects)
        or value(connection, "PRAGMA writable_schema")
        or rows(connection, _ODD_CELLS)
    )
    found = _read_before.get(objects) if is_plain else None
    if found is None:
        found = _read_schema(connection, objects)
        if is_plain:
            _remember(objects, found)
    return found


def _remember(objects: tuple[SchemaObject, ...], found: Schema) -> None:
    with _ONE_AT_A_TIME:
        while len(_read_before) >= _MOST_REMEMBERED:
            del _read_before[next(iter(_read_before))]
        _read_before[objects] = found


def _read_schema(connection: sqlite3.Connection, objects: tuple[SchemaObject, ...]) -> Schema:
    master = [(one.type, one.name, one.table, one.sql) for one in objects if not one.is_sqlites_own]
    sqls = {name: sql for kind, name, _, sql in master if kind == "table"}
    parts = _Parts.read(connection)
    tables = {name: _table(connection, name, sql, parts) for name, sql in sqls.items()}
    names = _known_names(tables)
    return Schema(
        tables=tables,
        indexes={
            name: _index(name, table, sql, parts) for kind, name, table, sql in master if kind == "index"
        },
        triggers={name: normal(sql, names) for kind, name, _, sql in master if kind == "trigger"},
        views={name: normal(sql, names) for kind, name, _, sql in master if kind == "view"},
    )


def schema_from_sql(text: str) -> Schema:
    """The schema that these CREATE statements make. Raises sqlite3.Error where they are not valid."""
    with closing(open_database(":memory:")) as connection:
        connection.executescript(text)
        return schema_of(connection)


# -- what the pragmas tell, asked once for all tables -------------------------------------------------------


@dataclass(frozen=True)
class _Parts:
    columns: dict[str, list[Row]]
    foreign_keys: dict[str, list[Row]]
    indexes: dict[str, list[Row]]  # of a table: index name, unique, origin, partial
    terms: dict[str, list[Row]]  # of an index: column number, column name, descending, collation

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> _Parts:
        # A virtual table whose module is not there makes the pragmas fail: those are asked one by one.
        real = "FROM main.sqlite_master m, {} WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%'"
        columns = "SELECT m.name, x.* " + real.format("pragma_table_xinfo(m.name, 'main') x")
        keys = "SELECT m.name, x.* " + real.format("pragma_foreign_key_list(m.name, 'main') x")
        indexes = 'SELECT m.name, x.name, x."unique", x.origin, x.partial ' + real.format(
            "pragma_index_list(m.name, 'main') x"
        )
        terms = 'SELECT l.name, x.cid, x.name, x."desc", x.coll ' + real.format(
            "pragma_index_list(m.name, 'main') l, pragma_index_xinfo(l.name, 'main') x"
        )
        return cls(
            columns=_grouped(rows(connection, columns)),
            foreign_keys=_grouped(rows(connection, keys)),
            indexes=_grouped(rows(connection, indexes)),
            terms=_grouped(row for row in rows(connection, terms + " AND x.key = 1")),
        )


def _grouped(found: Collection[Row] | Iterator[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for name, *rest in found:
        groups.setdefault(name, []).append(tuple(rest))
    return groups


# -- tables -------------------------------------------------------------------------------------------------


def _table(connection: sqlite3.Connection, name: str, sql: str, parts: _Parts) -> Table:
    if sql.upper().startswith("CREATE VIRTUAL"):
        return Table(columns=_virtual_columns(connection, name), module=normal(sql))
    found = parts.columns.get(name, [])
    text = read_create_table(sql, {folded(row[1]) for row in found})
    only_key = [row for row in found if row[5]]
    rowid = len(only_key) == 1 and only_key[0][2].upper() == "INTEGER" and not text.without_rowid
    return Table(
        columns={row[1]: _column(row, text, is_rowid=rowid and row[5] == 1) for row in found},
        foreign_keys=frozenset(_foreign_keys(name, parts, text)),
        uniques=frozenset(_uniques(name, parts)),
        checks=frozenset(text.checks),
        conflicts=frozenset(text.conflicts),
        autoincrement=text.autoincrement,
        strict=text.strict,
        without_rowid=text.without_rowid,
    )


def _virtual_columns(connection: sqlite3.Connection, name: str) -> dict[str, Column]:
    try:
        found = rows(connection, "SELECT name, type FROM pragma_table_xinfo(?, 'main')", (name,))
    except sqlite3.OperationalError:  # its module is not loaded here
        return {}
    return {column: Column(type=_type(declared)) for column, declared in found}


def _column(row: Row, text: TableText, *, is_rowid: bool) -> Column:
    _, name, declared, notnull, default, pk, hidden = row
    key = folded(name)
    return Column(
        type=_type(declared),
        notnull=bool(notnull) and not is_rowid,  # a rowid is never NULL, said or not
        default=None if default is None else normal_default(default),
        pk=pk,
        hidden=hidden,
        collation=text.collations.get(key, ""),
        generated=text.generated.get(key, ""),
    )


@lru_cache(maxsize=256)
def _type(declared: str) -> str:
    return re.sub(r"\s*([(),])\s*", r"\1", " ".join(declared.upper().split()))


def _foreign_keys(name: str, parts: _Parts, text: TableText) -> Iterator[ForeignKey]:
    found = parts.foreign_keys.get(name, [])
    for _, group in groupby(found, key=lambda row: row[0]):
        members = sorted(group, key=lambda row: int(row[1]))
        _, _, parent, _, _, on_update, on_delete, _ = members[0]
        columns = tuple(folded(row[3]) for row in members)
        if members[0][4] is None:
            parent_columns = _primary_key(parent, parts)
        else:
            parent_columns = tuple(folded(row[4]) for row in members)
        yield ForeignKey(
            columns=columns,
            parent=folded(parent),
            parent_columns=parent_columns,
            on_update="" if on_update == _SAME_ACTION else on_update,
            on_delete="" if on_delete == _SAME_ACTION else on_delete,
            deferred=columns in text.deferred,
        )


def _primary_key(table: str, parts: _Parts) -> tuple[str, ...]:
    for name, found in parts.columns.items():
        if folded(name) == folded(table):
            return tuple(folded(row[1]) for row in sorted(found, key=lambda row: int(row[5])) if row[5])
    return ()


def _uniques(name: str, parts: _Parts) -> Iterator[tuple[str, ...]]:
    for index, _, origin, _ in parts.indexes.get(name, []):
        if origin != "c":
            kind = ("primary key",) if origin == "pk" else ()
            yield kind + tuple(_term(row, "") for row in parts.terms.get(index, []))


# -- indexes ------------------------------------------------------------------------------------------------


def _index(name: str, table: str, sql: str | None, parts: _Parts) -> Index:
    terms = parts.terms.get(name, [])
    known = [row for row in parts.indexes.get(table, []) if row[0] == name]
    _, unique, _, partial = known[0] if known else (name, 0, "c", 0)
    written, where = [""] * len(terms), ""
    if partial or any(row[0] == _EXPRESSION for row in terms):
        names = {folded(row[1]) for row in parts.columns.get(table, [])}
        written, where = read_create_index(sql or "", names)
    return Index(
        table=folded(table),
        unique=bool(unique),
        columns=tuple(_term(row, text) for row, text in zip(terms, written, strict=False)),
        where=where,
    )


def _term(row: Row, expression: str) -> str:
    number, name, descending, collation = row
    if number == _EXPRESSION:
        return expression
    term = "rowid" if name is None else folded(name)
    if collation.upper() != "BINARY":
        term += f" COLLATE {collation.upper()}"
    return term + (" DESC" if descending else "")


def _known_names(tables: dict[str, Table]) -> set[str]:
    names = {folded(name) for name in tables}
    for table in tables.values():
        names.update(folded(column) for column in table.columns)
    return names
