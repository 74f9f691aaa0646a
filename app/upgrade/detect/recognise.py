"""Recognition. What is this database? Its schema is the evidence; a version recorded in it only a claim.

A database of ours is compared with the schema of the version that it records. In one without our mark each
table is compared, by itself, with every form that it can have; so any mixture of known forms is known. What
the owner added does not count. What is missing or changed is drift, and named.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.storage.fingerprint import Difference, Schema, difference, fingerprint
from app.storage.schema import folded
from app.storage.types import StorageConnection
from app.upgrade.detect.matches import STRANGE, Match, match_of_any, match_of_ours
from app.upgrade.detect.name_collisions import collisions, place_of
from app.upgrade.detect.recorded_versions import TABLE as HISTORY_TABLE
from app.upgrade.detect.recorded_versions import contradiction_of, read_history
from app.upgrade.legacy.table_forms import ABSENT
from app.upgrade.model import Extra, NameCollision, Recognition
from app.upgrade.versions.expected_schema import CORE_TABLES, PRIVACY_TABLES, is_whole, our_tables, schema_at
from app.upgrade.versions.releases import (
    APPLICATION_ID,
    ERAS,
    NEWEST,
    NEWEST_CLAIM,
    NEWEST_UNMARKED,
    SCHEMA_VERSIONS,
    version_key,
)


@dataclass(frozen=True)
class Description:
    """What a database is, in the few words that a backup's manifest keeps."""

    label: str
    version: str | None
    fingerprint: str | None
    is_daemon: bool

    @property
    def version_label(self) -> str:
        """The version for people: "0.3.0", "0.1.0 to 0.2.1"."""
        return self.version or self.label


def recognise(connection: StorageConnection) -> Recognition:
    """Return what the open database is. Reads only; raises StorageError where it is damaged."""
    return _Look(connection).recognition()


def is_past(known: Recognition, target: str) -> bool:
    """Return whether the database is at ``target`` or beyond it, by schema and history line."""
    return known.recorded is not None and version_key(known.recorded) >= version_key(target)


def is_newest(connection: StorageConnection) -> bool:
    """Return whether the database is exactly at the newest version; quicker than recognising it."""
    if read_history(connection).own_version != NEWEST:
        return False
    mark = connection.mark()
    if mark.application_id == APPLICATION_ID and mark.schema_number > SCHEMA_VERSIONS[-1].user_version:
        return False
    return is_whole(connection, connection.schema(), NEWEST)


def describe(connection: StorageConnection) -> Description:
    """Return what the database is, in a few words."""
    known = recognise(connection)
    is_daemon = known.kind in ("daemon", "newer")
    return Description(known.label, known.recorded, known.fingerprint, is_daemon)


def names_taken(connection: StorageConnection, target: str) -> tuple[NameCollision, ...]:
    """Return what of the owner has a name that ``target`` needs, in the order in which to rename it."""
    return tuple(
        taken for taken in _Look(connection).taken if version_key(taken.since) <= version_key(target)
    )


class _Look:
    """One look at one database: its schema, its header, its history, and what follows from them."""

    def __init__(self, connection: StorageConnection) -> None:
        self.connection = connection
        self.schema = connection.schema()
        self.unread = {folded(one.name) for one in connection.unusable_objects() if not one.lacks}
        self.history = read_history(connection)
        mark = connection.mark()
        header_version = mark.schema_number if mark.application_id == APPLICATION_ID else 0
        self.is_ours = self.history.own_version is not None or header_version >= 200
        self.header_version = header_version
        self.sheet = self._sheet()
        self.matches = {table: self._match(table) for table in our_tables()}
        self.taken = tuple(collisions(self.schema, self.matches, self.sheet, is_ours=self.is_ours))

    def _sheet(self) -> str:
        """Return the version whose schema the database should have: the recorded one.

        Where its history is behind its header or gone, the newest of the versions between that it has whole,
        the table of the history aside.
        """
        if not self.is_ours:
            return NEWEST_UNMARKED
        recorded = version_key(self.history.own_version or NEWEST_UNMARKED)
        lowest = [row.version for row in SCHEMA_VERSIONS if version_key(row.version) <= recorded][-1]
        between = [
            row.version
            for row in SCHEMA_VERSIONS
            if row.user_version <= self.header_version and version_key(row.version) > recorded
        ]
        return next((version for version in reversed(between) if self._has_whole(version)), lowest)

    def _has_whole(self, version: str) -> bool:
        found = difference(self.schema, self.connection.spelled(schema_at(version)))
        return all(one.kind == "extra" or one.name == HISTORY_TABLE for one in found)

    def _match(self, table: str) -> Match:
        if not self.is_ours:
            return match_of_any(self.schema, table)
        if table not in schema_at(self.sheet).tables:
            return Match(table, None, is_there=False)
        return match_of_ours(self.schema, table, self.sheet, self.connection.spelled)

    def recognition(self) -> Recognition:
        """Return what it all comes to."""
        if not (self.schema.tables or self.schema.views):
            return Recognition("empty", "no tables", variants=self._variants())
        if not self._is_daemon():
            return Recognition("foreign", _foreign_label(self.schema))
        drift = tuple(self._drift())
        newer = self._newer_than_known()
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
            # A newer version of ours contradicts nothing that is known here.
            contradiction=None
            if newer and self.is_ours
            else contradiction_of(self.history, recorded, lowest, highest, label),
            fingerprint=fingerprint(self.schema, self.connection.spelled(schema_at(self.sheet))),
            sheet=self.sheet,
            in_history=self._in_history(),
            taken=self.taken,
        )

    def _variants(self) -> dict[str, str]:
        expected = schema_at(self.sheet).tables
        return {table: match.variant for table, match in self.matches.items() if table in expected}

    def _is_daemon(self) -> bool:
        if self.is_ours or self.header_version:
            return True
        found = [
            table for table in CORE_TABLES if self.matches[table].form is not None or table in self.unread
        ]
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
            return [table for table in absent if table in schema_at(self.sheet).tables]
        absent = [table for table in absent if table in CORE_TABLES]
        if len(absent) == len(CORE_TABLES):
            return []
        is_young = self.matches["users"].is_odd and len(absent) == len(CORE_TABLES) - 1
        return [] if is_young else absent

    def _newer_than_known(self) -> str | None:
        """Return a sentence when a newer Daemon, or an old script, says that it is past all we know."""
        own = self.history.own_version
        if own is not None and version_key(own) > version_key(NEWEST):
            return f"{own}, by its history"
        if self.header_version > SCHEMA_VERSIONS[-1].user_version:
            return f"schema number {self.header_version}, by its header"
        highest = max((claim.version for claim in self.history.claims), key=version_key, default="")
        if not self.is_ours and version_key(highest) > version_key(NEWEST_CLAIM):
            return f"{highest}, by its table database_versions"
        return None

    def _recorded(self) -> str | None:
        """Return the version that our own history gives its schema; None where it lags behind the schema."""
        if self.history.own_version is not None:
            return self._in_history()
        is_first = self.header_version == SCHEMA_VERSIONS[0].user_version
        return SCHEMA_VERSIONS[0].version if is_first else None

    def _in_history(self) -> str | None:
        return self.sheet if self.history.own_version == self.sheet else None

    def _era(self, recorded: str | None) -> tuple[str | None, str | None, str]:
        """Return the lowest and highest release that can have made this, and what to call it."""
        if recorded is not None:
            return recorded, recorded, recorded
        if self.is_ours:
            label = f"{self.history.own_version or self.sheet} of this project, without its whole schema"
            is_whole = not self._drift()
            return (
                "0.2.0",
                self.sheet,
                f"the schema of {self.sheet}, without its history" if is_whole else label,
            )
        users = self.matches["users"]
        if users.form is None:
            return None, None, "no tables but the version table of an old script"
        if users.is_odd:
            return None, None, f"{users.variant}: what migrate_database.py makes where there is no database"
        variants = {table: self.matches[table] for table in PRIVACY_TABLES}
        states = {"none" if not one.is_there else "odd" if one.is_odd else "own" for one in variants.values()}
        era = ERAS[users.variant, states.pop() if len(states) == 1 else "odd"]  # type: ignore[index]
        odd = [f"{table}: {one.variant}" for table, one in variants.items() if one.is_odd]
        odd = [*filter(None, [era.oddity]), *odd]
        lowest, highest = era.lowest, era.highest
        label = f"{lowest} to {highest} ({'; '.join(odd)})" if odd else f"{lowest} to {highest}"
        return lowest, highest, label

    def _tables_that_count(self) -> set[str]:
        """Return the tables that are ours or no one's; every other one is the owner's."""
        return {table for table, match in self.matches.items() if match.is_there}

    def _extras(self) -> list[Extra]:
        found = [
            Extra(one.what, one.name, one.detail) for match in self.matches.values() for one in match.extras
        ]
        ours = {folded(name) for name, match in self.matches.items() if match.form is not None}
        strange = [name for name in self.schema.tables if folded(name) not in self._tables_that_count()]
        strange += [taken.name for taken in self.taken if taken.what == "table"]
        found += [Extra("table", name) for name in dict.fromkeys(strange)]
        found += [
            Extra("index", name, f"on {index.table}")
            for name, index in self.schema.indexes.items()
            if index.table not in ours
        ]
        found += [Extra("view", name) for name in self.schema.views]
        found += [Extra("trigger", name) for name in self.schema.triggers]
        renamed = {(one.what, place_of(one)): one.new_name for one in self.taken}
        return [_with_new_name(extra, renamed) for extra in found]


def _with_new_name(extra: Extra, renamed: dict[tuple[str, str], str]) -> Extra:
    new_name = renamed.get((extra.what, extra.name))
    if new_name is None:
        return extra
    return Extra(extra.what, extra.name, f"its name is needed: it will be called {new_name}")


def _foreign_label(schema: Schema) -> str:
    names = sorted((*schema.tables, *schema.views))
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"another program's database, with {', '.join(names[:5])}{more}"
