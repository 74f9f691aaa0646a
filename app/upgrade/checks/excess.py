"""Step excess. Did the steps make, fill or change anything that their contracts do not name?

`verify` holds what was there before; this holds what is there besides. Both run in the upgrade's transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.storage.schema import Schema, folded, quoted
from app.storage.types import Mark
from app.upgrade.checks.allowed_changes import HISTORY, Allowed, names_in
from app.upgrade.legacy.switches import read
from app.upgrade.versions.releases import APPLICATION_ID, SCHEMA_VERSIONS

if TYPE_CHECKING:
    from app.storage.types import StorageConnection

Values = dict[tuple[object, ...], object]
"""The values of a column, each by the primary key of its row; NULL is left out."""


@dataclass(frozen=True)
class ExcessBefore:
    """The schema and the mark as they were, and the values of columns that may change in one way only."""

    schema: Schema
    mark: Mark
    history_lines: int
    filled: dict[tuple[str, str], Values]
    raised: dict[tuple[str, str], Values]
    switched: dict[tuple[str, str], Values]


def measure(connection: StorageConnection, allowed: Allowed) -> ExcessBefore:
    """Return what must be known of the database before the steps."""
    schema = connection.schema()
    held: dict[str, dict[tuple[str, str], Values]] = {"filled": {}, "raised": {}, "set": {}, "switched": {}}
    for table, column, how in _changing_columns(schema, allowed):
        # Of a switch the empty ones are known too: none of them may become on.
        with_empty = how == "switched"
        held[how][table, column] = {} if how == "set" else _values(connection, table, column, with_empty)
    lines = _history_lines(connection, schema)
    return ExcessBefore(schema, connection.mark(), lines, held["filled"], held["raised"], held["switched"])


def faults(connection: StorageConnection, before: ExcessBefore, allowed: Allowed, target: str) -> list[str]:
    """Return a sentence for each thing that no contract of the steps names; empty when there is none."""
    now = connection.schema()
    allowed = replace(
        allowed, renamed={**allowed.renamed, **_renamed_with_tables(before.schema, now, allowed)}
    )
    return [
        *_name_faults(before.schema, now, allowed),
        *_definition_faults(before.schema, now, allowed),
        *_row_faults(connection, before.schema, now, allowed),
        *_value_faults(connection, before),
        *_mark_faults(connection, before, allowed, target),
        *_history_faults(connection, now, before, allowed),
    ]


def _renamed_with_tables(before: Schema, now: Schema, allowed: Allowed) -> dict[str, str]:
    """Return the indexes that made room only after the table that they are on had made room."""
    new = {folded(name) for name in now.indexes} - {folded(name) for name in before.indexes}
    return {
        folded(name): other
        for name, index in before.indexes.items()
        for other in new
        if folded(index.table) in allowed.renamed
        and re.fullmatch(rf"owner_{re.escape(folded(name))}(_\d+)?", other)
    }


# -- the schema ----------------------------------------------------------------------------------------------


def _name_faults(before: Schema, now: Schema, allowed: Allowed) -> Iterator[str]:
    """What is new and not to be added, and what is gone and was not renamed."""
    had = {_after(folded(name), allowed) for name in names_in(before)}
    have = {folded(name) for name in names_in(now)}
    ours = {name for name in have if name.partition(".")[0] in allowed.adopted}
    for name in sorted(have - had - allowed.adds - ours):
        if name.partition(".")[0] not in (have - had) & allowed.adds:  # a column of a table that is to be new
            yield f"{name} was made, and no contract of a step says so"
    rebuilt = {name for name, index in before.indexes.items() if folded(index.table) in allowed.adopted}
    gone = had - have - {folded(name) for name in rebuilt} - allowed.drops
    for name in sorted(name for name in gone if name.partition(".")[0] not in allowed.adopted):
        yield f"{name} is gone"


def _after(name: str, allowed: Allowed) -> str:
    """Return what something is called after the owner's things made room."""
    if name in allowed.renamed:
        return allowed.renamed[name]
    table, dot, column = name.partition(".")
    return allowed.renamed.get(table, table) + dot + column if dot else name


def _definition_faults(before: Schema, now: Schema, allowed: Allowed) -> Iterator[str]:
    """What bears its old name and is another thing; after a rename references change, and no one can tell."""
    if allowed.renamed:
        return
    for table, found in before.tables.items():
        is_ours = folded(table) in allowed.adopted or any(
            name.startswith(f"{folded(table)}.") for name in allowed.adds
        )
        if table in now.tables and not is_ours and now.tables[table] != found:
            yield f"the table {table} was made anew in another form"
    for name, index in before.indexes.items():
        is_free = folded(name) in allowed.adds or folded(index.table) in allowed.adopted
        if name in now.indexes and not is_free and now.indexes[name] != index:
            yield f"the index {name} is another one"
    for what, mine, theirs in (
        ("trigger", before.triggers, now.triggers),
        ("view", before.views, now.views),
    ):
        yield from (
            f"the {what} {name} is another one" for name in mine if theirs.get(name, mine[name]) != mine[name]
        )


# -- rows and values -----------------------------------------------------------------------------------------


def _row_faults(
    connection: StorageConnection, before: Schema, now: Schema, allowed: Allowed
) -> Iterator[str]:
    """New tables and new columns are empty unless a contract says that they are filled."""
    had = {_after(folded(table), allowed) for table in before.tables}
    columns = {_after(folded(name), allowed) for name in names_in(before)}
    for table, found in now.tables.items():
        name = folded(table)
        if name in allowed.adopted or found.module:
            continue
        if name not in had:
            is_free = name in allowed.grows or allowed.may_grow(name)
            if not is_free and (count := connection.count(table)):
                yield f"the new table {table} has {count} rows, and no contract of a step says so"
            continue
        for column in found.columns:
            place = f"{name}.{folded(column)}"
            if place in columns or place not in allowed.adds or place in allowed.changes:
                continue
            if count := _count(connection, table, f"{quoted(column)} IS NOT NULL"):
                yield f"the new column {place} has {count} values, and no contract of a step says so"


def _value_faults(connection: StorageConnection, before: ExcessBefore) -> Iterator[str]:
    for (table, column), was in before.filled.items():
        now = _values(connection, table, column)
        if any(now.get(key) != value for key, value in was.items()):
            yield f"{table}.{column} has other values than before, where only empty ones may be filled"
    for (table, column), was in before.raised.items():
        now = _values(connection, table, column)
        if any(not _is_at_least(now.get(key), value) for key, value in was.items()):
            yield f"{table}.{column} has lower values than before, where they may only be raised"
    for (table, column), was in before.switched.items():
        now = _values(connection, table, column)
        if any(now.get(key) != read(value) for key, value in was.items()):
            yield f"{table}.{column} has other values than before, where only texts may become 0 or 1"


def _changing_columns(schema: Schema, allowed: Allowed) -> Iterator[tuple[str, str, str]]:
    for table, found in schema.tables.items():
        if folded(table) in allowed.adopted:
            continue
        for column in found.columns:
            how = allowed.how(table, column)
            if how is not None and f"{folded(table)}.{folded(column)}" not in allowed.renamed:
                yield table, column, how


def _values(connection: StorageConnection, table: str, column: str, with_empty: bool = False) -> Values:
    key = connection.primary_key(table)
    chosen = ", ".join(map(quoted, (*key, column)))
    where = "" if with_empty else f" WHERE {quoted(column)} IS NOT NULL"
    found = connection.rows(f"SELECT {chosen} FROM {quoted(table)}{where}")
    return {tuple(row[:-1]): row[-1] for row in found}


def _is_at_least(now: object, was: object) -> bool:
    return not isinstance(was, int) or (isinstance(now, int) and now >= was)


def _count(connection: StorageConnection, table: str, where: str) -> int:
    return int(connection.rows(f"SELECT count(*) FROM {quoted(table)} WHERE {where}")[0][0])


# -- what the database says of itself ------------------------------------------------------------------------


def _mark_faults(
    connection: StorageConnection, before: ExcessBefore, allowed: Allowed, target: str
) -> Iterator[str]:
    wanted = before.mark
    if allowed.is_migration:
        number = {row.version: row.user_version for row in SCHEMA_VERSIONS}[target]
        is_ours = wanted.application_id == APPLICATION_ID
        wanted = Mark(APPLICATION_ID, max(number, wanted.schema_number if is_ours else 0))
    if connection.mark() != wanted:
        yield f"the database's header says {connection.mark()}, not {wanted}"


def _history_lines(connection: StorageConnection, schema: Schema) -> int:
    return connection.count(HISTORY) if HISTORY in {folded(table) for table in schema.tables} else 0


def _history_faults(
    connection: StorageConnection, now: Schema, before: ExcessBefore, allowed: Allowed
) -> Iterator[str]:
    if HISTORY not in {folded(table) for table in now.tables}:
        return
    had = 0 if HISTORY in allowed.renamed else before.history_lines
    written = _history_lines(connection, now) - had
    if written != allowed.history_lines:
        yield f"{written} lines were written to the history, not {allowed.history_lines}"
