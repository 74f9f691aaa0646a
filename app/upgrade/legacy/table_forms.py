"""Table forms. Which can our tables have, by old releases, by our versions and by the files in shapes/?"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

from app.storage.fingerprint import Difference, Schema
from app.storage.schema import folded
from app.upgrade.legacy import shapes
from app.upgrade.model import Recognition
from app.upgrade.versions.expected_schema import columns_at, only, schema_of_text
from app.upgrade.versions.releases import NEWEST_UNMARKED, SCHEMA_VERSIONS, schema_text, sheet_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

CANONICAL = "canonical"
ABSENT = "absent"
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
def form_at(table: str, version: str) -> Form:
    """Return the form that a table of ours has at a version. Raises KeyError where it has none there."""
    found = _form_in(table, CANONICAL, sheet_of(version), None)
    if not found:
        raise KeyError(f"{version} has no table {table}")
    return found[0]


@cache
def forms_of(table: str) -> tuple[Form, ...]:
    """Return the forms of a table in a database without our mark, the fullest first.

    Of two that fit, the first is meant. A table that only later versions have is no one's but the owner's.
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


def table_of(one: Difference, known: Recognition) -> str:
    """Return the table that a difference is about."""
    if one.what == "index":
        for table, variant in known.variants.items():
            if one.name in _indexes(table, variant, known.sheet):
                return table
    return one.name.partition(".")[0]


def _indexes(table: str, variant: str, sheet: str) -> frozenset[str]:
    try:
        return frozenset(get_form(table, variant, sheet).schema.indexes)
    except KeyError:
        return frozenset()


def was_in_releases(table: str) -> bool:
    """Return whether the old releases made a table of that name."""
    return any(table in schema_of_text(schema_text("app.upgrade.legacy", file)).tables for _, file in LAYOUTS)


def columns_needed(form: Form) -> dict[str, str]:
    """Return the columns that our versions give the table beyond ``form``, with the first that has each."""
    (here,) = form.schema.tables.values()
    had = {folded(name) for name in here.columns}
    needed: dict[str, str] = {}
    for row in SCHEMA_VERSIONS:
        for column in columns_at(form.table, row.version) - had:
            needed.setdefault(column, row.version)
    return needed


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
    schema = only(schema_of_text(sql), table)
    return [Form(table, name, schema, sql, shape)] if schema.tables else []
