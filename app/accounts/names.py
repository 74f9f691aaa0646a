"""Names and mail addresses of accounts, case folded. Is one taken, in any case?"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, or_, select, update

from app.erased_people import hash_of_name
from app.tables import users

NAMESAKES_COUNT = 20


def fold_missing_names(connection: Connection) -> None:
    """Store the case folded names and mail addresses of accounts that an older server made.

    What is no text has none.
    """
    for text, key in ((users.c.username, users.c.username_key), (users.c.email, users.c.email_key)):
        missing = select(users.c.id, text.label("text")).where(key.is_(None))
        for row in connection.execute(missing).all():
            if isinstance(row.text, str) and "\ufffd" not in row.text:
                folded = update(users).where(users.c.id == row.id).values({key: row.text.casefold()})
                connection.execute(folded)


def is_taken(connection: Connection, username: str, email: str) -> bool:
    """Return whether an account has this name or this mail address, in any case."""
    return is_name_taken(connection, username) or is_mail_taken(connection, email)


def is_name_taken(connection: Connection, username: str) -> bool:
    """Return whether an account has this name, in any case, or someone had it who was erased."""
    hashed = hash_of_name(username)
    return any(
        _is_there(connection, users.c.username, users.c.username_key, text) for text in (username, hashed)
    )


def is_mail_taken(connection: Connection, email: str) -> bool:
    """Return whether an account has this mail address, in any case."""
    return _is_there(connection, users.c.email, users.c.email_key, email)


def _is_there(connection: Connection, column: Column[Any], key: Column[Any], text: str) -> bool:
    """Whether a row has this text; a key alone is no proof, since an owner's SQL may have left it behind."""
    folded = text.casefold()
    known = select(column).where(or_(column == text, key == folded)).limit(NAMESAKES_COUNT)
    keyless = select(column).where(
        key.is_(None)
    )  # there are some before a server has started on the database
    return any(
        str(stored).casefold() == folded
        for query in (known, keyless)
        for stored in connection.execute(query).scalars()
    )
