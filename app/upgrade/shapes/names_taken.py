"""What if something of the owner has a name that an upgrade needs? It is renamed to owner_NAME, natively."""

from __future__ import annotations

import re
import sqlite3

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

TITLE = "move aside what the owner made under a name that is needed"
KEEP_VALUES = False
SCHEMAS: dict[str, str] = {}  # it is no form of a table: recognition finds it by name

_NAMED = re.compile(
    r"""(CREATE\s+(?:UNIQUE\s+)?(?:INDEX|VIEW)\s+)
        ("(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] | '(?:[^']|'')*' | [^\s(]+)""",
    re.VERBOSE | re.IGNORECASE,
)


def rename(bind: Connection, what: str, table: str, name: str, new_name: str) -> str:
    """Give a table, column, index or view of the owner its new name; return a sentence for the report.

    References to it in other views and triggers follow, where SQLite can follow them. Writes inside the
    caller's transaction; no row is rewritten.
    """
    if what == "table":
        _alter(bind, f"ALTER TABLE {_quoted(name)} RENAME TO {_quoted(new_name)}")
    elif what == "column":
        _alter(bind, f"ALTER TABLE {_quoted(table)} RENAME COLUMN {_quoted(name)} TO {_quoted(new_name)}")
    else:
        _make_again(bind, what, name, new_name)
    place = f"{table}.{name}" if what == "column" else name
    return f"Your {what} {place} has a name that is needed here: it is now called {new_name}."


def _alter(bind: Connection, statement: str) -> None:
    """Run the rename; where some other view or trigger is broken already, run it without looking at those."""
    try:
        bind.exec_driver_sql(statement)
    except (OperationalError, sqlite3.OperationalError):
        bind.exec_driver_sql("PRAGMA legacy_alter_table=ON")
        try:
            bind.exec_driver_sql(statement)
        finally:
            bind.exec_driver_sql("PRAGMA legacy_alter_table=OFF")


def _make_again(bind: Connection, what: str, name: str, new_name: str) -> None:
    """Drop an index or view and make it again from its own text: SQLite cannot rename these."""
    text = bind.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE type = ? AND name = ?", (what, name)
    ).scalar_one()
    bind.exec_driver_sql(f"DROP {what.upper()} {_quoted(name)}")
    bind.exec_driver_sql(_NAMED.sub(lambda found: found[1] + _quoted(new_name), text, count=1))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
