"""What is this database? Its schema is the evidence; whatever version somebody recorded in it is a claim.

Each of our tables is compared, by itself, with every form that it can have; so any mixture of known forms is
known. What the owner added does not count. What is missing or changed is drift, and named.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from app.storage.fingerprint import Difference, Schema, difference, fingerprint
from app.storage.schema import Table, folded
from app.storage.sqlite_rows import value
from app.storage.sqlite_schema import schema_of
from app.upgrade.claims import contradiction_of, read_history
from app.upgrade.forms import (
    ABSENT,
    CORE_TABLES,
    OUR_TABLES,
    PRIVACY_TABLES,
    Form,
    canonical,
    forms_of,
    needed_names,
    only,
)
from app.upgrade.releases import (
    APPLICATION_ID,
    ERAS,
    FINGERPRINTS,
    NEWEST,
    NEWEST_RELEASE,
    SCHEMA_VERSIONS,
    version_key,
)
from app.upgrade.state import Extra, Recognition

STRANGE = "of no known form"
ALIKE = 0.6  # a table with this share of a form's columns is that form, changed; below it is another table
OWNERS_PREFIX = "owner_"
MAY_BE_THE_OWNERS = ("database_versions", "kept_values")


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


@dataclass(frozen=True)
class Taken:
    """Something of the owner under a name that an upgrade needs, and the name that it gets."""

    what: str  # table | column | index | view
    table: str
    name: str
    new_name: str


@dataclass(frozen=True)
class Description:
    """What a database is, in the few words that a backup's manifest keeps."""

    label: str
    version: str | None
    fingerprint: str | None
    is_daemon: bool

    @property
    def version_label(self) -> str:
        """The version for people: "0.3.0", "0.1.0 to 0.2.1 (layout A)"."""
        return self.version or self.label


def recognise(connection: sqlite3.Connection) -> Recognition:
    """Return what the open database is. Reads only; raises sqlite3.Error where it is damaged."""
    return _Look(connection).recognition()


def is_newest(connection: sqlite3.Connection) -> bool:
    """Return whether the database is exactly at the newest version; quicker than recognising it."""
    if read_history(connection).own_version != NEWEST:
        return False
    is_ours = value(connection, "PRAGMA application_id") == APPLICATION_ID
    if is_ours and value(connection, "PRAGMA user_version") > SCHEMA_VERSIONS[-1].user_version:
        return False
    return fingerprint(schema_of(connection), canonical()) == FINGERPRINTS[NEWEST]


def describe(connection: sqlite3.Connection) -> Description:
    """Return what the database is, in a few words."""
    known = recognise(connection)
    is_daemon = known.kind in ("daemon", "newer")
    return Description(known.label, known.recorded, known.fingerprint, is_daemon)


def names_taken(connection: sqlite3.Connection) -> tuple[Taken, ...]:
    """Return what of the owner stands in the way by its name, in the order in which to rename it."""
    return _Look(connection).taken


class _Look:
    """One look at one database: its schema, its header, its history, and what follows from them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.schema = schema_of(connection)
        self.history = read_history(connection)
        self.application_id = value(connection, "PRAGMA application_id")
        self.user_version = value(connection, "PRAGMA user_version")
        header_version = self.user_version if self.application_id == APPLICATION_ID else 0
        self.is_ours = self.history.own_version is not None or header_version >= 200
        self.header_version = header_version
        self.matches = {table: _match(self.schema, table, is_ours=self.is_ours) for table in OUR_TABLES}
        self.taken = tuple(_taken(self.schema, self.matches, is_ours=self.is_ours))

    def recognition(self) -> Recognition:
        """Return what it all comes to."""
        if not (self.schema.tables or self.schema.views):
            return Recognition("empty", "no tables", variants=self._variants())
        if not self._is_daemon():
            return Recognition("foreign", _foreign_label(self.schema))
        drift = tuple(self._drift())
        newer = self._newer_than_known(drift)
        recorded = None if drift or newer else self._recorded()
        lowest, highest, label = self._era(recorded)
        return Recognition(
            "newer" if newer else "daemon",
            newer or label,
            lowest=lowest,
            highest=highest,
            recorded=recorded,
            variants=self._variants(),
            exact=not drift,
            drift=drift,
            extras=tuple(self._extras()),
            claims=self.history.claims,
            contradiction=contradiction_of(self.history, recorded, lowest, highest, label),
            fingerprint=fingerprint(self.schema, canonical()),
        )

    def _variants(self) -> dict[str, str]:
        return {table: match.variant for table, match in self.matches.items()}

    def _is_daemon(self) -> bool:
        if self.is_ours or self.header_version:
            return True
        found = [table for table in CORE_TABLES if self.matches[table].form is not None]
        if len(found) > 1 and ("data_entries" in found or "endpoints" in found):
            return True
        users = self.matches["users"]
        return (users.is_exact and users.is_odd) or self._has_nothing_but_claims()

    def _has_nothing_but_claims(self) -> bool:
        """Whether an old script made its version table in an empty file, and nothing else is there."""
        return self.matches["database_versions"].is_exact and len(self.schema.tables) == 1

    def _drift(self) -> list[Difference]:
        found = [one for match in self.matches.values() for one in match.drift]
        strange = [table for table, match in self.matches.items() if match.variant == STRANGE]
        moved = {folded(taken.name) for taken in self.taken if taken.what == "table"}
        found += [
            Difference("changed", "table", table, "it is of no known form")
            for table in strange
            if table not in moved
        ]
        return found + [Difference("missing", "table", table) for table in self._missing_tables()]

    def _missing_tables(self) -> list[str]:
        absent = [table for table, match in self.matches.items() if match.variant == ABSENT]
        if self.is_ours:
            return absent
        absent = [table for table in absent if table in CORE_TABLES]
        if len(absent) == len(CORE_TABLES):
            return []
        is_young = self.matches["users"].is_odd and len(absent) == len(CORE_TABLES) - 1
        return [] if is_young else absent

    def _newer_than_known(self, drift: tuple[Difference, ...]) -> str | None:
        """Return a sentence when a newer Daemon, or an old script, says that it is past all we know."""
        own = self.history.own_version
        if own is not None and version_key(own) > version_key(NEWEST):
            return f"{own}, by its history"
        if self.header_version > SCHEMA_VERSIONS[-1].user_version:
            return f"schema number {self.header_version}, by its header"
        highest = max((claim.version for claim in self.history.claims), key=version_key, default="")
        if not self.is_ours and version_key(highest) > version_key(NEWEST_RELEASE):
            return f"{highest}, by its table database_versions"
        return None

    def _recorded(self) -> str | None:
        """Return the version that our own history gives a canonical schema."""
        if self.history.own_version is not None:
            return self.history.own_version
        is_first = self.header_version == SCHEMA_VERSIONS[0].user_version
        return SCHEMA_VERSIONS[0].version if is_first else None

    def _era(self, recorded: str | None) -> tuple[str | None, str | None, str]:
        """Return the lowest and highest release that can have made this, and what to call it."""
        if recorded is not None:
            return recorded, recorded, recorded
        if self.is_ours:
            label = f"{self.history.own_version or NEWEST} of this project, without its whole schema"
            is_whole = not self._drift()
            return "0.2.0", NEWEST, f"the schema of {NEWEST}, without a history" if is_whole else label
        users = self.matches["users"]
        if users.form is None:
            return None, None, "no tables but the version table of an old script"
        if users.is_odd:
            return None, None, f"{users.variant}: what migrate_database.py makes where there is no database"
        variants = {table: self.matches[table] for table in PRIVACY_TABLES}
        states = {"none" if not one.is_there else "odd" if one.is_odd else "own" for one in variants.values()}
        era = ERAS[users.variant, states.pop() if len(states) == 1 else "odd"]  # type: ignore[index]
        odd = [f"{table}: {one.variant}" for table, one in variants.items() if one.is_odd]
        return era.lowest, era.highest, f"{era.lowest} to {era.highest} ({'; '.join([era.name, *odd])})"

    def _extras(self) -> list[Extra]:
        found = [
            Extra(one.what, one.name, one.detail) for match in self.matches.values() for one in match.extras
        ]
        ours = {folded(name) for name, match in self.matches.items() if match.form is not None}
        strange = [name for name in self.schema.tables if folded(name) not in OUR_TABLES]
        strange += [taken.name for taken in self.taken if taken.what == "table"]
        found += [Extra("table", name) for name in dict.fromkeys(strange)]
        found += [
            Extra("index", name, f"on {index.table}")
            for name, index in self.schema.indexes.items()
            if index.table not in ours
        ]
        found += [Extra("view", name) for name in self.schema.views]
        found += [Extra("trigger", name) for name in self.schema.triggers]
        renamed = {(one.what, _place(one)): one.new_name for one in self.taken}
        return [_with_new_name(extra, renamed) for extra in found]


# -- one table -----------------------------------------------------------------------------------------------


def _match(schema: Schema, table: str, *, is_ours: bool) -> Match:
    have = only(schema, table)
    if not have.tables:
        return Match(table, None, is_there=False)
    forms = [form for form in forms_of(table) if form.is_canonical or not is_ours]
    tried = [_compared(have, form) for form in forms]
    best = min(tried, key=lambda match: len(match.drift))
    if best.is_exact or is_ours:
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


# -- names ---------------------------------------------------------------------------------------------------


def _taken(schema: Schema, matches: dict[str, Match], *, is_ours: bool) -> list[Taken]:
    """Return what has a name that is needed: views and tables first, then columns, then indexes."""
    if is_ours:
        return []
    needed = needed_names()
    used = {folded(name) for name in (*schema.tables, *schema.indexes, *schema.views)}
    found = [Taken("view", "", name, _free(name, used)) for name in schema.views if folded(name) in needed]
    for name in schema.tables:
        is_in_the_way = folded(name) in MAY_BE_THE_OWNERS and matches[folded(name)].form is None
        if is_in_the_way or (folded(name) in needed and folded(name) not in OUR_TABLES):
            found.append(Taken("table", "", name, _free(name, used)))
    for match in matches.values():
        found += _taken_columns(match)
    moved = {folded(taken.name) for taken in found if taken.what == "table"}
    return found + _taken_indexes(schema, matches, moved, used)


def _taken_columns(match: Match) -> list[Taken]:
    """Return the owner's columns that have the name of one of ours and are not just that."""
    if match.form is None or match.form.is_canonical or match.is_odd:
        return []
    wanted = only(canonical(), match.table).tables[match.table].columns
    used = {folded(one.name.partition(".")[2]) for one in match.extras} | wanted.keys()
    names = [one.name.partition(".")[2] for one in match.extras if one.what == "column"]
    return [Taken("column", match.table, name, _free(name, used)) for name in names if folded(name) in wanted]


def _taken_indexes(schema: Schema, matches: dict[str, Match], moved: set[str], used: set[str]) -> list[Taken]:
    """Return the indexes that have a name of ours and are not the index of that name."""
    sheet = canonical()
    ours = {folded(name): index for name, index in sheet.indexes.items()}
    found = []
    for name, index in schema.indexes.items():
        match = matches.get(index.table)
        if folded(name) not in needed_names() or index == ours.get(folded(name)):
            continue
        is_known = match is not None and match.form is not None and name in match.form.schema.indexes
        if not is_known and index.table not in moved:
            found.append(Taken("index", index.table, name, _free(name, used)))
    return found


def _free(name: str, used: set[str]) -> str:
    """Return owner_NAME, or owner_NAME_2 and so on when that is there too; it is used from now on."""
    new_name = OWNERS_PREFIX + name
    number = 1
    while folded(new_name) in used:
        number += 1
        new_name = f"{OWNERS_PREFIX}{name}_{number}"
    used.add(folded(new_name))
    return new_name


def _place(taken: Taken) -> str:
    return f"{taken.table}.{taken.name}" if taken.what == "column" else taken.name


def _with_new_name(extra: Extra, renamed: dict[tuple[str, str], str]) -> Extra:
    new_name = renamed.get((extra.what, extra.name))
    if new_name is None:
        return extra
    return Extra(extra.what, extra.name, f"its name is needed: it will be called {new_name}")


def _foreign_label(schema: Schema) -> str:
    names = sorted((*schema.tables, *schema.views))
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"another program's database, with {', '.join(names[:5])}{more}"
