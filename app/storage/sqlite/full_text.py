"""Full text index (FTS5). How are rows found by their terms in an SQLite file?

A virtual table without content beside the rows: each posting names a row, and nothing of a text is kept
twice. Its tokenizer cuts at blanks only (beyond ASCII it knows no others), so that terms stay what they
were made. SQLite keeps it in tables of its own, of which no statement of ours but these knows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from app.full_text import OWN_NAME, Expression, Term, in_words
from app.storage.sqlite.driver import open_database
from app.storage.sqlite.schema_table import INDEX_TABLES

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, FromClause, Table

MAKE = f"CREATE VIRTUAL TABLE {OWN_NAME} USING fts5(words, content='', detail=none, tokenize=ascii)"
_, _DATA, _TERMS, _ROWS, _ = INDEX_TABLES
_IS_THERE = f"SELECT 1 FROM main.sqlite_master WHERE name = '{OWN_NAME}'"


@dataclass(frozen=True)
class SQLiteFullText:
    """The one index of a database. It stands in the same file, and is committed with what it finds."""

    def find_missing(self) -> str:
        """Whether FTS5 was left out of this SQLite."""
        return "" if _has_module() else "This SQLite was compiled without full text search (FTS5)."

    def is_there(self, connection: Connection) -> bool:
        """Whether the table is there."""
        return connection.exec_driver_sql(_IS_THERE).first() is not None

    def is_whole(self, connection: Connection, rows: Table) -> bool:
        """Whether the table is there and knows as many rows."""
        if not self.is_there(connection):
            return False
        both = f"SELECT (SELECT count(*) FROM {_ROWS}) = (SELECT count(*) FROM {rows.name})"
        return bool(connection.exec_driver_sql(both).scalar())

    def make(self, connection: Connection, rows: Table) -> None:
        """Make it anew; what was there goes, and zeros come over it (`secure_delete`)."""
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {OWN_NAME}")
        connection.exec_driver_sql(MAKE)

    def add(self, connection: Connection, rows: Sequence[tuple[int, str]]) -> None:
        """Put rows in."""
        if rows:
            statement = f"INSERT INTO {OWN_NAME} (rowid, words) VALUES (?, ?)"
            connection.exec_driver_sql(statement, list(rows))

    def remove(self, connection: Connection, rows: Sequence[tuple[int, str]]) -> None:
        """Take rows out. Postings stay in the file until they are merged, or `compact` comes."""
        if rows:
            statement = f"INSERT INTO {OWN_NAME} ({OWN_NAME}, rowid, words) VALUES ('delete', ?, ?)"
            connection.exec_driver_sql(statement, list(rows))

    def source(self, rows: Table) -> FromClause:
        """The index, and the rows that it names."""
        return _index().join(rows, rows.c.id == _index().c.rowid)

    def place(self, rows: Table) -> ColumnElement[int]:
        """The rowid, in whose order FTS5 finds."""
        return _index().c.rowid

    def matches(self, rows: Table) -> ColumnElement[bool]:
        """MATCH."""
        from sqlalchemy import bindparam

        return _index().c[OWN_NAME].op("MATCH", is_comparison=True)(bindparam("match"))

    def said(self, expression: Expression) -> str:
        """The query language of FTS5, each term in quotes: nothing in one is a word of that language."""
        return in_words(expression, _term, " AND ", " OR ", " NOT ", " NOT ")


def _term(term: Term) -> str:
    return f'"{term.text}"'


@lru_cache
def _index() -> FromClause:
    from sqlalchemy import Integer, column, table

    return table(OWN_NAME, column("rowid", Integer), column(OWN_NAME))


@lru_cache
def _has_module() -> bool:
    with closing(open_database(":memory:")) as connection:
        try:
            connection.execute(MAKE)
        except sqlite3.OperationalError:
            return False
    return True


def compact(connection: sqlite3.Connection) -> None:
    """See to it that no posting is there of a row that was removed. Raises sqlite3.Error."""
    if _has_module() and connection.execute(_IS_THERE).fetchone():
        connection.execute(f"INSERT INTO {OWN_NAME} ({OWN_NAME}) VALUES ('optimize')")


def leave_out(connection: sqlite3.Connection) -> None:
    """Take the index out of a private copy: whoever serves it makes it anew. Raises sqlite3.Error."""
    if connection.execute(_IS_THERE).fetchone():
        if _has_module():
            connection.execute(f"DROP TABLE {OWN_NAME}")
            return
        connection.execute(f"DELETE FROM {_DATA} WHERE id > 10")  # up to there it says how it is kept
        for table in (_TERMS, _ROWS):
            connection.execute(f"DELETE FROM {table}")
