"""Full text index (tsvector, GIN). How are rows found by their terms on a PostgreSQL server?

An index over an expression: the terms of a row as a tsvector, without PostgreSQL's parsers and dictionaries,
which would cut and fold words otherwise than SQLite. It follows the rows by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.full_text import OWN_NAME, Expression, Term, in_words

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, FromClause, Table

_VECTOR = "array_to_tsvector(string_to_array({}.words, ' '))"
_IS_THERE = f"SELECT to_regclass(quote_ident(current_schema()) || '.{OWN_NAME}') IS NOT NULL"


@dataclass(frozen=True)
class PostgreSQLFullText:
    """The one index of a database."""

    def find_missing(self) -> str:
        """Nothing: it is a part of every server."""
        return ""

    def is_whole(self, connection: Connection, rows: Table) -> bool:
        """Whether there is the index; it has what the table has."""
        return self.is_there(connection)

    def is_there(self, connection: Connection) -> bool:
        """Whether the index is there."""
        return bool(connection.exec_driver_sql(_IS_THERE).scalar())

    def make(self, connection: Connection, rows: Table) -> None:
        """Make the index."""
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS {OWN_NAME}")
        vector = _VECTOR.format(rows.name)
        connection.exec_driver_sql(f"CREATE INDEX {OWN_NAME} ON {rows.name} USING gin ({vector})")

    def add(self, connection: Connection, rows: Sequence[tuple[int, str]]) -> None:
        """Nothing to do."""

    def remove(self, connection: Connection, rows: Sequence[tuple[int, str]]) -> None:
        """Nothing to do."""

    def source(self, rows: Table) -> FromClause:
        """The rows."""
        return rows

    def place(self, rows: Table) -> ColumnElement[int]:
        """Their id."""
        return rows.c.id

    def matches(self, rows: Table) -> ColumnElement[bool]:
        """Whether the vector has the terms, in the words of the index."""
        from sqlalchemy import bindparam, cast, literal_column
        from sqlalchemy.dialects.postgresql import TSQUERY

        vector: ColumnElement[str] = literal_column(_VECTOR.format(rows.name))
        return vector.op("@@", is_comparison=True)(cast(bindparam("match"), TSQUERY))

    def said(self, expression: Expression) -> str:
        """A tsquery, each term in quotes."""
        return in_words(expression, _term, " & ", " | ", " & !", " & !")


def _term(term: Term) -> str:
    return f"'{term.text}'"
