"""Never-list as stored rows. Which words of a person must never leave? Keyed hashes, and what a change does.

The key is made with the first word, and each person's is derived of it; it is in every backup, and the
rotation of SECRET_KEY does not touch it. Words that were imported have the key of where they came from.
A change raises the generation of the person's words: what was found before does not hold for the new list,
and nothing of a text is shown until it was searched again (`findings`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from app import clock
from app.accounts import audit, privacy_settings
from app.accounts.audit import COMMAND_LINE, Actor
from app.entries.entry import check_json, invalid
from app.entries.privacy_secrets import find_key, find_keys, get_or_make_key, keyed_hash
from app.errors import Conflict, NotFound
from app.ids import new_id
from app.privacy.detectors.finding import Finding
from app.privacy.levels import NAMES
from app.privacy.never_list import DETECTOR, LONGEST, SHORTEST, HashedWord, NeverList, fold, hash_word
from app.tables import never_words

KEY = "never_list"
MOST = 500
LISTS_KEPT = 50
_WORD = never_words.c
WordView = dict[str, Any]
"""A word as doors show it, without the word: id, length (its letters and digits), privacy_level (the widest
level that may show it, None for none), created_at."""


def words_of(connection: Connection, user_id: int) -> list[WordView]:
    """Return a person's words, by id."""
    return [_view(row) for row in _rows(connection, user_id)]


def never_list_of(connection: Connection, user_id: int) -> NeverList | SeveralLists | HidesAll | None:
    """Return what finds a person's words in texts, None where there are none.

    Where the key of the words is gone, no text can be searched, and every text is found whole.
    """
    rows = _rows(connection, user_id)
    if not rows:
        return None
    keys = _keys_of(connection, user_id)
    if not keys:
        return HidesAll()
    words = tuple(HashedWord(row.word_hash, row.length, row.privacy_level) for row in rows)
    lists = tuple(_list_of(key, words) for key in keys)
    return lists[0] if len(lists) == 1 else SeveralLists(lists)


_list_of = lru_cache(maxsize=LISTS_KEPT)(NeverList)


@dataclass(frozen=True)
class SeveralLists:
    """The words of a person under several keys: each list looks for those that are under its own."""

    lists: tuple[NeverList, ...]

    def find(self, text: str) -> list[Finding]:
        """Return what any of them finds."""
        return [one for each in self.lists for one in each.find(text)]


@dataclass(frozen=True)
class KeptWords:
    """All that a person's words are: the keys that their hashes may be under, and the rows."""

    keys: list[str]
    words: list[dict[str, Any]]


def everything_of(connection: Connection, user_id: int) -> KeptWords:
    """Return a person's words with their keys, for an export."""
    names = ("word_hash", "length", "privacy_level")
    rows = [{name: getattr(row, name) for name in names} for row in _rows(connection, user_id)]
    return KeptWords([key.decode() for key in _keys_of(connection, user_id)], rows)


@dataclass(frozen=True)
class HidesAll:
    """Stands for a list whose words cannot be looked for."""

    def find(self, text: str) -> list[Finding]:
        """Return the whole text as one finding."""
        return [Finding(DETECTOR, 0, len(text))] if text else []


def add_word(
    connection: Connection, user_id: int, word: object, level: object = None, actor: Actor = COMMAND_LINE
) -> WordView:
    """Put a word on a person's list; one that is there already gets this level.

    Raises InvalidContent, and Conflict where there are too many. Writes never_words, privacy_secrets,
    user_privacy_settings and audit_logs; the word itself nowhere.
    """
    text, now = _checked(word), clock.now()
    if level is not None and level not in NAMES:
        raise invalid("/privacy_level", f"one of {', '.join(NAMES)}, or null: shown at no level")
    rows = _rows(connection, user_id)
    get_or_make_key(connection, KEY, now)
    hashes = [hash_word(key, text) for key in _keys_of(connection, user_id)]
    same = next((row for row in rows if row.word_hash in hashes), None)
    if same is not None and same.privacy_level == level:
        return _view(same)
    if same is not None:
        word_id = int(same.id)
        connection.execute(update(never_words).where(_WORD.id == word_id).values(privacy_level=level))
        _record(connection, audit.UPDATE, word_id, actor, _said(same), {"privacy_level": level})
    else:
        word_id = _insert(connection, user_id, rows, hashes[0], len(fold(text)), level)
        _record(connection, audit.CREATE, word_id, actor, None, {"privacy_level": level, "user_id": user_id})
    privacy_settings.raise_words_generation(connection, user_id, now)
    return _view(_get(connection, user_id, word_id))


def remove_word(connection: Connection, user_id: int, word_id: int, actor: Actor = COMMAND_LINE) -> None:
    """Take a word off a person's list; raises NotFound. Texts are hidden until they were searched again."""
    row = _get(connection, user_id, word_id)
    connection.execute(delete(never_words).where(_WORD.id == word_id))
    _record(connection, audit.DELETE, word_id, actor, _said(row), None)
    privacy_settings.raise_words_generation(connection, user_id, clock.now())


# -- inside


def _keys_of(connection: Connection, user_id: int) -> list[bytes]:
    """The key of a person's words, and those of words that were imported."""
    key = find_key(connection, KEY)
    own = [] if key is None else [keyed_hash(key, "never-list of", str(user_id)).encode()]
    return own + find_keys(connection, f"{KEY}:{user_id}:")


def _checked(word: object) -> str:
    if not isinstance(word, str):
        raise invalid("/word", "a text is needed here")
    check_json(word)
    if not SHORTEST <= len(fold(word)) <= LONGEST or len(word) > 2 * LONGEST:
        raise invalid("/word", f"{SHORTEST} to {LONGEST} letters or digits are needed here")
    return word


def _rows(connection: Connection, user_id: int) -> list[Row[Any]]:
    return list(connection.execute(_OF_PERSON, {"user_id": user_id}))


_OF_PERSON = (
    select(never_words).where(_WORD.user_id == bindparam("user_id")).order_by(_WORD.created_at, _WORD.id)
)


def _get(connection: Connection, user_id: int, word_id: int) -> Row[Any]:
    query = select(never_words).where(_WORD.user_id == user_id, _WORD.id == word_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("There is no such word on the list.")
    return row


def _insert(
    connection: Connection,
    user_id: int,
    rows: list[Row[Any]],
    hashed: str,
    length: int,
    level: object,
) -> int:
    if len(rows) >= MOST:
        raise Conflict(f"There are {MOST} words on the list already.", hint="Remove one that is not needed.")
    word_id = new_id(connection, never_words)
    values = {"id": word_id, "user_id": user_id, "word_hash": hashed, "length": length}
    created = {"privacy_level": level, "created_at": clock.stored(clock.now())}
    connection.execute(insert(never_words).values({**values, **created}))
    return word_id


def _said(row: Row[Any]) -> dict[str, object]:
    return {"privacy_level": row.privacy_level, "user_id": row.user_id}


def _view(row: Row[Any]) -> WordView:
    return {
        "id": row.id,
        "length": row.length,
        "privacy_level": row.privacy_level,
        "created_at": None if row.created_at is None else clock.rfc3339(str(row.created_at)),
    }


def _record(
    connection: Connection,
    action: str,
    word_id: int,
    actor: Actor,
    before: dict[str, object] | None,
    after: dict[str, object] | None,
) -> None:
    audit.record(
        connection,
        action,
        "never_words",
        word_id,
        now=clock.now(),
        user_id=actor.user_id,
        old_values=before,
        new_values=after,
        ip_address=actor.ip_address,
        user_agent=actor.user_agent,
    )
