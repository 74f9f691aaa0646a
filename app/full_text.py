"""Full text search (terms, FTS5, tsvector). How is any engine told what is looked for in its index?

What a text is cut into is decided by who asks (`entries.search_terms`), and never by an engine: both are
handed terms, and find rows that have them. What only one engine can is asked of the `FullText` that the
database notes with each of its connections.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, FromClause, Table

FULL_TEXT = "full_text"
"""What the database notes with a connection: its `FullText`."""

OWN_NAME = "_daemon_search"
"""The index, and what the names of its tables begin with: the engine's own, and no part of a schema."""


@dataclass(frozen=True)
class Term:
    """Rows that have this term. No blank or quote may be in it."""

    text: str


@dataclass(frozen=True)
class Every:
    """Rows that all of these find."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Some:
    """Rows that any of these finds; one at least."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Without:
    """Rows that the one finds and none of the others."""

    found: Expression
    parts: tuple[Expression, ...]


Expression = Term | Every | Some | Without


class FullText(Protocol):
    """The index of one engine over the terms (with blanks between) in the column ``words`` of a table."""

    def __hash__(self) -> int:
        """It is a value: what is built for it is found again."""

    def find_missing(self) -> str:
        """Why this engine cannot search, as a sentence; "" where it can."""

    def is_there(self, connection: Connection) -> bool:
        """Whether the index was made. Costs next to nothing."""

    def is_whole(self, connection: Connection, rows: Table) -> bool:
        """Whether the index is there and has as many rows as the table."""

    def make(self, connection: Connection, rows: Table) -> None:
        """Make the index anew, of no row: the table must be emptied with it."""

    def add(self, connection: Connection, rows: Sequence[tuple[int, str]]) -> None:
        """Put rows into it that were put into the table: id and words."""

    def remove(self, connection: Connection, rows: Sequence[tuple[int, str]]) -> None:
        """Take rows out of it, with the words that they were put in with."""

    def source(self, rows: Table) -> FromClause:
        """What is selected from: the table, with the index where that is another one."""

    def place(self, rows: Table) -> ColumnElement[int]:
        """The id of a row as the index has it: the order in which it is read backwards."""

    def matches(self, rows: Table) -> ColumnElement[bool]:
        """The condition that what is said in the parameter ``match`` finds a row."""

    def said(self, expression: Expression) -> str:
        """What is looked for in this engine's own words."""


def full_text_of(connection: Connection) -> FullText | None:
    """Return what searches in the database of a connection; None where it was opened for something else."""
    return cast("FullText | None", connection.info.get(FULL_TEXT))


def in_words(
    expression: Expression, term: Any, every: str, some: str, without: str, each_without: str
) -> str:
    """Return an expression with an engine's words between the parts; ``term`` makes those of one."""

    def said(part: Expression) -> str:
        if isinstance(part, Term):
            return str(term(part))
        if isinstance(part, Without):
            return f"({said(part.found)}{without}{each_without.join(map(said, part.parts))})"
        between = every if isinstance(part, Every) else some
        return f"({between.join(map(said, part.parts))})"

    return said(expression)
