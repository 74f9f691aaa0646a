"""Renaming on a server. How does something of the owner get another name there? Its views follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.storage.schema import quoted

if TYPE_CHECKING:
    from sqlalchemy import Connection


def rename_on_server(connection: Connection, what: str, table: str, name: str, new_name: str) -> str:
    """Give a table, column, index or view of the owner its new name; return a sentence for the report.

    Writes inside the caller's transaction; no row is rewritten.
    """
    if what == "column":
        place, renamed = f"{table}.{name}", f"TABLE {quoted(table)} RENAME COLUMN {quoted(name)}"
    else:
        place, renamed = name, f"{what.upper()} {quoted(name)} RENAME"
    connection.exec_driver_sql(f"ALTER {renamed} TO {quoted(new_name)}")
    return f"Your {what} {place} has a name that is needed here: it is now called {new_name}."
