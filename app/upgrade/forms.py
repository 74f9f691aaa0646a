"""Which forms can each of our tables have? The releases' own, today's, and those of the files in shapes/."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

from app.storage.fingerprint import Schema, schema_from_sql
from app.storage.schema import folded
from app.upgrade import shapes
from app.upgrade.releases import NEWEST, schema_text, sheet_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

CANONICAL = "canonical"
ABSENT = "absent"
CORE_TABLES = ("users", "endpoints", "data_entries", "api_keys", "audit_logs")
PRIVACY_TABLES = ("user_privacy_settings", "data_privacy_rules")
OUR_TABLES = (*CORE_TABLES, *PRIVACY_TABLES, "database_versions", "kept_values")
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

    @property
    def is_canonical(self) -> bool:
        """Whether this is the form that the table has after every upgrade."""
        return self.schema == only(canonical(), self.table)


@cache
def shape_names() -> tuple[str, ...]:
    """Return the names of the files in shapes/."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(shapes.__path__)))


def get_shape(name: str) -> Shape:
    """Return a file of shapes/ by its name. Raises ImportError for one that is not there."""
    return cast(Shape, importlib.import_module(f"{shapes.__name__}.{name}"))


@cache
def canonical() -> Schema:
    """Return the schema that every upgrade ends in."""
    return _schema_of_text(sheet_of(NEWEST))


@cache
def forms_of(table: str) -> tuple[Form, ...]:
    """Return the known forms of a table, the fullest first: of two that fit, the first is meant."""
    found = _own_forms(table)
    for shape in shape_names():
        for name, sql in get_shape(shape).SCHEMAS.items():
            found += _form_in(table, name, sql, shape)
    return tuple(found)


def get_form(table: str, name: str) -> Form:
    """Return the form of that name. Raises KeyError for an unknown one."""
    for form in forms_of(table):
        if form.name == name:
            return form
    raise KeyError(f"{table} has no form {name!r}")


@cache
def needed_names() -> frozenset[str]:
    """Return the names, folded, of all tables and indexes that an upgraded database has."""
    sheet = canonical()
    return frozenset(folded(name) for name in (*sheet.tables, *sheet.indexes))


def only(schema: Schema, table: str) -> Schema:
    """Return what a schema has of one table: itself and the indexes on it."""
    return Schema(
        tables={name: found for name, found in schema.tables.items() if folded(name) == table},
        indexes={name: index for name, index in schema.indexes.items() if index.table == table},
    )


def _own_forms(table: str) -> list[Form]:
    """Return today's form and the releases'; one that is the same in several has the name of the oldest."""
    layouts = [form for name, file in LAYOUTS for form in _form_in(table, name, schema_text(file), None)]
    if layouts and all(form.schema == layouts[0].schema for form in layouts):
        layouts = [replace(layouts[0], name=LAYOUT)]
    today = _form_in(table, CANONICAL, sheet_of(NEWEST), None)
    return [form for form in today if form.schema not in [other.schema for other in layouts]] + layouts


def _form_in(table: str, name: str, sql: str, shape: str | None) -> list[Form]:
    schema = only(_schema_of_text(sql), table)
    return [Form(table, name, schema, sql, shape)] if schema.tables else []


@cache
def _schema_of_text(sql: str) -> Schema:
    return schema_from_sql(sql)  # the same text is asked for once for each of its tables
