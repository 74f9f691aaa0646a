"""Unusable schema objects. What in a sound schema can this SQLite not use: syntax, a function, a module?

Each statement of the schema is run once more in an empty database in memory. What fails there is written for
another SQLite: a newer one, or one to which a program adds a function, a collation or a module of its own.
SQLite itself calls the first kind "malformed database schema", although no byte of the file is damaged.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache

from app.storage.schema import folded
from app.storage.sqlite.driver import open_database
from app.storage.sqlite.rows import value
from app.storage.sqlite.schema_table import SchemaObject, schema_objects
from app.storage.types import UnusableObject

MALFORMED = "malformed database schema"
_STATEMENT = re.compile(r"\s*CREATE\s+(?:UNIQUE\s+|VIRTUAL\s+)?(TABLE|INDEX|VIEW|TRIGGER)\b", re.IGNORECASE)
_LACKS = (
    (re.compile(r"(?:no such|unknown) function: (.+?)(?:\(\))?$"), "function"),
    (re.compile(r"no such collation sequence: (.+)$"), "collation"),
    (re.compile(r"no such module: (.+)$"), "module"),
    (re.compile(r"(?:no such|unknown) tokenizer: (.+)$"), "tokenizer"),
)
# What these say is not that SQLite cannot read the statement, but that the schema contradicts itself.
_CONTRADICTIONS = re.compile(r"already (?:exists|another table)|there is already|^no such table: ")
_MOST_LACKS = 50
_MOST_STEPS = 1_000_000


def read_what_can_be_read(connection: sqlite3.Connection) -> None:
    """Let ``connection``, which writes nothing but whole pages, go on where a part of the schema is unread.

    The rest of the schema is used then, and `unparsed_objects` tells what was left out. Raises
    sqlite3.DatabaseError where no statement explains why the schema cannot be read: the file is damaged.
    """
    try:
        connection.execute("SELECT 1 FROM main.sqlite_master LIMIT 1").fetchone()
    except sqlite3.DatabaseError as error:
        if not str(error).startswith(MALFORMED):
            raise
        # Not before: SQLite would then also take a file that is cut off for a whole one.
        connection.execute("PRAGMA writable_schema = ON")
        if not unparsed_objects(connection):
            raise error from None


def unparsed_objects(connection: sqlite3.Connection) -> list[UnusableObject]:
    """What SQLite left out of the schema, after `read_what_can_be_read`; empty where it has all of it."""
    if not value(connection, "PRAGMA writable_schema"):
        return []
    return [one for one in _tried(tuple(schema_objects(connection))) if not one.lacks]


def unusable_objects(connection: sqlite3.Connection) -> list[UnusableObject]:
    """Everything in the schema that this SQLite cannot use, in the order in which it was made.

    Of a schema that SQLite parses as a whole, only what lacks something: SQLite accepts the rest.
    """
    is_partial = bool(value(connection, "PRAGMA writable_schema"))
    return [one for one in _tried(tuple(schema_objects(connection))) if one.lacks or is_partial]


@contextmanager
def placeholders(connection: sqlite3.Connection, unusable: list[UnusableObject]) -> Iterator[None]:
    """For as long as this lasts, ``connection`` has something of each name that the objects lack.

    For checks that write nothing: what was sorted or computed with the true one does not agree with it.
    """
    lacking = {lack for one in unusable for lack in one.lacks}
    try:
        for kind, name in lacking:
            _set_placeholder(connection, kind, name, is_there=True)
        yield
    finally:
        for kind, name in lacking:
            _set_placeholder(connection, kind, name, is_there=False)


def find_lack(error: sqlite3.Error) -> tuple[str, str] | None:
    """The kind and the name of what SQLite says that it does not have; None for another error."""
    for pattern, kind in _LACKS:
        if found := pattern.search(str(error)):
            return kind, found[1]
    return None


# -- one statement after the other ---------------------------------------------------------------------------


@lru_cache(maxsize=16)  # by the statements: one upgrade asks a few times for each of its states
def _tried(objects: tuple[SchemaObject, ...]) -> tuple[UnusableObject, ...]:
    found: list[UnusableObject] = []
    gone: set[str] = set()
    # Virtual tables by themselves: they would make anew the tables in which they keep their rows.
    with closing(_scratch()) as plain, closing(_scratch()) as virtual:
        for one in objects:
            if one.is_sqlites_own or folded(one.table) in gone or not _is_of_its_type(one):
                continue
            unusable = _try(virtual if one.is_virtual else plain, one)
            if unusable is not None:
                found.append(unusable)
                if one.type == "table" and not unusable.lacks:
                    gone.add(folded(one.name))
    return tuple(found)


def _scratch() -> sqlite3.Connection:
    made = open_database(":memory:")
    made.set_progress_handler(lambda: 1, _MOST_STEPS)  # CREATE TABLE ... AS SELECT may never end
    return made


def _is_of_its_type(one: SchemaObject) -> bool:
    statement = _STATEMENT.match(one.sql)
    return statement is not None and folded(statement[1]) == folded(one.type)


def _try(scratch: sqlite3.Connection, one: SchemaObject) -> UnusableObject | None:
    """Run the statement, with a placeholder for whatever it lacks; None where it lacks nothing."""
    lacks: list[tuple[str, str]] = []
    try:
        while True:
            try:
                scratch.execute(one.sql)
                problem = ""
                break
            except (sqlite3.Error, sqlite3.Warning) as error:
                lack = find_lack(error) if isinstance(error, sqlite3.Error) else None
                if lack is None or lack in lacks or len(lacks) >= _MOST_LACKS:
                    problem = str(error)
                    break
                lacks.append(lack)
                if not _set_placeholder(scratch, *lack, is_there=True):
                    problem = str(error)
                    break
    finally:
        for kind, name in lacks:
            _set_placeholder(scratch, kind, name, is_there=False)
    if not lacks and (not problem or _CONTRADICTIONS.search(problem)):
        return None
    return UnusableObject(one.type, one.name, one.table, problem, tuple(lacks))


def _set_placeholder(connection: sqlite3.Connection, kind: str, name: str, *, is_there: bool) -> bool:
    """Add or take away something of that name; False where nothing can stand for it."""
    if kind == "function":
        connection.create_function(name, -1, _nothing if is_there else None, deterministic=True)
    elif kind == "collation":
        connection.create_collation(name, _by_bytes if is_there else None)
    else:
        return False
    return True


def _nothing(*_values: object) -> None:
    """NULL: a CHECK that gives it does not fail."""


def _by_bytes(one: str, other: str) -> int:
    return (one > other) - (one < other)
