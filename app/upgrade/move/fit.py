"""Column fit. Can a column of the other engine hold this value, and what stands for it there if not?

SQLite lets any value be in any column; PostgreSQL does not, and SQLite makes numbers of texts that look like
one. What stands in the place of a value must mean to every reader what the value meant: a flag that is
neither 0 nor 1, a number that names nothing, a text as it was read. Where nothing can, the row is kept whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from app.storage.typed_rows import type_of
from app.storage.types import Value

Engine = Literal["sqlite", "postgresql"]
Kind = Literal["number", "flag", "real", "text", "any"]

ODD_FLAG = -1  # to `= 1` as false, and to `<> 0` as true, as whatever else is neither 0 nor 1
NAMES_NOTHING = 2**53 - 1  # no id, generation or count ever gets there
INSTEAD_OF_NUL = "\x01"  # as invalid in JSON as NUL is
_KEEP_TEXTS = ("CHAR", "TEXT", "CLOB", "BLOB")
_SMALL, _BIG = 2**15, 2**63
_LOOKS_LIKE_A_NUMBER = re.compile(r"[ \t-\r]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t-\r]*")

_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("INTEGER", "INT", "BIGINT", "SMALLINT"), "number"),
    **dict.fromkeys(("FLOAT", "REAL", "DOUBLE PRECISION"), "real"),
    "BOOLEAN": "flag",
    "BLOB": "any",
}


@dataclass(frozen=True)
class Column:
    """A column of ours: its declared type in SQLite's schema, and whether something may stand in it.

    ``is_fixed``: it is part of a key, or may not be NULL and is no text; the row goes with what does not fit.
    ``has_type_beside``: another column says of which type its bytes are, so that it can hold any value.
    """

    name: str
    declared: str
    is_fixed: bool = False
    has_type_beside: bool = False

    @cached_property
    def kind(self) -> Kind:
        """What PostgreSQL has there: BIGINT, SMALLINT, DOUBLE PRECISION, TEXT, or BYTEA for any value."""
        return _KINDS.get(self.declared.partition("(")[0].strip().upper(), "text")

    @cached_property
    def makes_numbers(self) -> bool:
        """Whether SQLite makes a number of a text that looks like one (NUMERIC or INTEGER affinity)."""
        return not any(part in self.declared.upper() for part in _KEEP_TEXTS)


@dataclass(frozen=True)
class Fitted:
    """What the column gets. ``reason`` says why that is not the value itself; "" where it is."""

    stored: Value
    reason: str = ""


def fitted(value: Value, column: Column, engine: Engine) -> Fitted:
    """Return what a column of that engine gets for a value."""
    if value is None:
        return Fitted(None)
    return _for_sqlite(value, column) if engine == "sqlite" else _for_postgresql(value, column)


def certainly_fits(column: Column, engine: Engine) -> Callable[[Value], bool]:
    """Return a quick test: true of a value that is stored as it is, false where that must be looked at."""
    if engine == "sqlite":
        return _is_certain_for_sqlite if column.makes_numbers else lambda value: True
    match column.kind:
        case "text":
            return lambda value: (
                value is None
                or (type(value) is str and "\0" not in value and (value.isascii() or _fits_text(value)))
            )
        case "flag":
            return lambda value: value is None or (type(value) is int and -_SMALL <= value < _SMALL)
        case "number":
            return lambda value: value is None or (type(value) is int and -_BIG <= value < _BIG)
        case "any":
            return lambda value: value is None or type(value) is bytes
    return lambda value: value is None


def _is_certain_for_sqlite(value: Value) -> bool:
    return type(value) is not str or not _LOOKS_LIKE_A_NUMBER.fullmatch(value)


def _fits_text(value: str) -> bool:
    return not _text(value).reason


def still_stands(found: Value, value: Value, column: Column, engine: Engine) -> bool:
    """Whether a column holds what stands for ``value``: no one has written there since."""
    stored = fitted(value, column, engine).stored
    if isinstance(found, int | float) and isinstance(stored, int | float):
        return found == stored
    return _is_same(found, stored) or _is_same(found, value)


def _is_same(one: Value, other: Value) -> bool:
    return type(one) is type(other) and one == other


def _for_sqlite(value: Value, column: Column) -> Fitted:
    if isinstance(value, str) and column.makes_numbers and _LOOKS_LIKE_A_NUMBER.fullmatch(value):
        return Fitted(_number_of(value), "a text that SQLite makes a number of")
    return Fitted(value)


def _number_of(text: str) -> int | float:
    try:
        number = int(text)
    except ValueError:
        return float(text)
    return number if -_BIG <= number < _BIG else float(text)


def _for_postgresql(value: Value, column: Column) -> Fitted:
    match column.kind:
        case "any":
            is_told = isinstance(value, bytes) or column.has_type_beside
            return Fitted(encoded(value), "" if is_told else f"{_named(value)} in a column of bytes")
        case "text":
            return _text(value)
        case "flag":
            is_small = type(value) is int and -_SMALL <= value < _SMALL
            return Fitted(value) if is_small else Fitted(ODD_FLAG, f"{_named(value)} in a flag")
        case "real":
            is_real = isinstance(value, float)
            return Fitted(value) if is_real else Fitted(None, f"{_named(value)} in a column of real numbers")
    is_number = type(value) is int and -_BIG <= value < _BIG
    return Fitted(value) if is_number else Fitted(NAMES_NOTHING, f"{_named(value)} in a column of numbers")


def _text(value: Value) -> Fitted:
    if isinstance(value, bytes):
        return Fitted(_readable(value.decode("utf-8", "replace")), "a blob in a column of text")
    if not isinstance(value, str):
        return Fitted(str(value), f"{_named(value)} in a column of text")
    readable = _readable(value.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    if readable == value:
        return Fitted(value)
    has_nul = "\0" in value
    return Fitted(readable, "a text with a NUL byte" if has_nul else "a text that is not UTF-8")


def _readable(text: str) -> str:
    return text.replace("\0", INSTEAD_OF_NUL)


def _named(value: Value) -> str:
    kind = type_of(value)
    return {"integer": "an integer", "real": "a real number", "text": "a text", "blob": "a blob"}[kind]


# -- typed values of any kind, as bytes ----------------------------------------------------------------------


def encoded(value: Value) -> bytes | None:
    """Return a value as the bytes that a column of any type holds on PostgreSQL, beside the type's name."""
    match value:
        case None | bytes():
            return value
        case str():
            return value.encode("utf-8", "surrogateescape")
    return repr(value).encode()


def decoded(stored: Value, value_type: Value) -> Value:
    """Return the value whose bytes these are; as it is stored where that does not fit its type."""
    if not isinstance(stored, bytes):
        return stored
    try:
        match value_type:
            case "text":
                return stored.decode("utf-8", "surrogateescape")
            case "integer":
                return int(stored)
            case "real":
                return float(stored)
    except ValueError:
        pass
    return stored
