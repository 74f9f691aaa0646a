"""What did migrate_database.py make where there was no database? `users` without is_active, last_login."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

TITLE = "turn the users table of migrate_database.py into that of the releases"
KEEP_VALUES = False  # every value has its place in the new table, and passwords are not copied about
COLUMNS = """
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            username VARCHAR(50) UNIQUE NOT NULL,
            email VARCHAR(100) UNIQUE NOT NULL,
            hashed_password VARCHAR(100) NOT NULL,
            is_admin BOOLEAN DEFAULT FALSE,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP"""
SCHEMAS = {
    "fourth shape with full_name": f"CREATE TABLE users ({COLUMNS}, full_name VARCHAR(100));",
    "fourth shape": f"CREATE TABLE users ({COLUMNS});",
}

NEW_USERS = """
    CREATE TABLE users__made_now (
        id INTEGER NOT NULL,
        username VARCHAR(50) NOT NULL,
        full_name VARCHAR(100),
        email VARCHAR(100) NOT NULL,
        hashed_password VARCHAR(128) NOT NULL,
        is_active BOOLEAN,
        is_admin BOOLEAN,
        created_at DATETIME DEFAULT (CURRENT_TIMESTAMP),
        last_login DATETIME,
        PRIMARY KEY (id)
    )
"""
INDEXES = (
    "CREATE UNIQUE INDEX ix_users_username ON users (username)",
    "CREATE UNIQUE INDEX ix_users_email ON users (email)",
    "CREATE INDEX ix_users_id ON users (id)",
)


def adopt(bind: Connection, table: str) -> tuple[list[str], dict[int, int]]:
    """Make the releases' users table with the same rows and ids; every account counts as active."""
    names = bind.exec_driver_sql("SELECT name FROM pragma_table_info(?)", (table,)).scalars().all()
    full_name = "full_name" if "full_name" in names else "NULL"
    bind.exec_driver_sql(NEW_USERS)
    bind.exec_driver_sql(
        "INSERT INTO users__made_now"
        " (id, username, full_name, email, hashed_password, is_active, is_admin, created_at)"
        f" SELECT id, username, {full_name}, email, hashed_password, 1, is_admin, created_at"
        " FROM users ORDER BY id"
    )
    ids = bind.exec_driver_sql("SELECT id FROM users").scalars().all()
    bind.exec_driver_sql("DROP TABLE users")  # and not renamed: a rename would carry references along
    bind.exec_driver_sql("ALTER TABLE users__made_now RENAME TO users")
    for statement in INDEXES:
        bind.exec_driver_sql(statement)
    return [f"{len(ids)} accounts carried over"], {number: number for number in ids}
