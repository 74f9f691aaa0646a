"""SQLite library. Which one is loaded, and is it fit for use?"""

from __future__ import annotations

import sqlite3

from app.errors import Refused

OLDEST = (3, 35, 0)
WITHOUT_WAL_RACE = (3, 51, 3)


def version() -> str:
    """The version of the library that is loaded: "3.45.1"."""
    return sqlite3.sqlite_version


def find_too_old() -> Refused | None:
    """Why the library cannot be used, or None."""
    if sqlite3.sqlite_version_info >= OLDEST:
        return None
    return Refused(
        f"SQLite {sqlite3.sqlite_version} is too old; at least {_dotted(OLDEST)} is needed.",
        hint="Use a Python with a newer SQLite: python3 -c 'import sqlite3; print(sqlite3.sqlite_version)'",
    )


def find_doubt(journal_mode: str) -> Refused | None:
    """A fault of the library that may touch a database with such a journal, or None."""
    if journal_mode != "wal" or sqlite3.sqlite_version_info >= WITHOUT_WAL_RACE:
        return None
    return Refused(
        f"SQLite {sqlite3.sqlite_version} has a rare fault in WAL mode with several writers, "
        f"mended in {_dotted(WITHOUT_WAL_RACE)}.",
        hint="Let no other program write to the database.",
    )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
