"""Which forms can our tables have? Those of old releases, of our versions, and of the files in shapes/."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

from app.storage.fingerprint import Schema, schema_from_sql
from app.storage.schema import folded
from app.upgrade.legacy import shapes
from app.upgrade.versions.releases import NEWEST, NEWEST_UNMARKED, SCHEMA_VERSIONS, schema_text, sheet_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

CANONICAL = "canonical"
ABSENT = "absent"
CORE_TABLES = ("users", "endpoints", "data_entries", "api_keys", "audit_logs")
PRIVACY_TABLES = ("user_privacy_settings", "data_privacy_rules")
LAYOUT = "layout"  # the releases' own form of a table that is the same in all of them
LAYOUTS = (("layout B", "layout_b.sql"), ("layout A", "layout_a.sql"))


class Shape(Protocol):
    """A file of shapes/; see there."""

    TITLE: str
    KEEP_VALUES: bool
    SCHEMAS: dict[str, str]

    def adopt(self, bind: Connection, table: str) -> tuple[list[str], dict[int, int]]:
        """Turn the table into its canonical form."""


@dataclass(frozen=True)
class Form:
    """One form of one table, with its indexes; ``shape`` names the file that adopts it, if it needs that."""

    table: str
    name: str
    schema: Schema
    sql: str
    shape: str | None = None


@cache
def shape_names() -> tuple[str, ...]:
    """Return the names of the files in shapes/."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(shapes.__path__)))


def get_shape(name: str) -> Shape:
    """Return a file of shapes/ by its name. Raises ImportError for one that is not there."""
    return cast(Shape, importlib.import_module(f"{shapes.__name__}.{name}"))


@cache
def schema_at(version: str) -> Schema:
    """Return the schema of one of our versions. Raises KeyError for what is none."""
    return _schema_of_text(sheet_of(version))


@cache
def our_tables() -> tuple[str, ...]:
    """Return the names of all tables of the newest version, in the order of its sheet."""
    return tuple(schema_at(NEWEST).tables)


@cache
def form_at(table: str, version: str) -> Form:
    """Return the form that a table of ours has at a version. Raises KeyError where it has none there."""
    found = _form_in(table, CANONICAL, sheet_of(version), None)
    if not found:
        raise KeyError(f"{version} has no table {table}")
    return found[0]


@cache
def forms_of(table: str) -> tuple[Form, ...]:
    """Return the forms of a table in a database without our mark, the fullest first.

    Of two that fit, the first is meant. A table that only later versions have is nobody's but the owner's.
    """
    found = _own_forms(table)
    for shape in shape_names():
        for name, sql in get_shape(shape).SCHEMAS.items():
            found += _form_in(table, name, sql, shape)
    return tuple(found)


def get_form(table: str, name: str, version: str) -> Form:
    """Return the form of that name; the canonical one is that of ``version``. Raises KeyError."""
    if name == CANONICAL:
        return form_at(table, version)
    for form in forms_of(table):
        if form.name == name:
            return form
    raise KeyError(f"{table} has no form {name!r}")


@cache
def needed_since(version: str | None) -> dict[str, str]:
    """Return the folded names of tables and indexes that versions after ``version`` bring, with the first.

    None is a database without our mark: every name of ours is needed.
    """
    needed: dict[str, str] = {}
    had = _names(schema_at(version)) if version else frozenset()
    for row in SCHEMA_VERSIONS:
        for name in _names(schema_at(row.version)) - had:
            needed.setdefault(name, row.version)
    return needed


def columns_needed(form: Form) -> dict[str, str]:
    """Return the columns that our versions give the table beyond ``form``, with the first that has each."""
    (here,) = form.schema.tables.values()
    had = {folded(name) for name in here.columns}
    needed: dict[str, str] = {}
    for row in SCHEMA_VERSIONS:
        for column in _columns(form.table, row.version) - had:
            needed.setdefault(column, row.version)
    return needed


def _names(schema: Schema) -> frozenset[str]:
    return frozenset(folded(name) for name in (*schema.tables, *schema.indexes))


def _columns(table: str, version: str) -> frozenset[str]:
    found = schema_at(version).tables.get(table)
    return frozenset(folded(name) for name in found.columns) if found else frozenset()


def only(schema: Schema, table: str) -> Schema:
    """Return what a schema has of one table: itself and the indexes on it."""
    return Schema(
        tables={name: found for name, found in schema.tables.items() if folded(name) == table},
        indexes={name: index for name, index in schema.indexes.items() if index.table == table},
    )


def _own_forms(table: str) -> list[Form]:
    """Return the forms of the old releases and of our first version; the oldest names what several share."""
    layouts = [
        form
        for name, file in LAYOUTS
        for form in _form_in(table, name, schema_text("app.upgrade.legacy", file), None)
    ]
    if layouts and all(form.schema == layouts[0].schema for form in layouts):
        layouts = [replace(layouts[0], name=LAYOUT)]
    first = _form_in(table, CANONICAL, sheet_of(NEWEST_UNMARKED), None)
    return [form for form in first if form.schema not in [other.schema for other in layouts]] + layouts


def _form_in(table: str, name: str, sql: str, shape: str | None) -> list[Form]:
    schema = only(_schema_of_text(sql), table)
    return [Form(table, name, schema, sql, shape)] if schema.tables else []


@cache
def _schema_of_text(sql: str) -> Schema:
    return schema_from_sql(sql)  # the same text is asked for once for each of its tables
