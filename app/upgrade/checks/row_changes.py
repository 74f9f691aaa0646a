"""What was written to a database since an earlier copy of it? Counted by table: added, changed, removed rows.

Rows that the upgrade itself put in do not count. Which tables those are in, the contracts of the steps say:
there, rows up to the highest id when it was done are the upgrade's, and rows that belong to one which was
there before (the settings of a person). What a step finds out again from the rest is not counted either. Of
a table that the upgrade gave another form, only rows that are surely new are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from app.storage.schema import ForeignKey, quoted
from app.storage.types import StorageConnection
from app.upgrade.detect.name_collisions import OWNERS_PREFIX
from app.upgrade.legacy.switches import SWITCHES, read
from app.upgrade.versions.contracts import Contract, contract_of
from app.upgrade.versions.expected_schema import schema_at
from app.upgrade.versions.releases import NEWEST, SCHEMA_VERSIONS, version_key


@dataclass(frozen=True)
class Written:
    """How many rows of a table were added, changed and removed."""

    added: int = 0
    changed: int = 0
    removed: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    @property
    def count(self) -> int:
        """How many rows in all."""
        return self.added + self.changed + self.removed


def highest_ids(connection: StorageConnection, target: str) -> dict[str, int]:
    """Return the highest ids now, of the tables with an id that upgrades up to ``target`` put rows into."""
    return {
        table: int(connection.rows(f"SELECT coalesce(max(id), 0) FROM {quoted(table)}")[0][0])
        for table in sorted(_filled(target) - _found_out(target))
        if connection.primary_key(table) == ("id",)
    }


def written_since(
    before: StorageConnection, now: StorageConnection, highest: Mapping[str, int]
) -> dict[str, Written]:
    """Return, for each table, what differs; untouched ones are left out.

    Tables that came with the upgrade count with all their rows. ``highest`` gives, by table, the highest
    rowid when the upgrade was done, where it is known. Columns that only one of them has are not compared.
    Writes nothing; raises StorageError.
    """
    was, is_now = set(before.tables()), set(now.tables()) - _found_out()
    found = {table: _of_table(before, now, table, highest.get(table, 0)) for table in was & is_now}
    found |= {table: Written(now.count(table)) for table in is_now - was if _is_for_users(table)}
    return {table: written for table, written in sorted(found.items()) if written}


def _contracts(target: str) -> tuple[Contract, ...]:
    rows = (row for row in SCHEMA_VERSIONS if version_key(row.version) <= version_key(target))
    return tuple(contract_of(row.revision) for row in rows)


def _filled(target: str = NEWEST) -> frozenset[str]:
    """Return the tables that steps up to ``target`` put rows into."""
    return frozenset().union(*(one.grows for one in _contracts(target)))


def _found_out(target: str = NEWEST) -> frozenset[str]:
    """Return the tables whose rows a step finds out from the rest; no one else writes what is new to them."""
    return frozenset(name for one in _contracts(target) for name, way in one.down.items() if way == "derived")


def _is_for_users(table: str) -> bool:
    """Whether a table that came with the upgrade began empty: no step fills it, no owner made it."""
    return table not in _filled() and not table.startswith(OWNERS_PREFIX)


def _of_table(before: StorageConnection, now: StorageConnection, table: str, highest: int) -> Written | None:
    key = before.primary_key(table)
    if not key:
        return None
    if key != now.primary_key(table):
        return _of_adopted_table(before, now, table, now.primary_key(table), highest)
    if not set(before.columns(table)) <= set(now.columns(table)):
        return _of_adopted_table(before, now, table, key, highest)
    columns = before.columns(table)
    was, is_now = _hashes(before, table, key, columns), _hashes(now, table, key, columns)
    added = [
        place for place in is_now.keys() - was.keys() if not _by_the_upgrade(before, table, place, highest)
    ]
    changed = sum(1 for place, digest in was.items() if place in is_now and is_now[place] != digest)
    return Written(len(added), changed, len(was.keys() - is_now.keys()))


def _of_adopted_table(
    before: StorageConnection, now: StorageConnection, table: str, key: tuple[str, ...], highest: int
) -> Written:
    """Count only what is surely new: the upgrade gave the table another form, and with it other rows."""
    places = _hashes(now, table, key, ())
    return Written(sum(1 for place in places if not _by_the_upgrade(before, table, place, highest)))


def _by_the_upgrade(before: StorageConnection, table: str, place: tuple[object, ...], highest: int) -> bool:
    if table not in _filled():
        return False
    owner = _owner_of(table)
    if owner is not None:
        named = f"SELECT 1 FROM {quoted(owner.parent)} WHERE {quoted(owner.parent_columns[0])} = :key"
        return bool(before.rows(named, {"key": place[0]}))
    return isinstance(place[0], int) and place[0] <= highest


@cache
def _owner_of(table: str) -> ForeignKey | None:
    """Return the foreign key that is the key of the table too, if it is: each row belongs to another one."""
    found = schema_at(NEWEST).tables.get(table)
    if found is None:
        return None
    key = tuple(name for name, column in found.columns.items() if column.pk)
    return next((foreign for foreign in found.foreign_keys if foreign.columns == key), None)


def _hashes(
    connection: StorageConnection, table: str, key: tuple[str, ...], columns: tuple[str, ...]
) -> dict[tuple[object, ...], bytes]:
    chosen = ", ".join(map(quoted, (*key, *columns)))
    is_switch = [column in SWITCHES.get(table, ()) for column in columns]
    found = {}
    for row in connection.each_row(f"SELECT {chosen} FROM {quoted(table)}"):
        # An upgrade made numbers of the texts in switches.
        values = tuple(
            read(value) if is_one else value for value, is_one in zip(row[len(key) :], is_switch, strict=True)
        )
        text = repr(values).encode("utf-8", "surrogatepass")
        found[tuple(row[: len(key)])] = hashlib.blake2b(text).digest()
    return found
