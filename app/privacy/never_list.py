"""Never-list (words that must not leave). Where in a text does a person's word stand, however it is written?

Words are known by keyed hashes only. A word and a text are cut into tokens (letters or digits in a row; case,
accents and what cannot be seen left out), and every row of tokens of a word's length is hashed: so neither
spaces, hyphens, zero-width characters, Markdown nor HTML within a word hide it, and a word that is only part
of a token is not found. Pure; each step looks at each character a bounded number of times.
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import NamedTuple
from urllib.parse import unquote

from app.privacy.detectors.finding import Finding
from app.privacy.levels import LEVELS, at_most
from app.privacy.ordinary_words import ORDINARY

DETECTOR = "never_list"
SHORTEST = 2
LONGEST = 200

_HALF = 32  # hexadecimal digits of each of the two hashes of a word
_BLOCK = 64  # bytes of SHA-256
_REMEMBERED = 5_000


@dataclass(frozen=True)
class HashedWord:
    """A word of the list as it is kept.

    ``privacy_level`` is the widest level that may show it, None for none; ``length`` is that of `fold`.
    """

    word_hash: str
    length: int
    privacy_level: str | None = None


class _Token(NamedTuple):
    folded: str
    start: int
    end: int


def fold(word: str) -> str:
    """Return a word as words are compared: its tokens without case, accents, and whatever is between them."""
    return "".join(token.folded for token in _tokens(word))


def hash_word(secret: bytes, word: str) -> str:
    """Return the keyed hash of a word: 32 hexadecimal digits of its tokens together, 32 of them spaced."""
    keyed = _keyed(secret)
    pieces = _pieces(word, _tokens(word), every=True)
    return keyed.hash("".join(pieces)) + keyed.hash(" ".join(pieces))


def is_hidden(detector: str, level: str) -> bool:
    """Whether what a never-list found is hidden at an effective level; a level that there is not hides."""
    widest = detector.partition(":")[2]
    return widest not in LEVELS or not at_most(level, widest)


class NeverList:
    """One person's words. Any thread may ask; what was asked before is remembered, up to a bound."""

    def __init__(self, secret: bytes, words: Iterable[HashedWord]) -> None:
        self._keyed = _keyed(secret)
        self._words: dict[str, list[HashedWord]] = {}
        self._lengths: list[int] = []
        for word in words:
            self._words.setdefault(word.word_hash[:_HALF], []).append(word)
            self._lengths = sorted({*self._lengths, word.length})

    def __bool__(self) -> bool:
        """Whether there is any word."""
        return bool(self._words)

    def find(self, text: str) -> list[Finding]:
        """Return where words of the list stand, in order, in code points of the text as it was given.

        The detector is ``never_list``, or ``never_list:professional`` for a word that ``professional`` and
        the levels below it may show (`is_hidden`).
        """
        if not self._lengths or len(text) < self._lengths[0]:
            return []
        found = {one for form in _forms(text) for one in self._in(form)}
        return sorted(found, key=lambda one: (one.start, -one.end, one.detector))

    def _in(self, text: str) -> Iterator[Finding]:
        """Yield what is in one form of the text; where each token stands is asked only where a word is."""
        folded = _folded(text)
        index_of = {edge: index for index, edge in enumerate((0, *accumulate(map(len, folded))))}
        joined, hash_of = "".join(folded), self._keyed.hash
        tokens: list[_Token] = []
        for length in self._lengths:
            for begin in [edge for edge in index_of if edge + length in index_of]:
                words = self._words.get(hash_of(joined[begin : begin + length]))
                if words:
                    tokens = tokens or _tokens(text)
                    yield from self._holding(text, tokens[index_of[begin] : index_of[begin + length]], words)

    def _holding(self, text: str, row: list[_Token], words: list[HashedWord]) -> Iterator[Finding]:
        pieces = _pieces(text, row)
        spaced = self._keyed.hash(" ".join(pieces))
        as_written = [word for word in words if word.word_hash[_HALF:] == spaced]
        for word in as_written or ([] if _is_prose(pieces) else words):
            detector = DETECTOR if word.privacy_level is None else f"{DETECTOR}:{word.privacy_level}"
            yield Finding(detector, row[0].start, row[-1].end)


class _Keyed:
    """HMAC-SHA256 under one key, cut to 128 bits. What was hashed is remembered, up to a bound."""

    def __init__(self, secret: bytes) -> None:
        key = hashlib.sha256(secret).digest() if len(secret) > _BLOCK else secret
        key = key.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key))
        self._remembered: dict[str, str] = {}

    def hash(self, text: str) -> str:
        """Return the hash of a text, 32 hexadecimal digits."""
        known = self._remembered.get(text)
        return self._hash(text) if known is None else known

    def _hash(self, text: str) -> str:
        inner, outer = self._inner.copy(), self._outer.copy()  # the key is worked in once: half of the time
        inner.update(text.encode("utf-8", "surrogatepass"))
        outer.update(inner.digest())
        hashed = outer.hexdigest()[:_HALF]
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        self._remembered[text] = hashed
        return hashed


_keyed = lru_cache(maxsize=32)(_Keyed)


# -- tokens

_ASCII_TOKEN = re.compile(r"[A-Za-z0-9]++")
_LATIN_TOKEN = re.compile(r"[^\W_]++")
_LAST = 0x1FBF9  # no mark that belongs to a letter comes after it, but for emoji
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t"}
)
_SAME_WORD = "\u00ad"
_OTHER_WORD = "\ue000"
_PARTS_A_SPACE = "\u200b\ufeff"  # not seen, and between two words
# Han, kana, Hangul, Thai, Lao, Khmer, Burmese: words are not parted, so each character is a token.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u31ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)


def _folded(text: str) -> list[str]:
    """Return the tokens of a text, folded, in order."""
    return [part[0] for token in _token_in(text).findall(text) for part in _parts(token)]


def _tokens(text: str) -> list[_Token]:
    """Return the same tokens with their places in the text."""
    found = []
    for match in _token_in(text).finditer(text):
        start = match.start()
        for folded, begin, end in _parts(match[0]):
            found.append(_Token(folded, start + begin, start + end))
    return found


def _token_in(text: str) -> re.Pattern[str]:
    """A pattern that finds every token of this text: a simple one where no accent stands by itself."""
    if text.isascii():
        return _ASCII_TOKEN
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return _any_token()
    return _any_token() if _SAME_WORD in text else _LATIN_TOKEN


@lru_cache(maxsize=1)
def _any_token() -> re.Pattern[str]:
    """Letters and digits, with what belongs to each of them: accents, and what cannot be seen."""
    marks = [
        chr(code) for code in range(128, _LAST) if unicodedata.category(chr(code)) in ("Mn", "Mc", "Me", "Cf")
    ]
    marks = [*(mark for mark in marks if mark not in _PARTS_A_SPACE), *map(chr, range(0xE0000, 0xE01F0))]
    belongs = "".join(map(re.escape, marks))
    return re.compile(rf"[^\W_]++(?:[{belongs}]++[^\W_]*+)*+")


def _parts(token: str) -> tuple[tuple[str, int, int], ...]:
    return _known_parts(token) if len(token) <= 64 else _cut(token)


def _cut(token: str) -> tuple[tuple[str, int, int], ...]:
    """Cut where a word begins within: ``AnnaBee``, ``ann2015``, each character of scripts without spaces."""
    if token.isascii() and token.isalpha() and (token.islower() or token[1:].islower() or token.isupper()):
        return ((token.lower(), 0, len(token)),)
    edges = [0, *(at for at in range(1, len(token)) if _begins(token, at)), len(token)]
    cut = ((_fold_part(token[start:end]), start, end) for start, end in pairwise(edges))
    return tuple(part for part in cut if part[0])


_known_parts = lru_cache(maxsize=8192)(_cut)


def _begins(token: str, at: int) -> bool:
    char, before = token[at], token[at - 1]
    if not char.isalnum():
        return False
    if not before.isalnum():
        before = next((one for one in reversed(token[:at][-8:]) if one.isalnum()), before)
    if char.isdigit() != before.isdigit() or _UNSPACED.match(char) or _UNSPACED.match(before):
        return True
    if char.isupper():
        return before.islower() or (before.isupper() and token[at + 1 : at + 2].islower())
    return False


def _fold_part(part: str) -> str:
    if part.isascii():
        return part.lower()
    apart = unicodedata.normalize("NFKD", part.casefold())
    bare = "".join(char for char in apart if char.isalnum())
    return unicodedata.normalize("NFC", bare.translate(_PLAIN)).casefold()


# -- what is between tokens

_MARKS = re.compile(r"[*_~`\[\]\\\u00ad\u034f\u200b-\u200f\u2060-\u2064\ufeff\ue000-]|[\u2010-\u2015\u2212]")


def _pieces(text: str, row: list[_Token], *, every: bool = False) -> list[str]:
    """Return a row of tokens as a reader sees it: in one piece what only marks and hyphens part.

    With ``every``, whatever stands between two tokens parts them.
    """
    pieces = [row[0].folded] if row else []
    for before, token in pairwise(row):
        between = text[before.end : token.start]
        if between and (every or _MARKS.sub("", between)):
            pieces.append(token.folded)
        else:
            pieces[-1] += token.folded
    return pieces


_WORDS_OF_ONE = frozenset("aeiouywz")


def _is_prose(pieces: list[str]) -> bool:
    """Whether these are words that stand beside each other, and not a word that was spaced out."""
    if len(pieces) > 2 and all(len(piece) == 1 for piece in pieces):
        return False
    if len(pieces) == 2 and all(len(piece) == 1 for piece in pieces):
        return all(piece in _WORDS_OF_ONE for piece in pieces)
    return len(pieces) > 1 and all(piece in ORDINARY for piece in pieces)


# -- what Markdown and HTML make of a text

_CODED = re.compile(
    r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?|(?:%[0-9A-Fa-f]{2})++"
)
_UNSEEN = re.compile(
    r"</?[A-Za-z][^<>]{0,1000}>|<!--[^<>]{0,1000}-->"  # tags, comments
    r"|(?<=\])\([^()]*+(?:\([^()]*+\)[^()]*+)?\)|(?<=\])\[[^\[\]]*+\]"  # where links lead to
)


def _forms(text: str) -> Iterator[str]:
    """Yield the text; and, as long as it, with its entities read, and without tags and links' targets too."""
    yield text
    read = _CODED.sub(_read, text) if "&" in text or "%" in text else text
    if read != text:
        yield read
    if "<" in text or "](" in text or "][" in text:
        shown = _UNSEEN.sub(lambda match: _OTHER_WORD * len(match[0]), text)
        shown = _CODED.sub(_read, shown)
        if shown != read:
            yield shown


def _read(match: re.Match[str]) -> str:
    """What an entity stands for, filled up to its length with what cannot be seen."""
    said = match[0]
    meant = html.unescape(said) if said[0] == "&" else unquote(said, errors="replace")
    if len(meant) > len(said) or "\ufffd" in meant:
        return said
    return meant + _SAME_WORD * (len(said) - len(meant))
