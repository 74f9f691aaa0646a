"""History of an entry. Which states was it in, what is each of them, and how do two of them differ?

For its owner and admins, whole, of a deleted entry too; to everyone else there is no such entry, whether or
not they may see it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from app import clock
from app.entries import read, revisions, store
from app.entries.endpoints import Endpoint
from app.entries.entry import View
from app.entries.json_difference import differences
from app.entries.json_safe import presentable, read_content, stored_text, whole_text
from app.entries.shown_times import NO_TIMES, ShownTimes
from app.entries.visibility import WORDS
from app.errors import UsageError
from app.privacy.viewer import Viewer


@dataclass(frozen=True)
class State:
    """One state of an entry: the one of now (``ended_at`` is None), or an earlier one; as it is stored."""

    number: int
    data: Any
    visibility: str | None
    slug: str | None
    is_deleted: bool
    written_at: str | None
    ended_at: str | None = None
    times: ShownTimes = NO_TIMES


@dataclass(frozen=True)
class Numbered:
    """A part of the states of an entry, the newest first, and the number below which to go on."""

    items: list[View]
    next: int | None


def kept_entry(connection: Connection, viewer: Viewer, endpoint: Endpoint, entry_id: int) -> Row[Any]:
    """Return the row of an entry that is the viewer's, or that an admin asks for, deleted or not.

    Raises NotFound.
    """
    row = store.find_kept(connection, viewer, endpoint, entry_id)
    if row is None:
        raise read.no_such_entry()
    return row


def states(connection: Connection, row: Row[Any], *, below: int | None = None, most: int = 50) -> Numbered:
    """Return what the states of an entry are, without what was in them."""
    found = [] if below is not None and below <= row.number else [_present(row)]
    found += map(_earlier, revisions.kept(connection, row.id, below, most + 1 - len(found)))
    shown = found[:most]
    return Numbered([_view(state) for state in shown], shown[-1].number if len(found) > most else None)


def state(connection: Connection, row: Row[Any], number: int) -> State:
    """Return one state of an entry; raises NotFound."""
    if number == row.number:
        return _present(row)
    return _earlier(revisions.get_revision(connection, row.id, number))


def state_view(state: State) -> View:
    """Return a state with what was in it."""
    content = read_content(state.data)
    view = _view(state) | {"data": presentable(content.value)}
    if not content.is_readable:
        view["stored_text"] = whole_text(content.text)
    return view


def difference(
    connection: Connection, row: Row[Any], before: int | None = None, after: int | None = None
) -> View:
    """Return how a state differs from an earlier one, or from any other.

    ``after`` None is the state of now, ``before`` None the one before that. Raises NotFound, and UsageError
    where there is none before.
    """
    later = row.number if after is None else after
    earlier = later - 1 if before is None else before
    if earlier < 1:
        raise UsageError("This is the first revision: there is none before it.", hint="Send from and to.")
    one, other = (state_view(state(connection, row, number)) for number in (earlier, later))
    beside = ("visibility", "slug", "is_deleted")
    return {
        "from": earlier,
        "to": later,
        "differences": list(differences(_compared(one), _compared(other))),
        "beside": [
            {"name": name, "before": one[name], "after": other[name]}
            for name in beside
            if one[name] != other[name]
        ],
    }


def _compared(view: View) -> object:
    return view.get("stored_text", view["data"])


def _view(state: State) -> View:
    return {
        "number": state.number,
        "is_current": state.ended_at is None,
        "is_deleted": state.is_deleted,
        "written_at": _time(state.written_at),
        "ended_at": _time(state.ended_at),
        "visibility": state.visibility if state.visibility in WORDS else WORDS[0],
        "slug": None if state.slug is None else whole_text(state.slug),
        "size_bytes": len(stored_text(state.data).encode("utf-8", "replace")),
    }


def _present(row: Row[Any]) -> State:
    written_at = row.created_at if row.updated_at is None else row.updated_at
    return State(row.number, row.data, row.visibility, row.slug, row.is_active != 1, written_at)


def _earlier(row: Row[Any]) -> State:
    return State(
        row.number,
        row.data,
        row.visibility,
        row.slug,
        row.is_active != 1,
        row.written_at,
        row.ended_at,
        ShownTimes(**json.loads(row.more or "{}")),
    )


def _time(stored: object) -> str | None:
    return None if stored is None else whole_text(clock.rfc3339(str(stored)))
