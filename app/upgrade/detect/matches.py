"""Table matches. Which known form has each of our tables in this database, and what of it differs?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from app.storage.fingerprint import Difference, Schema, difference
from app.storage.schema import Table, folded
from app.upgrade.legacy.table_forms import ABSENT, Form, form_at, forms_of
from app.upgrade.versions.expected_schema import only

STRANGE = "of no known form"
ALIKE = 0.6  # a table with this share of a form's columns is that form, changed; below it is another table


@dataclass(frozen=True)
class Match:
    """What one of our tables is in a database: absent, of a known form with its differences, or strange."""

    table: str
    form: Form | None
    drift: tuple[Difference, ...] = ()
    extras: tuple[Difference, ...] = ()
    is_there: bool = True

    @property
    def variant(self) -> str:
        """The name of the form for people, "absent" when the table is not there."""
        if self.form is not None:
            return self.form.name
        return STRANGE if self.is_there else ABSENT

    @property
    def is_exact(self) -> bool:
        """Whether it has a known form and nothing of it is missing or changed."""
        return self.form is not None and not self.drift

    @property
    def is_odd(self) -> bool:
        """Whether it must be adopted before the steps."""
        return self.form is not None and self.form.shape is not None


def match_of_ours(schema: Schema, table: str, version: str, spelled: Callable[[Schema], Schema]) -> Match:
    """Compare a table of a database with our mark with the one form that it has at its version.

    ``spelled`` is how its engine says a form.
    """
    have = only(schema, table)
    if not have.tables:
        return Match(table, None, is_there=False)
    form = form_at(table, version)
    return _compared(have, replace(form, schema=spelled(form.schema)))


def match_of_any(schema: Schema, table: str) -> Match:
    """Find the form of a table in a database without our mark; a table that is like none is strange."""
    have = only(schema, table)
    tried = [_compared(have, form) for form in forms_of(table)]
    if not have.tables or not tried:
        return Match(table, None, is_there=False)
    best = min(tried, key=lambda match: len(match.drift))
    if best.is_exact:
        return best
    found = next(iter(have.tables.values()))
    alike = [match for match in tried if match.form and _likeness(found, match.form) >= ALIKE]
    nearest = min(alike, key=lambda match: len(match.drift), default=None)
    return nearest or Match(table, None)


def _compared(have: Schema, form: Form) -> Match:
    found = difference(have, form.schema)
    return Match(
        form.table,
        form,
        drift=tuple(one for one in found if one.kind != "extra"),
        extras=tuple(one for one in found if one.kind == "extra"),
    )


def _likeness(found: Table, form: Form) -> float:
    wanted = {folded(name) for table in form.schema.tables.values() for name in table.columns}
    have = {folded(name) for name in found.columns}
    return len(wanted & have) / len(wanted)
