"""Regular expressions of the owner's rules (RE2). Which parts of a text does a rule's pattern match?

Rules come out of databases, so their patterns may be anything, and Python's own engine can be made to run for
years by thirty letters. RE2 takes time that grows with the text's length only. But it knows edges of words in
ASCII alone; so a text is written, before, as one byte for each sort of character that the pattern tells apart
(pattern_syntax.py), letters and digits of every script as bytes that RE2 takes for a word's.

Where it differs from Python it finds more: the longest match counts, from every start, overlapping or not;
``^`` and ``$`` hold at every line. What RE2 refuses is refused, and so is every pattern where RE2 is not
installed: then a rule hides the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.util import find_spec
from threading import Lock
from typing import Any, NamedTuple

from app.privacy.pattern_syntax import Syntax, Unbounded, read

NOT_INSTALLED = (
    "RE2 (the package google-re2) is not installed, so rules with a pattern hide whole texts from strangers; "
    "docs/privacy.md says what to do"
)

_NEWLINE = ord("\n")
_WORD_CODES = [code for code in range(128) if chr(code).isalnum() or chr(code) == "_"]
_OTHER_CODES = [code for code in range(256) if code not in {*_WORD_CODES, _NEWLINE}]
_CHARACTERS_KEPT_MOST = 20_000
_MEMORY_BYTES = 4 << 20
_SIZE_MOST = 3000
# How far searches may look, all in all. The states of a small pattern always fit into RE2's memory; those
# of a larger one may not, and then each letter costs it some steps for each part of the pattern.
_LETTERS_TO_BEGIN = 4_000_000
_LETTERS_PER_LETTER = 256
_SMALL_SIZE = 16

_Sort = tuple[bool, tuple[bool, ...]]  # is it of a word, and which atoms read it


class _Full(Unbounded):
    """There are more sorts of characters than codes."""


class _Program(NamedTuple):
    """What searches a text in codes."""

    regexp: Any
    wall: re.Pattern[bytes]  # what no atom reads, so that no match goes on there


class _Codes(dict[int, int]):
    """The code of each character, for str.translate; raises _Full where there are too many sorts."""

    def __init__(self, syntax: Syntax) -> None:
        super().__init__({_NEWLINE: _NEWLINE})
        self._syntax = syntax
        self._free = {True: iter(_WORD_CODES), False: iter(_OTHER_CODES)}
        self._codes: dict[_Sort, int] = {}
        self._of_newline = self._sort_of("\n")
        self._program: _Program | None = None

    def __missing__(self, number: int) -> int:
        sort = self._sort_of(chr(number))
        if sort not in self._codes:
            code = next(self._free[sort[0]], None)
            if code is None:
                raise _Full
            self._codes[sort] = code
            self._program = None
        if len(self) < _CHARACTERS_KEPT_MOST:
            self[number] = self._codes[sort]
        return self._codes[sort]

    def program(self) -> _Program:
        """Return what searches texts of these characters; raises Unbounded where RE2 refuses the pattern."""
        self._program = self._program or self._compile()
        return self._program

    def _sort_of(self, char: str) -> _Sort:
        is_of_word = self._syntax.has_edges and (char.isalnum() or char == "_")
        return is_of_word, tuple(atom.holds(char) for atom in self._syntax.atoms)

    def _compile(self) -> _Program:
        sorts = [*self._codes.items(), (self._of_newline, _NEWLINE)]
        read_by = [
            _class_of(code for (_, reads), code in sorts if reads[number])
            for number in range(len(self._syntax.atoms))
        ]
        unread = _class_of(code for (_, reads), code in sorts if not any(reads))
        return _Program(_compile(self._syntax, read_by), re.compile(rf"{unread}|\Z".encode()))


def _class_of(codes: Iterable[int]) -> str:
    inside = "".join(f"\\x{code:02x}" for code in codes)
    return f"[{inside}]" if inside else r"[^\x00-\xff]"


def _compile(syntax: Syntax, read_by: list[str]) -> Any:
    re2 = library()
    if re2 is None:
        raise Unbounded(NOT_INSTALLED)
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.longest_match = True
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    written = "".join(part if isinstance(part, str) else read_by[part] for part in syntax.parts)
    try:
        return re2.compile(f"(?m){written}".encode(), options)
    except re2.error as error:
        raise Unbounded(str(error)) from None


class Pattern:
    """A pattern, ready to search; making one raises Unbounded where it cannot be read."""

    def __init__(self, text: str) -> None:
        self._syntax = read(text)
        alone = [_class_of([1 + number % 255]) for number in range(len(self._syntax.atoms))]
        self._size: int = _compile(self._syntax, alone).programsize
        if self._size > _SIZE_MOST:
            raise Unbounded("the pattern is too large")
        self._weight = 1 if self._size <= _SMALL_SIZE else self._size // 2
        self._codes = _Codes(self._syntax)
        self._lock = Lock()

    def parts(self, text: str) -> list[tuple[int, int]]:
        """Return (start, end) of parts which together cover every match; empty matches are none.

        Raises Unbounded when the text asks for too many steps; that depends on the two texts only, not on
        what was searched before.
        """
        with self._lock:
            try:
                coded, program = self._coded(text)
            except Unbounded:
                self._codes = _Codes(self._syntax)
                coded, program = self._coded(text)
        return self._search(program, coded)

    def _coded(self, text: str) -> tuple[bytes, _Program]:
        return text.translate(self._codes).encode("latin-1"), self._codes.program()

    def _search(self, program: _Program, coded: bytes) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        longest = len(coded) if self._syntax.is_endless else self._size
        left = (_LETTERS_TO_BEGIN + _LETTERS_PER_LETTER * len(coded)) // self._weight
        at = wall = 0
        while at <= len(coded) and (match := program.regexp.search(coded, at)):
            start, end = match.span()
            if start >= wall:
                wall = _wall(program, coded, start)
            left -= 1 + min(wall - start, longest)
            if left < 0:
                raise Unbounded("the text asks for too many steps")
            if end > start:
                found.append((start, end))
            # A match that begins within this one goes on behind its end only where something is read there.
            at = max(end, start + 1) if end == wall else start + 1
        return found


def _wall(program: _Program, coded: bytes, start: int) -> int:
    wall = program.wall.search(coded, start)
    return wall.start() if wall else len(coded)


@cache
def library() -> Any:
    """Return RE2, None where it cannot be loaded: no wheel for this platform (docs/privacy.md).

    It is loaded by the first call (`entry_search.load`).
    """
    try:
        import re2
    except ImportError:
        return None
    return re2


def is_installed() -> bool:
    """Whether RE2 is there to be loaded."""
    return find_spec("re2") is not None


def missing() -> str | None:
    """Return a sentence where RE2 cannot be loaded."""
    return None if library() else NOT_INSTALLED


@lru_cache(maxsize=256)
def pattern(text: str) -> Pattern | None:
    """Return the pattern of this text, or None where it cannot be read."""
    try:
        return Pattern(text)
    except Unbounded:
        return None
