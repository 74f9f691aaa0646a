"""View changes (updated_at of strangers). When did what strangers see of an entry change last, at each level?

An edit of what is hidden changes nothing that a stranger is answered, its time neither. So at each write the
views before and after it are compared, both under the policy of now: where they differ, the view changed now;
where they do not, at the time that was told before. Whatever else changes a view (a rule, a setting, a
release) moves no time, and moves the ETag, which is of the bytes.

An entry without a row was not written since there are rows: its stored `updated_at` is told. What another
program writes by SQL moves the ETag too, and the time only where there is no row.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Label,
    Row,
    bindparam,
    case,
    delete,
    insert,
    literal_column,
    select,
    update,
)

from app import clock
from app.entries import access
from app.entries.endpoints import Endpoint
from app.entries.entry import json_bytes
from app.entries.json_safe import read_presentable
from app.entries.spans import Spans
from app.prepared_statements import PreparedQuery, PreparedStatement
from app.privacy.found import FoundAt
from app.privacy.levels import ANSWERED
from app.privacy.policy import Policy
from app.tables import data_entries, view_changes

_ROW = view_changes.c
_NUMBERS = range(len(ANSWERED))
IDS_AT_ONCE = 500
Hashes = dict[str, str]
"""By level, the hash of what strangers see of an entry there; empty where they see no such entry."""

Known = dict[str, tuple[str, Any]]
"""By level, what is written down of an entry: such a hash, and when that view changed."""


@lru_cache  # built once for each level, so that a statement with it is found again
def changed_at(level: str) -> Label[Any]:
    """Return the column of a query of data_entries: when the view at a level changed; NULL without a row.

    It is called `label_of` that level.
    """
    is_it = (_ROW.entry_id == data_entries.c.id) & (_ROW.privacy_level == level)
    return select(_ROW.changed_at).where(is_it).scalar_subquery().label(label_of(level))


def label_of(level: str) -> str:
    """Return what the column of a level is called in a row."""
    return f"changed_at_{level}"


def view_hashes(endpoint: Endpoint, row: Row[Any], spans: Spans) -> Hashes:
    """Return what strangers see of an entry at each level at which they can be answered, as hashes."""
    content, whole = read_presentable(row.data)
    if not access.is_shown_to_strangers(row, content.value):
        return {}
    policy = spans.policies.policy_of(endpoint, row.created_by_id)
    return hashes_of(policy, whole, spans.tree_of(row), clock.now().date())


def hashes_of(policy: Policy, whole: Any, found: FoundAt | None, today: date) -> Hashes:
    """Return the hashes of what a policy lets strangers see of content that is shown to them."""
    views = {level: policy.filter_at(level, today).view(whole, found) for level in ANSWERED}
    return {level: sha256(json_bytes(view)).hexdigest() for level, view in views.items()}


def record(connection: Connection, before: Row[Any], was: Hashes, now_is: Hashes, at: datetime) -> None:
    """Write down when each view of an entry changed, after a write at ``at``.

    ``before`` is the entry's row before that write. Nothing is written of an entry that strangers saw neither
    before nor after it: the day that it is shown is the day of its change.
    """
    if not was and not now_is:
        return
    known = {level: (known_hash, told) for level, known_hash, told in _of_entry(connection, before.id)}
    forget(connection, before.id)
    to_be = _to_be(before, was, now_is, known)
    _ADD.run(connection, {**to_be.said, **dict.fromkeys(to_be.changed, clock.stored(at))})


class ViewsToBe(NamedTuple):
    """What `record_all` writes of an entry. ``changed`` names the times that are those of the write.

    Where it ``is_there`` that is in the place of a row for each level; else there may be rows of some, which
    it ``replaces``.
    """

    said: dict[str, object]
    changed: tuple[str, ...]
    is_there: bool
    replaces: bool


def views_to_be(before: Row[Any], was: Hashes, now_is: Hashes, known: Known) -> ViewsToBe | None:
    """Return what `record` would write, given what is ``known``; None where that is nothing, or is there."""
    if not was and not now_is:
        return None
    made = _to_be(before, was, now_is, known)
    then = {"of_entry": before.id, **_as_said(known)} if made.is_there else {}
    return None if not made.changed and made.said == then else made


def known_of(connection: Connection, entry_ids: Sequence[int]) -> dict[int, Known]:
    """Return what is written down of these entries."""
    found: dict[int, Known] = {}
    for begin in range(0, len(entry_ids), IDS_AT_ONCE):
        some = entry_ids[begin : begin + IDS_AT_ONCE]
        for entry_id, level, view_hash, told in connection.execute(_KNOWN_OF_MANY, {"ids": some}):
            found.setdefault(entry_id, {})[level] = view_hash, told
    return found


def record_all(connection: Connection, written: Sequence[ViewsToBe], at: datetime) -> None:
    """Write views that are to be after a write at ``at``, with a statement or two for all of them."""
    again, anew = list[dict[str, object]](), list[dict[str, object]]()
    now, times = clock.stored(at), dict[tuple[str, ...], dict[str, str]]()
    for each in written:
        changed = times.setdefault(each.changed, dict.fromkeys(each.changed, now))
        (again if each.is_there else anew).append({**each.said, **changed})
    _CHANGE.run_all(connection, again)
    forget_all(connection, (each.said["of_entry"] for each in written if each.replaces))
    _ADD.run_all(connection, anew)


def _to_be(before: Row[Any], was: Hashes, now_is: Hashes, known: Known) -> ViewsToBe:
    first = before.created_at if before.updated_at is None else before.updated_at
    then = {level: known[level][1] if level in known else first for level in ANSWERED}
    views = {level: (now_is.get(level, ""), then[level]) for level in ANSWERED}
    changed = tuple(
        f"at_{number}" for number, level in enumerate(ANSWERED) if was.get(level) != now_is.get(level)
    )
    is_there = known.keys() == views.keys()
    said = {"of_entry": before.id, **_as_said(views)}
    return ViewsToBe(said, changed, is_there, replaces=bool(known) and not is_there)


def _as_said(views: Known) -> dict[str, object]:
    """The values of the rows of all levels, by their names in the statements below."""
    said: dict[str, object] = {}
    for number, level in enumerate(ANSWERED):
        said[f"hash_{number}"], said[f"at_{number}"] = views[level]
    return said


def _of_entry(connection: Connection, entry_id: int) -> Generator[tuple[Any, ...], None, None]:
    return _KNOWN.rows(connection, {"of_entry": entry_id})


def forget(connection: Connection, entry_id: int) -> None:
    """Delete the rows of an entry."""
    _FORGET.run(connection, {"of_entry": entry_id})


def forget_all(connection: Connection, entry_ids: Iterable[object]) -> None:
    """Delete the rows of these entries."""
    _FORGET.run_all(connection, [{"of_entry": entry_id} for entry_id in entry_ids])


def _by_level(values: Sequence[Any]) -> ColumnElement[Any]:
    levels: list[ColumnElement[str]] = [
        literal_column(f"'{level}'") for level in ANSWERED
    ]  # written out: they are no one's input
    return case(*zip(levels, values, strict=True), value=_ROW.privacy_level)


_IS_OF_ENTRY = _ROW.entry_id == bindparam("of_entry")
_KNOWN = PreparedQuery(select(_ROW.privacy_level, _ROW.view_hash, _ROW.changed_at).where(_IS_OF_ENTRY))
_KNOWN_OF_MANY = select(_ROW.entry_id, _ROW.privacy_level, _ROW.view_hash, _ROW.changed_at).where(
    _ROW.entry_id.in_(bindparam("ids", expanding=True))
)
_FORGET = PreparedStatement(delete(view_changes).where(_IS_OF_ENTRY))
_ADD = PreparedStatement(
    insert(view_changes).values(
        [
            {
                "entry_id": bindparam("of_entry"),
                "privacy_level": literal_column(f"'{level}'"),
                "view_hash": bindparam(f"hash_{number}"),
                "changed_at": bindparam(f"at_{number}"),
            }
            for number, level in enumerate(ANSWERED)
        ]
    )
)
"""The rows of all levels, in one statement."""

_CHANGE = PreparedStatement(
    update(view_changes)
    .where(_IS_OF_ENTRY)
    .values(
        view_hash=_by_level([bindparam(f"hash_{at}", type_=_ROW.view_hash.type) for at in _NUMBERS]),
        changed_at=_by_level([bindparam(f"at_{at}", type_=_ROW.changed_at.type) for at in _NUMBERS]),
    )
)
"""The same where they are there: no place in an index changes."""
