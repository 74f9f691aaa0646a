"""Names and mail addresses of accounts, case folded. Is one taken, in any case?"""

from __future__ import annotations

from sqlalchemy import Connection, or_, select, update

from app.tables import users


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
    """Return whether an account has this name, in any case."""
    named = or_(users.c.username == username, users.c.username_key == username.casefold())
    return connection.execute(select(users.c.id).where(named).limit(1)).first() is not None


def is_mail_taken(connection: Connection, email: str) -> bool:
    """Return whether an account has this mail address, in any case."""
    has_it = or_(users.c.email == email, users.c.email_key == email.casefold())
    return connection.execute(select(users.c.id).where(has_it).limit(1)).first() is not None
