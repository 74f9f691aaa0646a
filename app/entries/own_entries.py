"""One's own entries, of every kind together, by their ids. What is each called, and who may see it?

For choosing one by its title, and for a second look at the past: what is shown though it says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Text, and_, cast, func, or_, select

from app import clock
from app.entries import access
from app.entries.endpoints import NAME
from app.entries.json_safe import read_content, whole_text
from app.entries.list_filter import titles_of
from app.entries.shown_times import ShownTimes, words_said
from app.entries.visibility import WORDS
from app.tables import data_entries, endpoints

LOOKED_AT_MOST = 1_000  # entries, for one answer
IDS_MOST = 100
TITLE_CHARACTERS, EXCERPT_CHARACTERS = 160, 200
OwnEntry = dict[str, Any]
"""One entry: id, kind, title, excerpt, visibility, is_shown_now, unheard, created_at, updated_at."""

_ENTRY = data_entries.c
_TEXTS_FIRST = ("content", "summary", "bio", "description")


@dataclass(frozen=True)
class Wanted:
    """Which of a person's entries; None: whatever they are. ``is_unheard``: those with words not heard."""

    visibility: str | None = None
    is_unheard: bool = False
    ids: tuple[int, ...] | None = None

    @property
    def is_filter(self) -> bool:
        """Whether many may have to be looked at for one."""
        return self.visibility is not None or self.is_unheard


def own_entries(
    connection: Connection, user_id: int, wanted: Wanted, below: int | None, most: int, now: datetime
) -> tuple[list[OwnEntry], int | None]:
    """Return entries of a person, by id from the highest on, and below which id to go on (None: all).

    One answer looks at LOOKED_AT_MOST entries, so that it may hold few and still go on.
    """
    mine = [_ENTRY.created_by_id == user_id, access.is_there()]
    if below is not None:
        mine.append(_ENTRY.id < below)
    if wanted.ids is not None:
        mine.append(_ENTRY.id.in_(wanted.ids))
    floor = _lowest_looked_at(connection, mine) if wanted.is_filter else None
    asked = [*mine, *_conditions(wanted), *([] if floor is None else [_ENTRY.id >= floor])]
    found = []
    for row in connection.execute(_query(asked, None if wanted.is_unheard else most + 1)):
        view = _view(row, now)
        if not wanted.is_unheard or view["unheard"]:
            found.append(view)
        if len(found) > most:
            return found[:most], int(found[most - 1]["id"])
    return found, floor


def _lowest_looked_at(connection: Connection, mine: Sequence[ColumnElement[bool]]) -> int | None:
    """Return the id of the last entry that one answer looks at, None where there are fewer."""
    query = select(_ENTRY.id).where(*mine).order_by(_ENTRY.id.desc()).offset(LOOKED_AT_MOST - 1).limit(2)
    ids = connection.execute(query).scalars().all()
    return ids[0] if len(ids) > 1 else None


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.visibility == WORDS[0]:
        yield or_(_ENTRY.visibility.is_(None), _ENTRY.visibility.not_in(WORDS[1:]))
    elif wanted.visibility is not None:
        yield _ENTRY.visibility == wanted.visibility
    if wanted.is_unheard:
        text = func.lower(cast(_ENTRY.data, Text))
        said = [text.contains(word, autoescape=True) for word in ("draft", "publish_at", "expires_at")]
        yield and_(_ENTRY.visibility == WORDS[-1], _ENTRY.shown_from.is_(None), _ENTRY.shown_until.is_(None))
        yield or_(*said)


def _query(asked: Sequence[ColumnElement[bool]], most: int | None) -> Select[Any]:
    columns = (_ENTRY.id, _ENTRY.data, _ENTRY.visibility, _ENTRY.shown_from, _ENTRY.shown_until)
    return (
        select(*columns, _ENTRY.created_at, _ENTRY.updated_at, NAME.label("kind"))
        .join_from(data_entries, endpoints, endpoints.c.id == _ENTRY.endpoint_id)
        .where(*asked)
        .order_by(_ENTRY.id.desc())
        .limit(most)
    )


def _view(row: Row[Any], now: datetime) -> OwnEntry:
    content = read_content(row.data)
    visibility = row.visibility if row.visibility in WORDS else WORDS[0]
    times = ShownTimes(row.shown_from, row.shown_until)
    is_shown = visibility == WORDS[-1] and times.are_now(now)
    titles = titles_of(content.value)
    return {
        "id": row.id,
        "kind": whole_text(row.kind),
        "title": whole_text(titles[0])[:TITLE_CHARACTERS] if titles else None,
        "excerpt": whole_text(_first_text(content.value) or content.text)[:EXCERPT_CHARACTERS],
        "visibility": visibility,
        "is_shown_now": is_shown,
        "unheard": words_said(content.value) if is_shown and times == ShownTimes() else [],
        "created_at": _time(row.created_at),
        "updated_at": _time(row.updated_at),
    }


def _first_text(content: object) -> str:
    """Return the text by which an entry is known: one of those that say most, or else the first."""
    if not isinstance(content, dict):
        return ""
    values = [content.get(name) for name in _TEXTS_FIRST] + list(content.values())
    return next((each for each in values if isinstance(each, str) and each.strip()), "")


def _time(stored: object) -> str | None:
    return None if stored is None else whole_text(clock.rfc3339(str(stored)))
