"""PostgreSQL driver, adapted. What of psycopg is ours: switches are numbers, and an error tells no row.

To be imported once `driver.load` has found psycopg.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.adapt import AdaptersMap, Dumper


class SwitchDumper(Dumper):
    """True and False as 1 and 0: what columns of switches hold on every engine."""

    oid = psycopg.adapters.types["int2"].oid

    def dump(self, obj: bool) -> bytes:
        """The number as text."""
        return b"1" if obj else b"0"


class Cursor(psycopg.Cursor[Any]):
    """A cursor whose errors say what is wrong, and not with which values: those are what people wrote."""

    def execute(self, *args: Any, **options: Any) -> Cursor:
        """Run one statement."""
        with first_line_only():
            super().execute(*args, **options)
        return self

    def executemany(self, *args: Any, **options: Any) -> None:
        """Run one statement with each of these parameters."""
        with first_line_only():
            super().executemany(*args, **options)


@contextmanager
def first_line_only() -> Iterator[None]:
    """Leave of an error's text its first line: "DETAIL" below it holds the row."""
    try:
        yield
    except psycopg.Error as error:
        if error.args:
            error.args = (str(error.args[0]).strip().partition("\n")[0],)
        raise


def adapters() -> AdaptersMap:
    """How values go to the server and come back."""
    found = AdaptersMap(psycopg.adapters)
    found.register_dumper(bool, SwitchDumper)
    return found
