"""Name collisions. What did the owner make under a name that an upgrade needs, and what will it be called?"""

from __future__ import annotations

from collections.abc import Mapping

from app.storage.fingerprint import Schema
from app.storage.schema import folded
from app.upgrade.detect.matches import Match
from app.upgrade.legacy.table_forms import columns_needed, was_in_releases
from app.upgrade.model import NameCollision
from app.upgrade.versions.expected_schema import needed_since, our_indexes

OWNERS_PREFIX = "owner_"


def collisions(
    schema: Schema, matches: dict[str, Match], sheet: str, *, is_ours: bool
) -> list[NameCollision]:
    """Return what has a name that is needed: views and tables first, then columns, then indexes."""
    needed = needed_since(sheet if is_ours else None)
    used = {folded(name) for name in (*schema.tables, *schema.indexes, *schema.views)}
    found = [
        NameCollision("view", "", name, _free(name, used), needed[folded(name)])
        for name in schema.views
        if folded(name) in needed
    ]
    for name in schema.tables:
        if folded(name) in needed and _is_the_owners(matches.get(folded(name))):
            found.append(NameCollision("table", "", name, _free(name, used), needed[folded(name)]))
    for match in matches.values():
        found += _taken_columns(match)
    moved = {folded(taken.name) for taken in found if taken.what == "table"}
    return found + _taken_indexes(schema, matches, needed, moved, used, is_ours=is_ours)


def _is_the_owners(match: Match | None) -> bool:
    """Whether a table under a needed name is not ours. What releases made is drift, and stays."""
    if match is None or not match.is_there:
        return True
    return match.form is None and not was_in_releases(match.table)


def _taken_columns(match: Match) -> list[NameCollision]:
    """Return the owner's columns that have the name of one of ours and are not just that."""
    if match.form is None or match.is_odd:
        return []
    needed = columns_needed(match.form)
    names = [one.name.partition(".")[2] for one in match.extras if one.what == "column"]
    used = {folded(name) for name in names} | needed.keys()
    return [
        NameCollision("column", match.table, name, _free(name, used), needed[folded(name)])
        for name in names
        if folded(name) in needed
    ]


def _taken_indexes(
    schema: Schema,
    matches: dict[str, Match],
    needed: Mapping[str, str],
    moved: set[str],
    used: set[str],
    *,
    is_ours: bool,
) -> list[NameCollision]:
    """Return the indexes that have a name of ours and are not the index of that name."""
    ours = our_indexes()
    found = []
    for name, index in schema.indexes.items():
        if folded(name) not in needed or (index == ours.get(folded(name)) and not is_ours):
            continue
        match = matches.get(index.table)
        is_known = match is not None and match.form is not None and name in match.form.schema.indexes
        if not is_known and index.table not in moved:
            found.append(NameCollision("index", index.table, name, _free(name, used), needed[folded(name)]))
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


def place_of(taken: NameCollision) -> str:
    """Return what a renamed thing is called among the extras: "notes", "users.tags"."""
    return f"{taken.table}.{taken.name}" if taken.what == "column" else taken.name
