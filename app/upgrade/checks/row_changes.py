"""What was written to a database since an earlier copy of it? Counted by table: added, changed, removed rows.

Rows that the upgrade itself put in do not count: endpoints and rules up to the highest id that they had when
it was done, and settings rows of people who were there before. Of a table that the upgrade gave another form,
only rows that are surely new are counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from app.storage.schema import quoted
from app.storage.types import StorageConnection
from app.upgrade.detect.name_collisions import OWNERS_PREFIX
from app.upgrade.legacy.switches import SWITCHES, read
from app.upgrade.versions.contracts import contract_of
from app.upgrade.versions.releases import SCHEMA_VERSIONS

_GIVEN_BY_UPGRADES = ("endpoints", "data_privacy_rules")
# The upgrade's own tables; no one else writes to them.
_BOOKKEEPING = frozenset({"database_versions", "kept_values", "id_counters"})


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


def highest_ids(connection: StorageConnection) -> dict[str, int]:
    """Return, for the tables that an upgrade puts rows into, the highest id there is now."""
    return {
        table: int(connection.rows(f"SELECT coalesce(max(id), 0) FROM {table}")[0][0])
        for table in _GIVEN_BY_UPGRADES
    }


def written_since(
    before: StorageConnection, now: StorageConnection, highest: Mapping[str, int]
) -> dict[str, Written]:
    """Return, for each table, what differs; untouched ones are left out.

    Tables that came with the upgrade count with all their rows. ``highest`` gives, by table, the highest
    rowid when the upgrade was done, where it is known. Columns that only one of them has are not compared.
    Writes nothing; raises StorageError.
    """
    was, is_now = set(before.tables()), set(now.tables()) - _BOOKKEEPING
    found = {table: _of_table(before, now, table, highest.get(table, 0)) for table in was & is_now}
    found |= {table: Written(now.count(table)) for table in is_now - was if _is_for_users(table)}
    return {table: written for table, written in sorted(found.items()) if written}


def _is_for_users(table: str) -> bool:
    """Whether a table that came with the upgrade began empty: no step fills it, no owner made it."""
    filled = frozenset().union(*(contract_of(row.revision).grows for row in SCHEMA_VERSIONS))
    return table not in filled and not table.startswith(OWNERS_PREFIX)


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
    if table == "user_privacy_settings":
        return bool(before.rows("SELECT 1 FROM users WHERE id = :id", {"id": place[0]}))
    return table in _GIVEN_BY_UPGRADES and isinstance(place[0], int) and place[0] <= highest


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
