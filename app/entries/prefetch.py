"""Prefetch (UNION ALL). What does a stranger's question need beside entries? Read by one statement.

Each value is remembered under the name under which whoever needs it asks for it (`snapshot_memory`): in
another state of the database that is one statement in the place of six, and nothing depends on its having
been run. Where its rows are what they were in another state, so are the values, and the policy made of them.
"""

from __future__ import annotations

import marshal
from collections.abc import Hashable, Mapping
from functools import lru_cache
from itertools import accumulate
from threading import Lock
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple

from cachetools import LRUCache
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    case,
    cast,
    literal,
    null,
    select,
    union_all,
)

from app import clock
from app.accounts.people import DEFAULT_PERSON, PEOPLE, Person, default_person_id
from app.accounts.privacy_settings import SETTINGS
from app.entries import access
from app.entries.endpoints import SECOND_ADDRESS, is_named, own_first
from app.entries.policies import BINDING, IS_ON, policy_name, rule
from app.entries.release_rows import RELEASE
from app.entries.shown_times import PAST_AND_TO_COME, TIME_BETWEEN, validity_of
from app.prepared_statements import PreparedQuery
from app.privacy.released import Release, Releases
from app.privacy.viewer import Viewer
from app.snapshot_memory import LONGEST_NAME, is_remembered, memory_of, remember, state_of
from app.tables import data_entries, data_privacy_rules, endpoints, finding_releases

Whose = Literal["default", "owner", "given"]
Columns = tuple[ColumnElement[Any], ...]

_ENDPOINT: Columns = (*endpoints.c, case((access.IS_OPEN, 1), else_=0))
_PERSON: Columns = (PEOPLE.c.id, PEOPLE.c.username, PEOPLE.c.is_active)
_SETTINGS: Columns = tuple(SETTINGS.c)
_RULE: Columns = tuple(BINDING.selected_columns)
_GROUPS: tuple[Columns, ...] = (_ENDPOINT, _PERSON, _SETTINGS, _RULE, RELEASE, PAST_AND_TO_COME)
_BEGINS = dict(zip(map(id, _GROUPS), accumulate(map(len, _GROUPS), initial=0), strict=False))
_KIND_AND_PERSON, _RULES, _RELEASES, _TIMES = range(4)
_NAMES = tuple(column.name for column in SETTINGS.c)
_ENDPOINT_NAMES = (*(column.name for column in endpoints.c), "is_open")
_PERSONS: dict[Whose, ColumnElement[int]] = {
    "default": default_person_id(),
    "owner": select(data_entries.c.created_by_id)
    .where(data_entries.c.id == bindparam("entry_id"), access.is_published())
    .scalar_subquery(),
    "given": bindparam("person_id"),
}


def of_default_person(connection: Connection, viewer: Viewer, kind: str) -> None:
    """Read what a list of a kind needs whose address names no one."""
    if _is_useful(connection, viewer, kind) and not is_remembered(connection, DEFAULT_PERSON):
        _read(connection, viewer, kind, "default")


def of_owner(connection: Connection, viewer: Viewer, kind: str, entry_id: int | None) -> None:
    """Read what one entry of a kind needs, of its owner only where strangers see it."""
    if _is_useful(connection, viewer, kind) and not is_remembered(connection, ("kind", viewer, kind)):
        _read(connection, viewer, kind, "owner", entry_id=entry_id)


def of_person(connection: Connection, viewer: Viewer, kind: str, person_id: int) -> None:
    """Read what entries of a person need."""
    if _is_useful(connection, viewer, kind) and not is_remembered(connection, ("settings", person_id)):
        _read(connection, viewer, kind, "given", person_id=person_id)


def _is_useful(connection: Connection, viewer: Viewer, kind: str) -> bool:
    is_plain = len(kind) <= LONGEST_NAME and not kind.startswith(SECOND_ADDRESS)
    return viewer.is_stranger and is_plain and state_of(connection) is not None


class Carried(NamedTuple):
    """What was read before: the rows as bytes, and what was remembered of that state, under which names."""

    rows: bytes
    memory: Mapping[Hashable, Any]
    names: tuple[Hashable, ...]


CARRIED_MOST = 32
_carried: LRUCache[Hashable, Carried] = LRUCache(CARRIED_MOST)
_lock = Lock()


def _read(connection: Connection, viewer: Viewer, kind: str, whose: Whose, **ids: int | None) -> None:
    asked = viewer, kind, whose, *ids.values()
    given = {"name": kind, "now": clock.stored(clock.now()), **ids}
    rows = list(_statement(viewer, whose).rows(connection, given))
    written, memory = _as_bytes(rows), memory_of(connection)
    if memory is None:
        return
    with _lock:
        known = _carried.get(asked)
    if known is not None and known.rows == written:
        memory.update({name: known.memory[name] for name in known.names if name in known.memory})
        names = known.names
    else:
        names = _remember_all(connection, viewer, kind, whose, rows)
    with _lock:
        _carried[asked] = Carried(written, memory, names)


def _as_bytes(rows: list[tuple[Any, ...]]) -> bytes:
    """The rows in a form in which 1 and 1.0 differ; the second version says the same of the same values."""
    return marshal.dumps(rows, 2)


def _remember_all(
    connection: Connection, viewer: Viewer, kind: str, whose: Whose, rows: list[tuple[Any, ...]]
) -> tuple[Hashable, ...]:
    """Remember what the rows say; return all the names of that, and of what is made of nothing else."""
    found: tuple[list[Any], ...] = ([], [], [], [])
    for part, _place, *values in sorted(rows, key=lambda row: row[:2]):  # a few, and not by the database
        found[part].append(values)
    of_kind, rules, releases, (times,) = found
    made: dict[Hashable, object] = {
        "rules": tuple(rule(*_of(values, _RULE)) for values in rules),
        TIME_BETWEEN: validity_of(_of(times, PAST_AND_TO_COME)),
    }
    policy: tuple[Hashable, ...] = ()
    if not of_kind:
        made["kind", viewer, kind] = None
    else:
        endpoint = own_first(_row_of(values) for values in of_kind)
        assert endpoint is not None, "there is a row"
        made["kind", viewer, kind] = endpoint
        of_kind = [values for values in of_kind if _row_of(values).id == endpoint.id]
        person_id, username, is_active = _of(of_kind[0], _PERSON)
        if whose == "default":
            made[DEFAULT_PERSON] = None if person_id is None else Person(person_id, username, is_active == 1)
        if person_id is not None:
            settings = [dict(zip(_NAMES, _of(values, _SETTINGS), strict=True)) for values in of_kind]
            made["settings", person_id] = {person_id: [row for row in settings if row["user_id"] is not None]}
            released = tuple(Release(*_of(values, RELEASE)) for values in releases)
            made["releases", person_id] = Releases(released)
            policy = (policy_name(endpoint, person_id),)
    for name, value in made.items():
        remember(connection, name, value)
    return *made, *policy


def _row_of(values: list[Any]) -> SimpleNamespace:
    return SimpleNamespace(**dict(zip(_ENDPOINT_NAMES, _of(values, _ENDPOINT), strict=True)))


def _of(values: list[Any], columns: Columns) -> list[Any]:
    """What of a row stands in a group of columns."""
    begins = _BEGINS[id(columns)]
    return values[begins : begins + len(columns)]


@lru_cache(maxsize=64)
def _statement(viewer: Viewer, whose: Whose) -> PreparedQuery:
    person_id = _PERSONS[whose]
    is_theirs = PEOPLE.c.id == person_id
    joined = endpoints.outerjoin(PEOPLE, is_theirs).outerjoin(SETTINGS, SETTINGS.c.user_id == PEOPLE.c.id)
    is_it = is_named(bindparam("name"), default_person_id())
    return PreparedQuery(
        union_all(
            _part(_KIND_AND_PERSON, endpoints.c.id, _ENDPOINT, _PERSON, _SETTINGS)
            .select_from(joined)
            .where(is_it, access.knows_kind(viewer)),
            _part(_RULES, data_privacy_rules.c.id, _RULE).where(IS_ON),
            _part(_RELEASES, finding_releases.c.id, RELEASE).where(finding_releases.c.user_id == person_id),
            _part(_TIMES, literal(0), PAST_AND_TO_COME),
        )
    )


def _part(part: int, place: ColumnElement[int], *groups: Columns) -> Select[Any]:
    """Each part has the columns of all; those of the others are NULL."""
    columns = (
        column if any(group is one for one in groups) else cast(null(), column.type)
        for group in _GROUPS
        for column in group
    )
    named = (column.label(f"c{at}") for at, column in enumerate(columns))
    everything: list[ColumnElement[Any]] = [literal(part).label("part"), place.label("place"), *named]
    return select(*everything)
