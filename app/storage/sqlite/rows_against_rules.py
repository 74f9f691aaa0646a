"""Rows against a rule. Which rows does a finding of the integrity check mean (NULL, CHECK, UNIQUE, type)?

SQLite says how many there are, and of most not which: each is asked for again, the first few of them.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable

from app.storage.schema import folded, quoted
from app.storage.sqlite.ddl import read_create_index
from app.storage.sqlite.errors import storage_error
from app.storage.sqlite.rows import rows
from app.storage.sqlite.schema_table import SchemaObject, schema_objects

MOST_NAMED = 5
_OF_A_COLUMN = re.compile(
    r"(?P<what>NULL|NUMERIC|TEXT|non-(?P<type>[A-Z]+)) value in (?P<place>.+)$", re.DOTALL
)
_OF_A_CHECK = re.compile(r"CHECK \((?P<rule>.*)\) failed in (?P<table>.+)$", re.DOTALL)
_NOT_UNIQUE = re.compile(r"non-unique entry in index (?P<index>.+)$", re.DOTALL)
_OF_TYPE = {
    "INT": "integer",
    "INTEGER": "integer",
    "REAL": "real",
    "TEXT": "text",
    "BLOB": "blob",
}
_DIRECTION = re.compile(r" (?:asc|desc)$")
_MOST_LETTERS = 40
_LOOKS_LIKE_A_NUMBER = "GLOB '*[0-9]*' AND {0} NOT GLOB '*[^0-9.eE+ -]*'"


def rows_named(connection: sqlite3.Connection, findings: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return for each finding the first rows that it means, as their key says it; none where none is found.

    Raises sqlite3.OperationalError where someone asked to stop.
    """
    objects = schema_objects(connection)
    return {finding: _rows_of(connection, objects, finding) for finding in dict.fromkeys(findings)}


def _rows_of(connection: sqlite3.Connection, objects: list[SchemaObject], finding: str) -> tuple[str, ...]:
    try:
        if found := _OF_A_COLUMN.match(finding):
            table, column = _place(connection, objects, found["place"])
            return _matching(connection, table, _condition(found["what"], found["type"], quoted(column)))
        if found := _OF_A_CHECK.match(finding):
            return _matching(connection, found["table"], f"NOT ({found['rule']})")
        if found := _NOT_UNIQUE.match(finding):
            return _alike(connection, next(one for one in objects if one.name == found["index"]))
    except (StopIteration, sqlite3.DatabaseError) as error:
        if isinstance(error, sqlite3.DatabaseError) and storage_error(error).reason == "interrupted":
            raise
    return ()


def _place(connection: sqlite3.Connection, objects: list[SchemaObject], place: str) -> tuple[str, str]:
    """The table and the column of "table.column", either of which may have a dot of its own."""
    return next(
        (one.name, column)
        for one in objects
        if one.type == "table" and place.startswith(f"{one.name}.")
        for column in _columns(connection, one.name)
        if place == f"{one.name}.{column}"
    )


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [str(name) for (name,) in rows(connection, "SELECT name FROM pragma_table_xinfo(?)", (table,))]


def _condition(what: str, strict_type: str | None, column: str) -> str:
    if what == "NULL":
        return f"typeof({column}) = 'null'"  # "IS NULL" is never true of a column that is NOT NULL
    if what == "NUMERIC":
        return f"typeof({column}) IN ('integer', 'real')"
    if what == "TEXT":
        return f"typeof({column}) = 'text' AND {column} {_LOOKS_LIKE_A_NUMBER.format(column)}"
    return f"typeof({column}) NOT IN ('null', '{_OF_TYPE.get(strict_type or '', 'null')}')"


def _matching(connection: sqlite3.Connection, table: str, condition: str) -> tuple[str, ...]:
    keys = _key(connection, table)
    # From the rows themselves: an index may be what is wrong.
    query = f"SELECT {keys} FROM {quoted(table)} NOT INDEXED WHERE {condition} LIMIT {MOST_NAMED}"
    return tuple(_in_words(row) for row in rows(connection, query))


def _alike(connection: sqlite3.Connection, index: SchemaObject) -> tuple[str, ...]:
    """The rows that share what may be there once only."""
    terms, where = _terms(connection, index)
    table, listed = quoted(index.table), ", ".join(terms)
    condition = " AND ".join([*(f"{term} IS NOT NULL" for term in terms), *([f"({where})"] if where else [])])
    query = (
        f"SELECT {_key(connection, index.table)} FROM {table} NOT INDEXED WHERE {condition} AND ({listed}) IN"
        f" (SELECT {listed} FROM {table} NOT INDEXED WHERE {condition} GROUP BY {listed} HAVING count(*) > 1)"
        f" ORDER BY {listed} LIMIT {MOST_NAMED}"
    )
    return tuple(_in_words(row) for row in rows(connection, query))


def _terms(connection: sqlite3.Connection, index: SchemaObject) -> tuple[list[str], str]:
    """What the index sorts by, with its collations, and the condition of a partial one ("" without)."""
    names = {folded(name) for name in _columns(connection, index.table)}
    written, where = read_create_index(index.sql, names) if index.sql else ([], "")
    found = rows(connection, "SELECT name, coll FROM pragma_index_xinfo(?) WHERE key = 1", (index.name,))
    return [
        f"{quoted(name)} COLLATE {quoted(collation)}" if name is not None else _DIRECTION.sub("", written[at])
        for at, (name, collation) in enumerate(found)
    ], where


def _key(connection: sqlite3.Connection, table: str) -> str:
    """What a row is known by: its primary key, else its number."""
    query = "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk"
    return ", ".join(quoted(name) for (name,) in rows(connection, query, (table,))) or "rowid"


def _in_words(row: tuple[object, ...]) -> str:
    return "/".join(str(cell)[:_MOST_LETTERS] for cell in row)
