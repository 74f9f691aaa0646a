"""Search index (rows). How are rows put in the place of older ones, and what does the index know of them?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b

from sqlalchemy import Connection, Integer, bindparam, delete, insert, select

from app import clock
from app.entries import search_terms
from app.entries.search_making import Made, Wanted
from app.entries.search_stamps import (
    whole_stamp,
)
from app.errors import SearchMissing
from app.full_text import FullText, full_text_of
from app.prepared_statements import PreparedQuery
from app.snapshot_memory import written_state
from app.tables import data_entries, search_rows, search_stamps

_SLOTS = 1 << search_terms.PLACE_BITS
_ROW = search_rows.c
_OF_NOTHING = PreparedQuery(
    select(_ROW.entry_id)
    .where(~select(data_entries.c.id).where(data_entries.c.id == _ROW.entry_id).exists())
    .limit(bindparam("most", type_=Integer))
)
_IS_NOTED = PreparedQuery(select(search_stamps.c.stamp).where(search_stamps.c.stamp == bindparam("noted")))


def keep(connection: Connection, made: Made) -> int:
    """Put what was made in the place of what is there; return how many rows were written or removed.

    Writes search_rows and the index. What was changed since it was made is stale, and made again.
    """
    index = _index_of(connection)
    with _only_searched(connection):
        query = select(_ROW.id, _ROW.words, _ROW.entry_id, _ROW.audience)
        there = connection.execute(query.where(_ROW.entry_id.in_(made.entry_ids))).all()
        gone = [
            (int(row_id), str(words))
            for row_id, words, *key in there
            if made.wanted.get((int(key[0]), str(key[1])), True) is not None
        ]
        _remove(connection, index, gone)
        new = {key: one for key, one in made.wanted.items() if one is not None}
        ids = _free_ids(connection, new)
        rows = [_stored(ids[key], *key, one) for key, one in new.items()]
        if rows:
            connection.execute(insert(search_rows), rows)
            index.add(connection, [(ids[key], one.words) for key, one in new.items()])
    return len(gone) + len(rows)


def forget(connection: Connection, entry_ids: Iterable[int]) -> None:
    """Take entries out of the index and its rows. Writes search_rows."""
    query = select(_ROW.id, _ROW.words).where(_ROW.entry_id.in_(list(entry_ids)))
    index = full_text_of(connection)
    found = connection.execute(query).all()
    if index is None or not found or index.find_missing():
        return  # opened for something else: whoever serves it makes both anew
    _remove(connection, index, [(row.id, row.words) for row in found])


def forget_some_of(connection: Connection, user_id: int, most: int) -> bool:
    """Take so many rows of a person's entries out of the index; whether there were any.

    Writes search_rows.
    """
    index = full_text_of(connection)
    if index is None or index.find_missing():
        return False  # as in `forget`
    query = select(_ROW.id, _ROW.words).where(_ROW.user_id == user_id).limit(most)
    found = connection.execute(query).all()
    _remove(connection, index, [(row.id, row.words) for row in found])
    return bool(found)


def index_to_ask(connection: Connection) -> FullText:
    """Return what searches in this database; raises SearchMissing where its engine cannot."""
    index = _index_of(connection)
    if missing := index.find_missing():
        raise SearchMissing(
            f"There is no search here: {missing}", hint="Lists take ?q=, of what they show. See docs/api.md."
        )
    return index


def see_to_it(connection: Connection) -> None:
    """See to it that there is an index that belongs to the rows; else begin with an empty one.

    So it is where the database was restored, moved or worked on by a command. Writes search_rows and
    search_stamps.
    """
    index = _index_of(connection)
    if index.find_missing() or index.is_whole(connection, search_rows):
        return
    connection.execute(delete(search_rows))
    connection.execute(delete(search_stamps))
    index.make(connection, search_rows)


def is_complete(connection: Connection, ceiling: str) -> bool:
    """Whether every entry had its rows once, made as they are now."""
    return _IS_NOTED.value(connection, {"noted": whole_stamp(ceiling)}) is not None


def note_complete(connection: Connection, ceiling: str) -> None:
    """Write down that every entry has its rows. Writes search_stamps."""
    if is_complete(connection, ceiling):
        return
    with _only_searched(connection):
        connection.execute(delete(search_stamps))
        values = {"stamp": whole_stamp(ceiling), "completed_at": clock.stored(clock.now())}
        connection.execute(insert(search_stamps).values(values))


def rows_of_nothing(connection: Connection, most: int) -> list[int]:
    """Return entries that rows are of and that are not there any more."""
    return [entry_id for (entry_id,) in _OF_NOTHING.rows(connection, {"most": most})]


@contextmanager
def _only_searched(connection: Connection) -> Iterator[None]:
    """What is written within changes no list and no entry: answers that are kept stay what they are."""
    state = written_state(connection)
    counted = 0 if state is None else state.count()
    yield
    if state is not None:
        state.leave_out_all(counted)


def _index_of(connection: Connection) -> FullText:
    found = full_text_of(connection)
    assert found is not None  # of every connection of the server, and of commands
    return found


def _remove(connection: Connection, index: FullText, rows: Sequence[tuple[int, str]]) -> None:
    if rows:
        index.remove(connection, rows)
        connection.execute(delete(search_rows).where(_ROW.id.in_([row_id for row_id, _ in rows])))


def _free_ids(connection: Connection, wanted: Mapping[tuple[int, str], Wanted]) -> dict[tuple[int, str], int]:
    """Return an id for each row, with its time in front: in the order of ids rows are in that of time."""
    firsts = {key: _first_id(key, one.sorted_at) for key, one in wanted.items()}
    query = select(_ROW.id).where(_ROW.id.in_(list(firsts.values())))
    taken = set(connection.execute(query).scalars()) if firsts else set()
    found: dict[tuple[int, str], int] = {}
    for key, first in firsts.items():
        free = first
        while free in taken:
            free = _next(free)
            if connection.execute(select(_ROW.id).where(_ROW.id == free)).first() is not None:
                taken.add(free)
        taken.add(free)
        found[key] = free
    return found


def _first_id(key: tuple[int, str], second: int) -> int:
    slot = int.from_bytes(blake2b(repr(key).encode(), digest_size=4).digest()) % _SLOTS
    return second * _SLOTS + slot


def _next(row_id: int) -> int:
    second, slot = divmod(row_id, _SLOTS)
    return second * _SLOTS + (slot + 1) % _SLOTS


def _stored(row_id: int, entry_id: int, audience: str, one: Wanted) -> dict[str, object]:
    return {
        "id": row_id,
        "entry_id": entry_id,
        "audience": audience,
        "user_id": one.user_id,
        "endpoint_id": one.endpoint_id,
        "stamp": one.stamp,
        "content_hash": blake2b(one.words.encode(), digest_size=32).hexdigest(),
        "sorted_at": one.sorted_at,
        "words": one.words,
    }
