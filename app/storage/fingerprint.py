"""Schema fingerprint and drift. Is this schema the one we know, and where does it differ?

A known schema (the *sheet*) is compared with one that was found. What the owner added (tables, columns,
indexes, triggers, views, and constraints on added columns) is `extra` and never touches the fingerprint;
whatever is missing or changed does: `fingerprint(have, sheet) == fingerprint(sheet, sheet)` exactly when
`difference(have, sheet)` holds nothing but extras.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal, NamedTuple, TypeVar

from app.storage.schema import Column, ForeignKey, Index, Schema, Table, folded

__all__ = [
    "Column",
    "Difference",
    "ForeignKey",
    "Index",
    "Schema",
    "Table",
    "difference",
    "fingerprint",
    "restricted",
]

Kind = Literal["missing", "changed", "extra"]
What = Literal["table", "column", "index", "trigger", "view", "constraint"]
T = TypeVar("T")


@dataclass(frozen=True)
class Difference:
    """One way in which a schema is not the one wanted; ``name`` of a column is "table.column"."""

    kind: Kind
    what: What
    name: str
    detail: str = ""


class _Latest(NamedTuple):
    schema: Schema
    sheet: Schema
    fingerprint: str


_latest: _Latest | None = None  # a start asks twice about the same one; kept as a whole, by any thread


def fingerprint(schema: Schema, sheet: Schema) -> str:
    """SHA-256 (hex) of what ``schema`` has of the objects and columns that ``sheet`` names."""
    global _latest
    latest = _latest
    if latest is None or latest.schema is not schema or latest.sheet is not sheet:
        text = "\n".join(_lines(restricted(schema, sheet)))
        _latest = latest = _Latest(schema, sheet, hashlib.sha256(text.encode()).hexdigest())
    return latest.fingerprint


def difference(have: Schema, want: Schema) -> list[Difference]:
    """What of ``want`` is missing or changed in ``have``, then what ``have`` has besides, by name."""
    known = restricted(have, want)
    found = [*_table_differences(known, want), *_index_differences(known, want)]
    for what, mine, theirs in _texts(known, want):
        found += _missing(what, mine, theirs)
        found += [
            Difference("changed", what, name, f"is {mine[name]}")
            for name in mine
            if name in theirs and mine[name] != theirs[name]
        ]
    return [*sorted(found, key=_place), *sorted(_extras(have, want), key=_place)]


def restricted(schema: Schema, sheet: Schema) -> Schema:
    """What ``schema`` has of the things that ``sheet`` names, under the names that ``sheet`` gives them."""
    return Schema(
        tables={
            name: _restricted_table(table, sheet.tables[name])
            for name, table in _shared(schema.tables, sheet.tables).items()
        },
        indexes=_shared(schema.indexes, sheet.indexes),
        triggers=_shared(schema.triggers, sheet.triggers),
        views=_shared(schema.views, sheet.views),
    )


# -- what is left of a schema beside a sheet ----------------------------------------------------------------


def _shared(have: Mapping[str, T], want: Mapping[str, object]) -> dict[str, T]:
    mine = {folded(name): thing for name, thing in have.items()}
    return {name: mine[folded(name)] for name in want if folded(name) in mine}


def _restricted_table(table: Table, sheet: Table) -> Table:
    """The table without the columns that the sheet does not name, and without what is about those only.

    An added column stays where our own inserts would fail on it: it must be filled, or is part of the key.
    """
    columns = _shared(table.columns, sheet.columns)
    known = {folded(name) for name in columns}
    added = {folded(name): column for name, column in table.columns.items() if folded(name) not in known}
    in_the_way = {name: column for name, column in added.items() if _is_in_the_way(column)}
    strange = added.keys() - in_the_way.keys()
    return replace(
        table,
        columns=columns | in_the_way,
        foreign_keys=frozenset(key for key in table.foreign_keys if not strange & set(key.columns)),
        uniques=frozenset(terms for terms in table.uniques if not _mentions(" ".join(terms), strange)),
        checks=frozenset(check for check in table.checks if not _mentions(check, strange)),
        conflicts=frozenset(way for way in table.conflicts if way.split(":")[0] not in strange),
    )


def _mentions(text: str, names: Iterable[str]) -> bool:
    return any(f" {name} " in f" {text} " or f'"{name}"' in text for name in names)


def _is_in_the_way(column: Column) -> bool:
    return bool(column.pk) or (column.notnull and column.default is None and not column.hidden)


# -- the differences ----------------------------------------------------------------------------------------


def _place(found: Difference) -> tuple[str, str, str]:
    return found.what, folded(found.name), found.detail


def _missing(what: What, have: Mapping[str, object], want: Mapping[str, object]) -> list[Difference]:
    return [Difference("missing", what, name) for name in want if name not in have]


def _table_differences(have: Schema, want: Schema) -> Iterator[Difference]:
    yield from _missing("table", have.tables, want.tables)
    for name, mine in have.tables.items():
        theirs = want.tables[name]
        yield from _column_differences(name, mine, theirs)
        for attribute in ("autoincrement", "strict", "without_rowid", "module"):
            if getattr(mine, attribute) != getattr(theirs, attribute):
                detail = f"{attribute} is {getattr(mine, attribute)!r}, not {getattr(theirs, attribute)!r}"
                yield Difference("changed", "table", name, detail)
        for label, ours, known in _constraints(mine, theirs):
            for text in sorted(known - ours):
                yield Difference("missing", "constraint", name, f"{label} {text}")
            for text in sorted(ours - known):
                yield Difference("changed", "constraint", name, f"{label} {text} is not in the known schema")


def _column_differences(table: str, have: Table, want: Table) -> Iterator[Difference]:
    for name, column in want.columns.items():
        if name not in have.columns:
            yield Difference("missing", "column", f"{table}.{name}")
        elif have.columns[name] != column:
            yield Difference("changed", "column", f"{table}.{name}", _unlike(have.columns[name], column))
    for name in have.columns.keys() - want.columns.keys():
        detail = "an added column that is part of the key or that every insert would have to fill"
        yield Difference("changed", "column", f"{table}.{name}", detail)


def _unlike(have: object, want: object) -> str:
    pairs = [(f.name, getattr(have, f.name), getattr(want, f.name)) for f in fields(want)]  # type: ignore[arg-type]
    return "; ".join(f"{name} is {mine!r}, not {theirs!r}" for name, mine, theirs in pairs if mine != theirs)


def _constraints(have: Table, want: Table) -> Iterator[tuple[str, set[str], set[str]]]:
    yield "FOREIGN KEY", _key_texts(have), _key_texts(want)
    yield "UNIQUE", {", ".join(terms) for terms in have.uniques}, {", ".join(terms) for terms in want.uniques}
    yield "CHECK", set(have.checks), set(want.checks)
    yield "ON CONFLICT", set(have.conflicts), set(want.conflicts)


def _key_texts(table: Table) -> set[str]:
    return {_key_text(key) for key in table.foreign_keys}


def _key_text(key: ForeignKey) -> str:
    text = f"({', '.join(key.columns)}) REFERENCES {key.parent} ({', '.join(key.parent_columns)})"
    text += f" ON UPDATE {key.on_update}" if key.on_update else ""
    text += f" ON DELETE {key.on_delete}" if key.on_delete else ""
    return text + (" DEFERRED" if key.deferred else "")


def _index_differences(have: Schema, want: Schema) -> Iterator[Difference]:
    yield from _missing("index", have.indexes, want.indexes)
    for name, index in have.indexes.items():
        if index != want.indexes[name]:
            yield Difference("changed", "index", name, _unlike(index, want.indexes[name]))


def _texts(have: Schema, want: Schema) -> tuple[tuple[What, Mapping[str, str], Mapping[str, str]], ...]:
    return ("trigger", have.triggers, want.triggers), ("view", have.views, want.views)


def _extras(have: Schema, want: Schema) -> Iterator[Difference]:
    yield from _unknown("table", have.tables, want.tables)
    for name, table in have.tables.items():
        for known, sheet in want.tables.items():
            if folded(known) == folded(name):
                yield from _added_columns(name, table, sheet)
    yield from _unknown("index", have.indexes, want.indexes)
    for what, mine, theirs in _texts(have, want):
        yield from _unknown(what, mine, theirs)


def _added_columns(name: str, table: Table, sheet: Table) -> Iterator[Difference]:
    harmless = {column: it for column, it in table.columns.items() if not _is_in_the_way(it)}
    for found in _unknown("column", harmless, sheet.columns):
        yield replace(found, name=f"{name}.{found.name}", detail=table.columns[found.name].type)


def _unknown(what: What, have: Mapping[str, object], want: Mapping[str, object]) -> list[Difference]:
    known = {folded(name) for name in want}
    return [
        Difference("extra", what, name, f"on {thing.table}" if isinstance(thing, Index) else "")
        for name, thing in have.items()
        if folded(name) not in known
    ]


# -- the text that is hashed --------------------------------------------------------------------------------


def _lines(schema: Schema) -> Iterator[str]:
    """A schema as text: one line a fact, in an order that depends on names only."""
    for name in sorted(schema.tables):
        table = schema.tables[name]
        flags = (table.autoincrement, table.strict, table.without_rowid, table.module)
        yield f"table {name!r} {flags!r}"
        yield from (
            f" column {column!r} {_values(table.columns[column])!r}" for column in sorted(table.columns)
        )
        for label, texts, _ in _constraints(table, table):
            yield from (f" {label} {text!r}" for text in sorted(texts))
    yield from (f"index {name!r} {_values(schema.indexes[name])!r}" for name in sorted(schema.indexes))
    for what, texts_by_name, _ in _texts(schema, schema):
        yield from (f"{what} {name!r} {texts_by_name[name]!r}" for name in sorted(texts_by_name))


def _values(thing: Column | Index) -> tuple[object, ...]:
    return tuple(getattr(thing, f.name) for f in fields(thing))
