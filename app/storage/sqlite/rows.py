"""Row reading. How are the rows of a strange SQLite database read, where text may not be UTF-8?"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from operator import methodcaller
from typing import Any

Row = tuple[Any, ...]
Parameters = Sequence[object] | Mapping[str, object]

# Called from C with fixed arguments: no Python frame for each value.
replaced: Callable[[bytes], str] = methodcaller("decode", "utf-8", "replace")
kept: Callable[[bytes], str] = partial(str, encoding="utf-8", errors="surrogateescape")


@contextmanager
def reading_text(connection: sqlite3.Connection, decode: Callable[[bytes], Any]) -> Iterator[None]:
    """While this lasts, text columns of ``connection`` are read by ``decode``."""
    before = connection.text_factory
    connection.text_factory = decode
    try:
        yield
    finally:
        connection.text_factory = before


def rows(connection: sqlite3.Connection, sql: str, parameters: Parameters = ()) -> list[Row]:
    """All rows as plain tuples, whatever row factory is set; bytes that are not UTF-8 become U+FFFD."""
    cursor = connection.cursor()
    cursor.row_factory = None
    with reading_text(connection, replaced):
        try:
            return cursor.execute(sql, parameters).fetchall()
        finally:
            cursor.close()


def value(connection: sqlite3.Connection, sql: str, parameters: Parameters = ()) -> Any:
    """The first value of the first row, or None."""
    found = rows(connection, sql, parameters)
    return found[0][0] if found else None
