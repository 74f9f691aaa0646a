"""Which steps lead from here to there? Adoptions and mending first, then the revisions, as plain values."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from app.storage.fingerprint import Difference
from app.upgrade.legacy.table_forms import ABSENT, get_form, get_shape, table_of
from app.upgrade.model import Recognition, Step
from app.upgrade.versions.expected_schema import CORE_TABLES, our_tables
from app.upgrade.versions.releases import SCHEMA_VERSIONS, version_key

MAKE_ROOM = "names_taken"
MEND = "mend:"
REBUILD = "rebuild:"


def steps_between(known: Recognition, target: str) -> tuple[Step, ...]:
    """Return what brings the database to ``target`` at least; nothing when it is there or beyond.

    A database whose history is not recorded is taken through every revision after its core tables: each adds
    only what is missing. Raises nothing; a database that is not ours needs no steps.
    """
    if known.kind not in ("daemon", "empty"):
        return ()
    at = known.recorded or known.in_history
    if at is not None:
        revisions = _revisions(at, target)
        return (*_room_for(known, target), *revisions) if revisions else ()
    has_core = all(known.variants.get(table, ABSENT) != ABSENT for table in CORE_TABLES)
    if not has_core:
        return (*_adoptions(known, target), *_revisions("0", target))
    revisions = _revisions(SCHEMA_VERSIONS[0].version, target)
    return (*_adoptions(known, target), *revisions) if revisions else ()


def repairs_for(known: Recognition) -> tuple[Step, ...]:
    """Return the steps that mend what is missing or changed, one a table."""
    drift = sorted(known.drift, key=lambda one: our_tables().index(table_of(one, known)))
    return tuple(
        Step(MEND + table, None, f"mend {table}: " + "; ".join(map(_sentence, found)), "repair")
        for table, found in groupby(drift, key=lambda one: table_of(one, known))
    )


def rebuilding(indexes: Iterable[str]) -> tuple[Step, ...]:
    """Return the steps that make these indexes anew from their tables."""
    return tuple(
        Step(REBUILD + name, None, f"make the index {name} anew from its table", "repair") for name in indexes
    )


def _revisions(after: str, target: str) -> tuple[Step, ...]:
    return tuple(
        Step(row.revision, row.version, row.title, "migrate")
        for row in SCHEMA_VERSIONS
        if version_key(after) < version_key(row.version) <= version_key(target)
    )


def _adoptions(known: Recognition, target: str) -> tuple[Step, ...]:
    """Return the adoption of each odd form that some table has, and before it the moving aside of names."""
    shapes = []
    for table, variant in known.variants.items():
        try:
            shape = get_form(table, variant, known.sheet).shape
        except KeyError:
            continue
        if shape is not None and shape not in shapes:
            shapes.append(shape)
    return (*_room_for(known, target), *(_adoption(shape) for shape in shapes))


def _room_for(known: Recognition, target: str) -> tuple[Step, ...]:
    is_needed = any(version_key(taken.since) <= version_key(target) for taken in known.taken)
    return (_adoption(MAKE_ROOM),) if is_needed else ()


def _adoption(shape: str) -> Step:
    return Step(shape, None, get_shape(shape).TITLE, "adopt")


def _sentence(one: Difference) -> str:
    return f"{one.what} {one.name} is {one.kind}" + (f" ({one.detail})" if one.detail else "")
