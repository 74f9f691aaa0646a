"""Sequences. Behind which id does the server go on that draws the ids of a table?

A row that is put in with its id does not move its table's sequence: whoever puts such rows in lets it go on.
"""

from __future__ import annotations

from typing import Any

import psycopg

from app.storage.schema import quoted

LAST_WITH_ROOM = 2**63 - 2**32
"""Behind a higher id there is no room: it is left aside, and the server goes on below it."""

_ALL = """
SELECT c.relname, a.attname, s.seqrelid::regclass::text,
       coalesce(pg_sequence_last_value(s.seqrelid), 0), s.seqmax
FROM pg_sequence s
JOIN pg_depend d ON d.objid = s.seqrelid AND d.classid = 'pg_class'::regclass
                AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
JOIN pg_class c ON c.oid = d.refobjid AND c.relkind IN ('r', 'p')
               AND c.relnamespace = current_schema()::regnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
WHERE s.seqincrement > 0
ORDER BY c.relname COLLATE "C"
"""


def count_on(driver: psycopg.Connection[Any]) -> None:
    """Let the sequence of each table go on above the highest id that is there; none goes back.

    Writes in the caller's transaction. Raises psycopg.Error.
    """
    for table, column, sequence, last_id, largest in driver.execute(_ALL.encode()).fetchall():
        highest = highest_with_room(driver, table, column)
        if last_id < highest <= largest:
            driver.execute("SELECT setval(%s::regclass, %s)", (sequence, highest))


def highest_with_room(driver: psycopg.Connection[Any], table: str, column: str) -> int:
    """Return the highest id of a table behind which there is room; 0 where there is none."""
    name = quoted(column)
    query = f"SELECT coalesce(max({name}), 0) FROM {quoted(table)} WHERE {name} <= {LAST_WITH_ROOM}"
    found = driver.execute(query.encode()).fetchone()
    return int(found[0]) if found else 0
