"""PostgreSQL schema. Which tables, keys and indexes has a database, and how is a known schema said there?

A schema is known by its sheet, which is written for SQLite (`upgrade/versions/schemas`). `spelled` says it in
PostgreSQL's words, `statements_of` makes it, and `schema_of` finds it again: what was made of a sheet is
exactly what is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg

from app.full_text import OWN_NAME
from app.storage.postgresql.types import BIGINT, COLLATION, COUNTED, NOW, OWN_TABLE, TEXT, is_now, type_of
from app.storage.schema import Column, ForeignKey, Index, Schema, Table, quoted

_OURS = f"n.nspname = current_schema() AND c.relname <> '{OWN_TABLE}'"
_ACTIONS = {"a": "", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_TYPES = {
    "bigint": "BIGINT",
    "smallint": "SMALLINT",
    "text": "TEXT",
    "bytea": "BYTEA",
    "double precision": "DOUBLE PRECISION",
}
_TABLES = f"""
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {_OURS} AND c.relkind IN ('r', 'p') ORDER BY c.relname COLLATE "C"
"""
_COLUMNS = f"""
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid), a.attidentity <> '', a.attgenerated <> '',
       coalesce(l.collname, ''), coalesce(array_position(k.conkey, a.attnum), 0)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_collation l ON l.oid = a.attcollation AND l.collname NOT IN ('default', '{COLLATION}')
LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
WHERE {_OURS} AND c.relkind IN ('r', 'p') ORDER BY c.relname COLLATE "C", a.attnum
"""
_CONSTRAINTS = f"""
SELECT c.relname, k.contype, pg_get_constraintdef(k.oid), f.relname,
       k.confupdtype, k.confdeltype, k.condeferred,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(num, place)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY u.place),
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(num, place)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY u.place)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class f ON f.oid = k.confrelid
WHERE {_OURS} AND k.contype IN ('u', 'f', 'c')
"""
_INDEXES = f"""
SELECT i.relname, c.relname, x.indisunique, pg_get_expr(x.indpred, x.indrelid),
       ARRAY(SELECT pg_get_indexdef(x.indexrelid, g::int, true) ||
                    CASE WHEN x.indoption[g - 1] & 1 = 1 THEN ' DESC' ELSE '' END
             FROM generate_series(1, x.indnkeyatts) g)
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {_OURS} AND i.relname <> '{OWN_NAME}'
  AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u'))
ORDER BY i.relname COLLATE "C"
"""
_VIEWS = f"""
SELECT c.relname, pg_get_viewdef(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {_OURS} AND c.relkind IN ('v', 'm')
"""
_TRIGGERS = f"""
SELECT t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OURS} AND NOT t.tgisinternal
"""


# -- as it is found ------------------------------------------------------------------------------------------


def schema_of(connection: psycopg.Connection[Any]) -> Schema:
    """The schema of the database, the first of its search path. Reads only; raises psycopg.Error."""
    columns: dict[str, dict[str, Column]] = {name: {} for (name,) in connection.execute(_TABLES)}
    counting = set()
    for table, name, kind, notnull, default, identity, generated, collation, key in connection.execute(
        _COLUMNS
    ):
        if identity:
            counting.add(table)
        columns[table][name] = Column(
            type=_TYPES.get(kind, kind.upper()),
            notnull=notnull,
            default=None if default is None or generated else _default(default),
            pk=key,
            hidden=3 if generated else 0,
            collation=collation,
            generated=default if generated else "",
        )
    constraints = connection.execute(_CONSTRAINTS).fetchall()
    return Schema(
        tables={name: _table(name, found, constraints, name in counting) for name, found in columns.items()},
        indexes={
            name: Index(table, unique, tuple(map(_term, terms)), _condition(where))
            for name, table, unique, where, terms in connection.execute(_INDEXES)
        },
        triggers=dict(connection.execute(_TRIGGERS).fetchall()),
        views=dict(connection.execute(_VIEWS).fetchall()),
    )


def _table(name: str, columns: dict[str, Column], constraints: list[Any], counts: bool) -> Table:
    own = [row[1:] for row in constraints if row[0] == name]
    return Table(
        columns=columns,
        foreign_keys=frozenset(
            ForeignKey(tuple(mine), parent, tuple(theirs), _ACTIONS[on_update], _ACTIONS[on_delete], deferred)
            for kind, _, parent, on_update, on_delete, deferred, mine, theirs in own
            if kind == "f"
        ),
        uniques=frozenset(tuple(row[6]) for row in own if row[0] == "u"),
        checks=frozenset(row[1] for row in own if row[0] == "c"),
        autoincrement=counts,
    )


def _default(text: str) -> str:
    return "current_timestamp" if text == NOW else re.sub(r"::[a-z ]+$", "", text)


def _term(text: str) -> str:
    """A term of an index, a column or an expression, in the one spelling of both engines."""
    expression, descending, _ = text.partition(" DESC")
    return re.sub(r"\s*([(),])\s*", r"\1", expression.replace('"', "").lower()) + descending


def _condition(text: str | None) -> str:
    """The condition of an index without what PostgreSQL adds to it: parentheses, types, one spelling."""
    plain = re.sub(r"::[a-z]+", "", text or "").replace("(", " ").replace(")", " ").replace('"', "")
    return " ".join(plain.lower().split()).replace("<>", "!=")


# -- as it is said here --------------------------------------------------------------------------------------


def spelled(sheet: Schema) -> Schema:
    """A schema that a sheet says for SQLite, in the words in which `schema_of` finds it here."""
    return Schema(
        tables={name: _spelled_table(table) for name, table in sheet.tables.items()},
        indexes={
            name: replace(index, columns=tuple(map(_term, index.columns)), where=_condition(index.where))
            for name, index in sheet.indexes.items()
        },
    )


def _spelled_table(table: Table) -> Table:
    return Table(
        columns={name: _spelled_column(column) for name, column in table.columns.items()},
        foreign_keys=table.foreign_keys,
        uniques=frozenset(terms for terms in table.uniques if terms[:1] != ("primary key",)),
        checks=table.checks,
        autoincrement=_is_counted(table),
    )


def _is_counted(table: Table) -> bool:
    key = [(name, column.type) for name, column in table.columns.items() if column.pk]
    return len(key) == 1 and key[0][0] == COUNTED and type_of(key[0][1]) == BIGINT


def _spelled_column(column: Column) -> Column:
    default = column.default
    if default is not None:
        default = "current_timestamp" if is_now(default) else default
    return Column(
        type=type_of(column.type), notnull=column.notnull or bool(column.pk), default=default, pk=column.pk
    )


def statements_of(sheet: Schema) -> Iterator[str]:
    """The statements that make what a sheet says, in an order in which they can be run."""
    schema = spelled(sheet)
    for name, table in schema.tables.items():
        parts = [*(_column_text(column, found, table) for column, found in table.columns.items())]
        key = sorted((found.pk, column) for column, found in table.columns.items() if found.pk)
        parts.append(f"PRIMARY KEY ({_listed(column for _, column in key)})")
        parts += [f"UNIQUE ({_listed(terms)})" for terms in sorted(table.uniques)]
        yield f"CREATE TABLE {quoted(name)} ({', '.join(parts)})"
    for name, table in schema.tables.items():
        for foreign in sorted(table.foreign_keys, key=lambda key: key.columns):
            yield (
                f"ALTER TABLE {quoted(name)} ADD FOREIGN KEY ({_listed(foreign.columns)})"
                f" REFERENCES {quoted(foreign.parent)} ({_listed(foreign.parent_columns)})"
            )
    for name, index in schema.indexes.items():
        unique, where = "UNIQUE " if index.unique else "", f" WHERE {index.where}" if index.where else ""
        terms = ", ".join(map(_ordered, index.columns))
        yield f"CREATE {unique}INDEX {quoted(name)} ON {quoted(index.table)} ({terms}){where}"


def _column_text(name: str, column: Column, table: Table) -> str:
    words = [quoted(name), column.type]
    if column.type == TEXT:
        words.append(f'COLLATE "{COLLATION}"')
    if column.default is not None:
        words.append(f"DEFAULT {NOW if is_now(column.default) else column.default}")
    if table.autoincrement and column.pk and column.type == BIGINT:
        words.append("GENERATED BY DEFAULT AS IDENTITY")
    return " ".join([*words, "NOT NULL"] if column.notnull else words)


def _ordered(term: str) -> str:
    what, descending, _ = term.partition(" DESC")
    return (f"({what})" if "(" in what else quoted(what)) + descending


def _listed(names: Any) -> str:
    return ", ".join(quoted(name) for name in names)
