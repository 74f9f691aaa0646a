"""Foreign keys and row digests. Do its keys lead somewhere, and is every row what it was?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from functools import partial

from app.storage.row_digest import digest_of
from app.storage.sqlite.rows import kept, reading_text, rows
from app.storage.sqlite.schema_table import schema_objects
from app.storage.types import Orphan, TableDigest

_ROWS_AT_ONCE = 100


def foreign_key_faults(connection: sqlite3.Connection) -> list[Orphan]:
    """Every row whose foreign key names a row that is not there, by table and key.

    A key that cannot be checked at all (its parent's columns are not unique) is listed with no ``rowid``.
    """
    tables = sorted(one.name for one in schema_objects(connection) if one.type == "table")
    return [orphan for table in tables for orphan in _orphans_of(connection, table)]


def rows_digest(
    connection: sqlite3.Connection, select: str, parameters: Iterable[object] = ()
) -> TableDigest:
    """Count and hash the rows of a SELECT, in whatever order they come, by value and type, byte for byte.

    1, 1.0, '1' and x'31' are four values, 0.0 and -0.0 two; text that is not UTF-8 counts as the bytes it is.
    The hash is the sum of a keyed 64-bit hash (SipHash) of each row; the key is this process's own, so
    digests are compared within one process and never stored.
    """
    arguments = tuple(parameters)
    try:
        with reading_text(connection, str):
            return _digest(connection, select, arguments)
    except sqlite3.OperationalError as error:
        if "decode" not in str(error):
            raise
    # Somewhere is text that is not UTF-8. Reading it so is slower, and gives the same for all other text.
    with reading_text(connection, kept):
        return _digest(connection, select, arguments)


def _digest(connection: sqlite3.Connection, select: str, parameters: tuple[object, ...]) -> TableDigest:
    cursor = connection.cursor()
    cursor.row_factory = None
    try:
        cursor.execute(select, parameters)
        return digest_of(iter(partial(cursor.fetchmany, _ROWS_AT_ONCE), []))
    finally:
        cursor.close()


def _orphans_of(connection: sqlite3.Connection, table: str) -> Iterator[Orphan]:
    keys = _keys_of(connection, table)
    if not keys:
        return
    try:
        found = rows(connection, "SELECT rowid, parent, fkid FROM pragma_foreign_key_check(?)", (table,))
    except sqlite3.OperationalError as error:
        yield Orphan(table, None, "", (), str(error))
        return
    for rowid, parent, number in found:
        yield Orphan(table, rowid, parent, keys.get(number, ()))


def _keys_of(connection: sqlite3.Connection, table: str) -> dict[int, tuple[str, ...]]:
    try:
        found = rows(
            connection, 'SELECT id, "from" FROM pragma_foreign_key_list(?) ORDER BY id, seq', (table,)
        )
    except sqlite3.OperationalError:  # a virtual table whose module is not loaded here
        return {}
    keys: dict[int, tuple[str, ...]] = {}
    for number, column in found:
        keys[number] = (*keys.get(number, ()), column)
    return keys
