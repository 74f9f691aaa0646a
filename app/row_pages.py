"""Keyset pages. How are all rows of a query read, a few at a time, whatever their number?

Each page is a snapshot of its own: with a rollback journal no one's commit ends before a snapshot does, and
an operator who wants the database waits for no more than a page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, literal, tuple_

ROWS_OF_A_PAGE = 50
Reading = Callable[[], AbstractContextManager[Connection]]
"""What gives a connection for reading, one snapshot."""


def rows_in_pages(
    reading: Reading, query: Select[Any], *key: Column[Any], most: int = ROWS_OF_A_PAGE
) -> Iterator[Row[Any]]:
    """Yield the rows of a query by ``key``: columns that it selects, and that no two rows have alike."""
    page = query.order_by(*key).limit(most)
    rows = _read(reading, page)
    while rows:
        yield from rows
        if len(rows) < most:
            return
        last = (literal(rows[-1]._mapping[column], column.type) for column in key)
        rows = _read(reading, page.where(tuple_(*key) > tuple_(*last)))


def _read(reading: Reading, query: Select[Any]) -> Sequence[Row[Any]]:
    with reading() as connection:
        return connection.execute(query).all()
