"""Which kinds of entries are there, what may be written to each, and what of it is on which level's list?"""

from __future__ import annotations

from sqlalchemy import Connection


def check(kind: str, content: object) -> None:
    """Raise InvalidContent, with JSON Pointers, where content does not fit its kind; returns nothing."""
    raise NotImplementedError


def add_missing_rows(conn: Connection) -> tuple[str, ...]:
    """Add an endpoint row for every kind file without one; returns their names. Called when the server is ready."""
    raise NotImplementedError
