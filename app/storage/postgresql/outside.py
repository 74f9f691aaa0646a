"""PostgreSQL from outside. Is there a database, may it be used by this role, and does someone write just now?

Each question is a connection of its own.
"""

from __future__ import annotations

from contextlib import closing

import psycopg

from app.database_urls import in_words
from app.errors import Refused
from app.storage.postgresql import errors
from app.storage.postgresql.driver import Connection, connect
from app.storage.postgresql.errors import as_storage_errors
from app.storage.postgresql.numbers import SPACE, WRITING
from app.storage.postgresql.types import OWN_TABLE
from app.storage.types import FileKind

OLDEST, OLDEST_IN_WORDS = 150000, "15"
_OF_TABLES = (
    "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm')"
    " AND relnamespace = current_schema()::regnamespace AND relname <> %s"
)
_RIGHTS = (
    "SELECT current_user, has_schema_privilege(current_schema(), 'CREATE'),"
    " (SELECT min(c.relname) FROM pg_class c WHERE c.relkind = 'r'"
    " AND c.relnamespace = current_schema()::regnamespace AND NOT pg_has_role(c.relowner, 'USAGE'))"
)
_IS_LOCKED = (
    "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = %s"
    " AND objid = %s AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


def kind(url: str) -> FileKind:
    """Return whether there are tables: "missing" where there is a database and nothing in it.

    Raises Refused where the server is too old or no place for this, and StorageError.
    """
    with as_storage_errors(), closing(connect(url)) as driver:
        _refuse_unfit(driver, url)
        (count,) = driver.execute(_OF_TABLES, (OWN_TABLE,)).fetchone() or (0,)
    return "database" if count else "missing"


def _refuse_unfit(driver: Connection, url: str) -> None:
    if driver.info.server_version < OLDEST:
        raise _too_old(driver.info.server_version, url)
    encoding = driver.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise Refused(
            f"The database {in_words(url)} keeps its texts as {encoding}, and not as UTF8.",
            hint="createdb --encoding=UTF8 --template=template0 NAME",
        )


def find_too_old(url: str) -> Refused | None:
    """Return why the server's version cannot be used, or None; also where the server cannot be asked."""
    try:
        with closing(connect(url)) as driver:
            version = driver.info.server_version
    except psycopg.Error:
        return None
    return None if version >= OLDEST else _too_old(version, url)


def _too_old(version: int, url: str) -> Refused:
    return Refused(
        f"The server of {in_words(url)} is PostgreSQL {version // 10000}; {OLDEST_IN_WORDS} or newer is"
        " needed.",
        hint="Upgrade it: pg_upgradecluster, or a dump into a newer one.",
    )


def find_refusal(url: str) -> Refused | None:
    """Return why the role may not make or change tables there; or None."""
    try:
        with closing(connect(url)) as driver:
            user, may_create, of_other = driver.execute(_RIGHTS).fetchone() or ("", True, None)
    except psycopg.Error as error:
        said = errors.explained(error, url)
        return said if isinstance(said, Refused) else Refused(said.message, hint=said.hint)
    if of_other is not None:
        return Refused(
            f"The role {user} does not own the table {of_other} of {in_words(url)}, and so cannot change it.",
            hint=f"ALTER TABLE {of_other} OWNER TO {user};   # or REASSIGN OWNED BY",
        )
    if not may_create:
        return Refused(
            f"The role {user} may not make tables in {in_words(url)}.",
            hint=f"ALTER DATABASE ... OWNER TO {user};   # or GRANT CREATE, USAGE ON SCHEMA public",
        )
    return None


def is_locked(url: str) -> bool:
    """Return whether another session writes at this moment."""
    with as_storage_errors(), closing(connect(url)) as driver:
        row = driver.execute(_IS_LOCKED, (SPACE, WRITING)).fetchone()
    return bool(row and row[0])
