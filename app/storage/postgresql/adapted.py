"""PostgreSQL driver, adapted. What of psycopg is ours: switches are numbers, and an error tells no row.

To be imported once `driver.load` has found psycopg.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

    def execute(self, query: Any, params: Any = None, **options: Any) -> Cursor:
        """Run one statement; what is looked for with a NUL in it is found nowhere, as in SQLite.

        The driver sends no text with one, because the server can keep none. To write one is refused.
        """
        with first_line_only():
            try:
                super().execute(query, params, **options)
            except psycopg.DataError as error:
                if "NUL" not in str(error) or str(query)[:6].upper() != "SELECT":
                    raise
                super().execute(query, _without_nul(params), **options)
        return self

    def executemany(self, *args: Any, **options: Any) -> None:
        """Run one statement with each of these parameters."""
        with first_line_only():
            super().executemany(*args, **options)


_NEVER_KEPT = "\ufffe\uffff"  # no characters, and in no text


def _without_nul(params: Any) -> Any:
    if isinstance(params, Mapping):
        return {name: _without_nul(value) for name, value in params.items()}
    if isinstance(params, list | tuple):
        return [_without_nul(value) for value in params]
    return params.replace("\0", _NEVER_KEPT) if isinstance(params, str) else params


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
