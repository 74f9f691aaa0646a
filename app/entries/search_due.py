"""Due entries (audit tail, times). Of which entries may the rows of the search be other ones now?

Whatever people and commands change leaves a line of the audit, by id: so one reads on from the last line
that was seen. An entry that was written is due itself; after any other change (a rule, settings, a word, a
kind, an account) every entry is looked at, as at the start, and once an hour for what was changed past all
of this. What comes or goes by its own times is found by those.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Integer, bindparam, func, select, union

from app import clock
from app.accounts import audit, audit_reading
from app.accounts.audit_reading import Line
from app.prepared_statements import PreparedQuery
from app.tables import data_entries

LINES_MOST = 500  # of the audit, in one look
_ENTRY = data_entries.c
_OF_NO_VIEW = ("data_entries", "api_keys", "one_time_links", "share_links", "pictures", "webhooks")
_OF_ACCOUNTS = (audit.ACTIVE, audit.CLAIM, audit.IMPORT)
"""Of what is done to accounts, what another view may come of; a line of another table is of all entries."""

_AFTER = PreparedQuery(
    select(_ENTRY.id)
    .where(_ENTRY.id > bindparam("after"))
    .order_by(_ENTRY.id)
    .limit(bindparam("most", type_=Integer))
)
_COUNT = PreparedQuery(select(func.count()).select_from(data_entries))
_CAME_OR_WENT = PreparedQuery(
    union(
        *(
            select(_ENTRY.id).where(
                column.is_not(None), column >= bindparam("first"), column <= bindparam("last")
            )
            for column in (_ENTRY.shown_from, _ENTRY.shown_until)
        )
    )
)


class Due(NamedTuple):
    """Entries to look at, whether all others are too, the last line seen, and whether there are more."""

    entry_ids: tuple[int, ...]
    is_all: bool
    last_line: int
    has_more: bool


def since(connection: Connection, line: int, before: datetime, now: datetime) -> Due:
    """Return what is due since a line of the audit and a moment."""
    lines = audit_reading.lines_after(connection, line, LINES_MOST)
    changes = [one for one in lines if one.action in audit.CHANGES]
    entries = [one.record_id for one in changes if one.table_name == "data_entries"]
    is_all = before.date() != now.date() or any(_is_of_all(one) for one in changes)
    came_or_went = _by_themselves(connection, before, now)
    last = lines[-1].id if lines else line
    return Due(tuple(dict.fromkeys([*entries, *came_or_went])), is_all, last, len(lines) == LINES_MOST)


def _is_of_all(line: Line) -> bool:
    if line.table_name == "users":
        return line.action in _OF_ACCOUNTS
    return line.table_name not in _OF_NO_VIEW


def ids_after(connection: Connection, entry_id: int, most: int) -> Sequence[int]:
    """Return the ids of entries after one, deleted ones too."""
    return [found for (found,) in _AFTER.rows(connection, {"after": entry_id, "most": most})]


def count(connection: Connection) -> int:
    """Return how many entries there are, deleted ones too."""
    return int(_COUNT.value(connection))


def _by_themselves(connection: Connection, before: datetime, now: datetime) -> list[int]:
    between = {"first": clock.stored(before), "last": clock.stored(now)}
    return [found for (found,) in _CAME_OR_WENT.rows(connection, between)]
