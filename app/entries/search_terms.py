"""Terms of the search index. What is a view cut into, and what does a query ask of it, for one audience?

An audience is a level, or `own`: what a person sees of their own entries. Each has terms of its own (they
begin with another letter), and so an index of its own: nothing that is in one is found, counted or compared
in another. A term is a word of a text, a word of its title, or says of what kind, whose, with which tag the
entry is, and whom it is answered to. Both engines are handed the same terms; what they find is compared
with the view itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b

from app.entries.list_filter import Texts, strings_of, tags_of, texts_of, titles_of
from app.entries.text_match import BEGINNING_CHARACTERS, Term, TextQuery, Word, words_of
from app.full_text import Every, Expression, Some, Without
from app.full_text import Term as Indexed

OWN = "own"
TERM_CHARACTERS = 40  # a longer word is found by its beginning, and then compared
TERMS_MOST = 20_000  # of one view; what is behind them is not found
TERMS_BYTES_MOST = 500_000  # a tsvector takes twice as many
_LETTERS = {
    "business_card": "a",
    "professional": "b",
    "ai_safe": "c",
    "public_full": "d",
    "ai_safe+professional": "e",
}
"""How terms of a level begin in the rows that databases have; those of any other level begin with a hash."""
_WORD, _TITLE, _KIND, _PERSON, _TAG, _ANSWER = "wtkpgq"
_BEGINNING_OF = {_WORD: "b", _TITLE: "n"}
BEGINNINGS = (BEGINNING_CHARACTERS, 5)  # letters: others are found by the longer of these, and compared
_DOT = "\u00b7"  # no letter and no digit, and to no engine a blank
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
PLACE_BITS = 24  # of an id beside its second: so many rows may be of one

IN_TITLE, PARTLY_IN_TITLE, IN_TEXT = RANKS = (2, 1, 0)
"""The rank of a row: all that is searched for is in its title; some of it; or it is in its text only."""


def scope_of(audience: str, user_id: int | None) -> str:
    """Return what the terms of an audience begin with; those of what is one's own are each person's alone."""
    return f"o{user_id or 0}" if audience == OWN else _short(audience)


def _short(level: str) -> str:
    return _LETTERS.get(level) or _hash_kept(level)


def second_of(moment: datetime) -> int:
    """Return the second of a moment, counted from the first year."""
    return max(0, int((moment - _BEGINNING).total_seconds()))


# -- of a view


Cut = dict[tuple[str, str], tuple[str, ...]]
"""What texts were cut into, by what they are (a word of a text, of a title) and themselves."""


def parts_of(data: object, known: Cut) -> tuple[str, ...]:
    """Return what the terms of a view's data are in any scope, each behind what that begins them with.

    Levels at which the same is shown so have it cut once; ``known`` are texts of the same entry's other
    views, and those of this one from now on.
    """
    parts = dict.fromkeys(mark("", _TAG, tag) for tag in tags_of(data))
    for title in titles_of(data):
        parts |= dict.fromkeys(_parts_of_text(_TITLE, title, known))
    for _, text in strings_of(data):
        parts |= dict.fromkeys(_parts_of_text(_WORD, text, known))
        if len(parts) > TERMS_MOST:
            break
    return tuple(parts)


def terms_of(scope: str, parts: tuple[str, ...], marks: Iterator[str]) -> str:
    """Return the terms of a view, with blanks between: its marks, and the parts of its data."""
    terms = [*dict.fromkeys(marks), *[scope + part for part in parts]]
    made = " ".join(terms[:TERMS_MOST])
    whole = made.encode()
    return (
        made if len(whole) <= TERMS_BYTES_MOST else whole[: whole.rindex(b" ", 0, TERMS_BYTES_MOST)].decode()
    )


def _parts_of_text(what: str, text: str, known: Cut) -> tuple[str, ...]:
    found = known.get((what, text))
    if found is None:
        found = known[what, text] = tuple(_parts_of_words(what, words_of(text)))
    return found


def _parts_of_words(what: str, words: list[Word]) -> Iterator[str]:
    whole, beginning = f"{what}{_DOT}", f"{_BEGINNING_OF[what]}{_DOT}"
    for word in dict.fromkeys([each.folded for each in words]):
        yield whole + word[:TERM_CHARACTERS]
        for length in BEGINNINGS:
            if len(word) >= length:
                yield beginning + word[:length]


def texts_in(data: object) -> Texts:
    """Return the texts of a view's data, each with its words."""
    return list(texts_of(data))


def kind_mark(scope: str, name: str) -> str:
    """Return the term of entries of a kind."""
    return mark(scope, _KIND, name)


def person_mark(scope: str, user_id: int) -> str:
    """Return the term of a person's entries."""
    return mark(scope, _PERSON, str(user_id))


def answer_mark(scope: str, bound: str, *, is_for_assistant: bool) -> str:
    """Return the term of what is answered to who may see that much at most."""
    return _said(scope, _ANSWER, _short(bound) + ("1" if is_for_assistant else "0"))


def mark(scope: str, what: str, text: str) -> str:
    """Return the term of something that may have any characters."""
    return _said(scope, what, _hash_kept(text) if len(text) <= TERM_CHARACTERS else _hash(text))


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


_hash_kept = lru_cache(maxsize=256)(_hash)


def _said(scope: str, what: str, text: str) -> str:
    return f"{scope}{what}{_DOT}{text[:TERM_CHARACTERS]}"


# -- of a query


def asked(query: TextQuery, scope: str, rank: int | None, marks: tuple[Expression, ...]) -> Expression:
    """Return what finds the rows of a scope that may be what a query means, of one rank or of any."""
    parts = [*marks, *(_term(scope, _WORD, term) for term in query.wanted)]
    without = [
        _term(scope, _WORD, term) for term in query.unwanted if len(term.words) == 1 and _is_whole(term)
    ]
    if rank is not None:
        in_title = tuple(_term(scope, _TITLE, term) for term in query.wanted)
        if rank == IN_TITLE:
            parts += in_title
        elif rank == PARTLY_IN_TITLE:
            parts.append(Some(in_title))
            without.append(Every(in_title))
        else:
            without.append(Some(in_title))
    found = Every(tuple(parts))
    return Without(found, tuple(without)) if without else found


def tag_asked(scope: str, tag: str) -> Expression:
    """Return what finds the rows with a tag, folded as `tags_of` does."""
    return Indexed(mark(scope, _TAG, tag))


def _term(scope: str, what: str, term: Term) -> Expression:
    """Words of a phrase are found wherever they are; that they follow each other is seen in the text."""
    *others, last = term.words
    found: tuple[Expression, ...] = tuple(Indexed(_said(scope, what, word)) for word in others)
    found += (_last(scope, what, last, term.is_prefix),)
    return found[0] if len(found) == 1 else Every(found)


def _last(scope: str, what: str, word: str, is_prefix: bool) -> Indexed:
    """A beginning is no range of words, which would have as many rows as all of them: it is a term itself."""
    if not is_prefix or len(word) < BEGINNINGS[0]:
        return Indexed(_said(scope, what, word))
    length = max(length for length in BEGINNINGS if length <= len(word))
    return Indexed(_said(scope, _BEGINNING_OF[what], word[:length]))


def _is_whole(term: Term) -> bool:
    """Whether the index knows the word as it is, so that who has it may be left out."""
    word = term.words[0]
    return len(word) in BEGINNINGS if term.is_prefix else len(word) < TERM_CHARACTERS
