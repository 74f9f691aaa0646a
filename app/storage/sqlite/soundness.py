"""Soundness of an SQLite database. Which findings of its integrity check are damage, and which are not?

SQLite tells everything in one list: a page that is lost, an index that lags behind its table, a row that
breaks a rule. Only the first is damage. Where it cannot check at all, because a function or a collation of
the owner's is not here, something stands for that (`unusable.placeholders`), and what depends on it is not
proven.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import replace

from app.storage.schema import folded, quoted
from app.storage.sqlite.ddl import read_create_table
from app.storage.sqlite.errors import is_damage, storage_error
from app.storage.sqlite.rows import rows, value
from app.storage.sqlite.rows_against_rules import rows_named
from app.storage.sqlite.schema_table import SchemaObject, schema_objects
from app.storage.sqlite.unusable import find_lack, placeholders, unparsed_objects, unusable_objects
from app.storage.types import Soundness, UnusableObject

_MOST_FINDINGS = 10_000
_MOST_TRIES = 20
_OF_AN_INDEX = re.compile(
    r"(?:row \S+ missing from|wrong # of entries in|.* values differ from|.* of) index (.+)$"
)
_NOT_UNIQUE = re.compile(r"non-unique entry in index (.+)$")
_OF_A_ROW = re.compile(r"(?:NULL value in|(?:NUMERIC|TEXT|non-[A-Z]+) value in|CHECK .* failed in) (.+)$")
_CHECK = re.compile("CHECK constraint failed in ")
_OUT_OF_ORDER = re.compile(r"row not in PRIMARY KEY order for (.+)$")
_UNREFERENCED = re.compile(r"Page \d+(?: is|:) never used$|max rootpage ")
_HEADING = re.compile(r"\*\*\* in database \S+ \*\*\*$")


def soundness_of(connection: sqlite3.Connection) -> Soundness:
    """Check every page and row. Writes nothing; what cannot even be begun is damage, in SQLite's words.

    Sees neither lost rows nor broken keys. Raises sqlite3.OperationalError where it was broken off because
    someone asked to stop.
    """
    unusable: list[UnusableObject] = []
    try:
        unusable = unusable_objects(connection)
        findings, unusable = _findings(connection, unusable)
        objects = schema_objects(connection)
        tables = {folded(one.name): folded(one.table) for one in objects}
        findings += _called_otherwise(connection, objects)
    except sqlite3.DatabaseError as error:
        if storage_error(error).reason == "interrupted":
            raise
        if find_lack(error) is not None or (unusable and not is_damage(error)):
            return Soundness(not_proven=(*map(_said, unusable), str(error)))
        return Soundness(damage=(str(error),))
    found = _sorted(findings, unusable, tables, left_out=unparsed_objects(connection))
    if not found.content:
        return found
    with placeholders(connection, unusable):
        return replace(found, content_rows=rows_named(connection, found.content))


def _findings(
    connection: sqlite3.Connection, unusable: list[UnusableObject]
) -> tuple[list[str], list[UnusableObject]]:
    """The lines of the integrity check, and what stood in for something meanwhile."""
    for _ in range(_MOST_TRIES):
        try:
            with placeholders(connection, unusable):
                found = _lines(connection, f"PRAGMA integrity_check({_MOST_FINDINGS})")
                return [line for line in found if not _CHECK.match(line)] + _checks(connection), unusable
        except sqlite3.OperationalError as error:
            lack = find_lack(error)
            if lack is None or any(lack in one.lacks for one in unusable):
                raise
            unusable = [*unusable, UnusableObject("object", "", "", str(error), (lack,))]
    raise sqlite3.OperationalError("the integrity check needs too much that is not here")


def _checks(connection: sqlite3.Connection) -> list[str]:
    """The rows against a CHECK. SQLite does not even read these rules on a connection that cannot write."""
    found = []
    for one in schema_objects(connection):
        if one.type != "table" or one.is_virtual or "check" not in folded(one.sql):
            continue
        columns = rows(connection, "SELECT name FROM pragma_table_xinfo(?)", (one.name,))
        for rule in read_create_table(one.sql, {folded(name) for (name,) in columns}).checks:
            found += [f"CHECK ({rule}) failed in {one.name}"] * _count_against(connection, one.name, rule)
    return found


def _count_against(connection: sqlite3.Connection, table: str, rule: str) -> int:
    try:
        return int(value(connection, f"SELECT count(*) FROM {quoted(table)} WHERE NOT ({rule})"))
    except sqlite3.OperationalError as error:
        if storage_error(error).reason == "interrupted":
            raise
        return 0  # not a rule that can be asked for: SQLite would not have taken it


def _called_otherwise(connection: sqlite3.Connection, objects: Iterable[SchemaObject]) -> list[str]:
    """The tables and indexes whose own SQL has their name in another case, as SQLite never writes it.

    It finds them by either name; but what it changes in a schema it changes by the exact one, and so not.
    """
    known = [name for _, name, *_ in rows(connection, "PRAGMA main.table_list")]  # none before SQLite 3.37
    for table in tuple(known):
        known += [name for (name,) in rows(connection, "SELECT name FROM pragma_index_list(?)", (table,))]
    exact = {folded(name): name for name in known}
    return [
        f"the {one.type} {one.name} is called {exact[folded(one.name)]} in its own SQL"
        for one in objects
        if one.type in ("table", "index") and exact.get(folded(one.name), one.name) != one.name
    ]


def _lines(connection: sqlite3.Connection, pragma: str) -> list[str]:
    lines = [line for (text,) in rows(connection, pragma) for line in str(text).splitlines()]
    return [line for line in lines if line != "ok" and not _HEADING.match(line)]


def _sorted(
    findings: Iterable[str],
    unusable: list[UnusableObject],
    tables: dict[str, str],
    left_out: list[UnusableObject],
) -> Soundness:
    names = {folded(one.name) for one in unusable} | {
        folded(one.table) for one in unusable if one.what == "table"
    }
    has_hidden_pages = any(one.what in ("table", "index") for one in left_out)
    damage, indexes, content = [], [], []
    for line in findings:
        of_index = _OF_AN_INDEX.match(line) or _NOT_UNIQUE.match(line)
        named = folded(of_index[1]) if of_index else ""
        in_order = _OUT_OF_ORDER.match(line)
        if of_index and (named in names or tables.get(named) in names):
            continue
        if (in_order and folded(in_order[1]) in names) or (has_hidden_pages and _UNREFERENCED.search(line)):
            continue
        if _NOT_UNIQUE.match(line) or _OF_A_ROW.match(line):
            content.append(line)
        elif of_index:
            indexes.append(of_index[1])
        else:
            damage.append(line)
    return Soundness(
        tuple(damage),
        tuple(dict.fromkeys(indexes)),
        tuple(content),
        tuple(map(_said, unusable)),
    )


def _said(one: UnusableObject) -> str:
    return one.sentence() if one.name else one.problem
