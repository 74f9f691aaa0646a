"""View changes (updated_at of strangers). When did what strangers see of an entry change last, at each level?

An edit of what is hidden changes nothing that a stranger is answered, its time neither. So at each write the
views before and after it are compared, both under the policy of now: where they differ, the view changed now;
where they do not, at the time that was told before. Whatever else changes a view (a rule, a setting, a
release) moves no time, and moves the ETag, which is of the bytes.

An entry without a row was not written since there are rows: its stored `updated_at` is told. What another
program writes by SQL moves the ETag too, and the time only where there is no row.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Label, Row, bindparam, delete, insert, select

from app import clock
from app.entries import access
from app.entries.endpoints import Endpoint
from app.entries.entry import json_bytes
from app.entries.json_safe import read_presentable
from app.entries.spans import Spans
from app.prepared_statements import PreparedQuery, PreparedStatement
from app.privacy.levels import ANSWERED
from app.tables import data_entries, view_changes

_ROW = view_changes.c
Hashes = dict[str, str]
"""By level, the hash of what strangers see of an entry there; empty where they see no such entry."""


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
    found, today = spans.tree_of(row), clock.now().date()
    views = {level: policy.filter_at(level, today).view(whole, found) for level in ANSWERED}
    return {level: sha256(json_bytes(view)).hexdigest() for level, view in views.items()}


def record(connection: Connection, before: Row[Any], was: Hashes, now_is: Hashes, at: datetime) -> None:
    """Write down when each view of an entry changed, after a write at ``at``.

    ``before`` is the entry's row before that write. Nothing is written of an entry that strangers saw neither
    before nor after it: the day that it is shown is the day of its change.
    """
    if not was and not now_is:
        return
    told = before.created_at if before.updated_at is None else before.updated_at
    known = dict(_KNOWN.rows(connection, {"of_entry": before.id}))
    forget(connection, before.id)
    said: dict[str, object] = {"of_entry": before.id}
    for number, level in enumerate(ANSWERED):
        is_same = was.get(level) == now_is.get(level)
        said[f"hash_{number}"] = now_is.get(level, "")
        said[f"at_{number}"] = known.get(level, told) if is_same else clock.stored(at)
    _ADD.run(connection, said)


def forget(connection: Connection, entry_id: int) -> None:
    """Delete the rows of an entry."""
    _FORGET.run(connection, {"of_entry": entry_id})


def forget_all(connection: Connection, entry_ids: Iterable[int]) -> None:
    """Delete the rows of these entries."""
    _FORGET.run_all(connection, [{"of_entry": entry_id} for entry_id in entry_ids])


_IS_OF_ENTRY = _ROW.entry_id == bindparam("of_entry")
_KNOWN = PreparedQuery(select(_ROW.privacy_level, _ROW.changed_at).where(_IS_OF_ENTRY))
_FORGET = PreparedStatement(delete(view_changes).where(_IS_OF_ENTRY))
_ADD = PreparedStatement(
    insert(view_changes).values(
        [
            {
                "entry_id": bindparam("of_entry"),
                "privacy_level": level,
                "view_hash": bindparam(f"hash_{number}"),
                "changed_at": bindparam(f"at_{number}"),
            }
            for number, level in enumerate(ANSWERED)
        ]
    )
)
"""The rows of all levels, in one statement."""
