"""What is a schema, as a value? Tables, columns, keys, indexes, triggers, views, however spelled.

Names are kept as they were given; inside constraints, index terms and expressions they are folded, because
SQL does not tell `Users` from `users`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def folded(name: str) -> str:
    """The name with A to Z made small: how SQLite compares names (`Ä` and `ä` stay two)."""
    return name.lower() if name.isascii() else name.translate(_ASCII_LOWER)


def quoted(name: str) -> str:
    """The name as an identifier of SQL, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Column:
    """``pk`` is the place in the primary key, from 1, or 0; ``hidden`` is 2 or 3 for a generated column."""

    type: str
    notnull: bool = False
    default: str | None = None
    pk: int = 0
    hidden: int = 0
    collation: str = ""
    generated: str = ""


@dataclass(frozen=True)
class ForeignKey:
    """``deferred`` when it is checked at COMMIT only; actions are empty where they are NO ACTION."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    on_update: str = ""
    on_delete: str = ""
    deferred: bool = False


@dataclass(frozen=True)
class Table:
    """``uniques`` are the UNIQUE constraints and such primary keys as need an index, term by term.

    ``conflicts`` are the ON CONFLICT clauses other than ABORT; ``module`` is set for a virtual table.
    """

    columns: Mapping[str, Column]
    foreign_keys: frozenset[ForeignKey] = frozenset()
    uniques: frozenset[tuple[str, ...]] = frozenset()
    checks: frozenset[str] = frozenset()
    conflicts: frozenset[str] = frozenset()
    autoincrement: bool = False
    strict: bool = False
    without_rowid: bool = False
    module: str = ""


@dataclass(frozen=True)
class Index:
    """``columns`` are its terms in order, with DESC and a collation where they are not the usual ones."""

    table: str
    unique: bool
    columns: tuple[str, ...]
    where: str = ""


@dataclass(frozen=True)
class Schema:
    """A whole schema; ``triggers`` and ``views`` hold their text, spelled one way."""

    tables: Mapping[str, Table] = field(default_factory=dict)
    indexes: Mapping[str, Index] = field(default_factory=dict)
    triggers: Mapping[str, str] = field(default_factory=dict)
    views: Mapping[str, str] = field(default_factory=dict)
