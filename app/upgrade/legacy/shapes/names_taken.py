"""What if something of the owner has a name that an upgrade needs? It is renamed to owner_NAME, natively."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

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
    """Run the rename. SQLite refuses it while any view or trigger is broken: those rest meanwhile, or all."""
    from sqlalchemy.exc import OperationalError  # here: recognition reads this file, and needs no driver

    for resting in (_nothing, _broken_views, _all_dependants):
        aside = resting(bind)
        for kind, name, _ in aside:
            bind.exec_driver_sql(f"DROP {kind.upper()} {_quoted(name)}")
        try:
            bind.exec_driver_sql(statement)
        except (OperationalError, sqlite3.OperationalError):
            if resting is _all_dependants:
                raise
        else:
            return
        finally:
            for _, _, text in reversed(aside):
                bind.exec_driver_sql(text)


def _nothing(bind: Connection) -> list[tuple[str, str, str]]:
    return []


def _broken_views(bind: Connection) -> list[tuple[str, str, str]]:
    """Return the views that cannot be read, and the triggers on them, as kind, name and text."""
    from sqlalchemy.exc import OperationalError

    broken = []
    for kind, name, text in _dependants(bind, "view"):
        try:
            bind.exec_driver_sql(f"SELECT 1 FROM {_quoted(name)} LIMIT 0").close()
        except (OperationalError, sqlite3.OperationalError):
            broken += [*_dependants(bind, "trigger", name), (kind, name, text)]
    return broken


def _all_dependants(bind: Connection) -> list[tuple[str, str, str]]:
    return [*_dependants(bind, "trigger"), *_dependants(bind, "view")]


def _dependants(bind: Connection, kind: str, table: str = "") -> list[tuple[str, str, str]]:
    rows = bind.exec_driver_sql(
        "SELECT type, name, sql FROM sqlite_master"
        " WHERE type = ? AND (? = '' OR tbl_name = ?) ORDER BY rowid",
        (kind, table, table),
    )
    return [(str(found), str(name), str(text)) for found, name, text in rows]


def _make_again(bind: Connection, what: str, name: str, new_name: str) -> None:
    """Drop an index or view and make it again from its own text: SQLite cannot rename these."""
    text = bind.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE type = ? AND name = ?", (what, name)
    ).scalar_one()
    bind.exec_driver_sql(f"DROP {what.upper()} {_quoted(name)}")
    bind.exec_driver_sql(_NAMED.sub(lambda found: found[1] + _quoted(new_name), text, count=1))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
