"""Typed rows. How are all rows of a database read and written, on any engine, each value with its type?

Values are those of Python: None, int, float, str, bytes. Text that is not UTF-8 has a surrogate escape for
each byte that does not fit, and is written back as its bytes.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Value = str | bytes | int | float | None
TypedRow = tuple[Value, ...]
_BITS = 128


class TypedRows(Protocol):
    """The rows of an open database. Methods raise StorageError."""

    def each(self, table: str, columns: Sequence[str]) -> Iterator[TypedRow]:
        """These columns of every row of a table, in the order of its primary key, or else as written."""

    def counters(self) -> dict[str, int]:
        """The highest id that each table has given out, for tables that count by themselves."""

    def owners_statements(self, ours: Iterable[str]) -> list[tuple[str, str, str]]:
        """What its owner made besides tables and indexes of these names, in the order in which it was made.

        Each is its kind (table, index, trigger, view), its name and the statement that makes it.
        """

    def foreign_objects(self, ours: Iterable[str]) -> list[str]:
        """What else is here besides tables of these names, which no statement can make elsewhere."""


class WritableRows(TypedRows, Protocol):
    """The same within one open transaction, for writing."""

    def insert_all(self, table: str, columns: Sequence[str], rows: Iterable[TypedRow]) -> int:
        """Add rows to a table; return how many they were."""

    def delete_all(self, table: str) -> None:
        """Remove every row of a table."""

    def counting_tables(self) -> tuple[str, ...]:
        """The tables that count by themselves here."""

    def set_counter(self, table: str, last_id: int) -> None:
        """Let a table that counts by itself go on behind this id."""

    def make(self, statement: str) -> None:
        """Run a statement that makes something which its owner had; what is there already is left alone."""


@dataclass(frozen=True)
class RowsDigest:
    """How many rows, and one hash of them all, in whatever order; the same on every engine, for ever."""

    count: int
    digest: str


Digests = Mapping[str, RowsDigest]
"""Those of every table, by its name."""


class Digesting:
    """Adds up the hashes of rows: the sum of a 128-bit BLAKE2 of each, by value and type, byte for byte."""

    def __init__(self) -> None:
        self._count = self._total = 0

    def add(self, row: Iterable[Value]) -> None:
        """Count a row."""
        content = b"".join(map(_encoded, row))
        self._total += int.from_bytes(hashlib.blake2b(content, digest_size=_BITS // 8).digest())
        self._count += 1

    def result(self) -> RowsDigest:
        """What was added until now."""
        return RowsDigest(self._count, f"{self._total % (1 << _BITS):032x}")


def digest_of(rows: Iterable[Iterable[Value]]) -> RowsDigest:
    """Count and hash rows."""
    digesting = Digesting()
    for row in rows:
        digesting.add(row)
    return digesting.result()


def type_of(value: Value) -> str:
    """The type of a value, in SQLite's words: null, integer, real, text, blob."""
    return _TYPES[type(value)]


_TYPES = {type(None): "null", bool: "integer", int: "integer", float: "real", str: "text", bytes: "blob"}


def _encoded(value: Value) -> bytes:
    match value:
        case None:
            return b"n"
        case str():
            text = value.encode("utf-8", "surrogateescape")
            return b"t%d:%b" % (len(text), text)
        case int():
            return b"i%d:" % value
        case float():
            return b"r" + struct.pack(">d", value)
    return b"b%d:%b" % (len(value), value)
