"""Syntax of a pattern (Python's re, without look-around). Which characters does each part of it read?

A pattern is cut into atoms (a character, a category, a class), which read one character each, and the shape
around them (groups, alternatives, repeats, places), which is said in RE2's words. What an atom reads is asked
of Python's own engine, one character at a time: so categories, cases and ranges mean what they mean to Python
in every script, and nothing in one character can make that engine run away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a", "b": "\b", "0": "\0"}
_ESCAPE = r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[ntrfva0_]|\W)"
_CATEGORY = r"\\[dDsSwW]"
_ITEM = rf"(?:{_CATEGORY}|\\b|{_ESCAPE}|[^\\])"
_REPEAT = r"(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\}|\{,[0-9]+\})"
_FLAGS = re.compile(r"\(\?([imsu]+)\)")
_TOKEN = re.compile(
    rf"(?P<place>(?:\\[bBAZ]|[$^])(?!{_REPEAT}))"
    rf"|(?P<repeat>{_REPEAT})[?+]?"  # lazy and possessive repeats match no more than greedy ones
    r"|(?P<group>\(\?P<[^>]*>|\(\?[:>]|\((?!\?))"
    r"|(?P<shape>[)|])"
    rf"|(?P<atom>\[\^?{_ITEM}(?:(?!\]){_ITEM})*\]|{_CATEGORY}|{_ESCAPE}|[^\\\[()|*+?^$])",
    re.DOTALL,
)
_CLASS_ITEM = re.compile(rf"(?P<category>{_CATEGORY})|(?P<low>{_ITEM})(?:-(?P<high>{_ITEM}))?", re.DOTALL)
_PLACES = {r"\A": "^", r"\Z": "$"}  # at every line, as ^ and $
_SIMPLE_REPEATS = {"*": "{0,}", "+": "{1,}", "?": "{0,1}"}
_REPEAT_MOST = 1000
_NESTING_MOST = 50


class Unbounded(ValueError):
    """A pattern that cannot be read, or a text on which it asks for too many steps."""


@dataclass(frozen=True)
class Atom:
    """What reads one character of a text."""

    reads: re.Pattern[str]
    is_negated: bool
    in_any_case: re.Pattern[str] | None

    def holds(self, char: str) -> bool:
        """Whether it reads the character, of which with (?i) each case counts, and what Python folds too."""
        forms = {char, char.lower(), char.upper()} if self.in_any_case else {char}
        if any(self.reads.match(form) for form in forms) != self.is_negated:
            return True
        return self.in_any_case is not None and self.in_any_case.match(char) is not None


@dataclass
class Syntax:
    """A pattern: in order RE2's words for its shape, and the numbers of atoms."""

    parts: list[str | int] = field(default_factory=list)
    atoms: list[Atom] = field(default_factory=list)

    @property
    def has_edges(self) -> bool:
        """Whether it asks for edges of words."""
        return r"\b" in self.parts or r"\B" in self.parts

    @property
    def is_endless(self) -> bool:
        """Whether a repeat in it has no end."""
        return any(isinstance(part, str) and part.endswith(",}") for part in self.parts)


def read(pattern: str) -> Syntax:
    """Cut a pattern into parts; raises Unbounded for what is not known. Brackets are left to RE2 to count."""
    flags = _FLAGS.match(pattern)
    at = flags.end() if flags else 0
    names = flags[1] if flags else ""
    syntax = Syntax()
    numbers: dict[str, int] = {}
    depth = 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            raise Unbounded(f"what stands at {at} of the pattern is not known")
        at = token.end()
        if (atom := token["atom"]) is None:
            syntax.parts.append(_shape(token))
            depth += (token["group"] is not None) - (token["shape"] == ")")
            if depth >= _NESTING_MOST:
                raise Unbounded("the pattern is nested too deep")
            continue
        if atom not in numbers:
            numbers[atom] = len(numbers)
            syntax.atoms.append(_atom(atom, names))
        syntax.parts.append(numbers[atom])
    return syntax


def _shape(token: re.Match[str]) -> str:
    if repeat := token["repeat"]:
        return _SIMPLE_REPEATS.get(repeat) or _counted(repeat)
    if place := token["place"]:
        return _PLACES.get(place, place)
    return token["shape"] or "(?:"


def _counted(repeat: str) -> str:
    least, comma, most = repeat[1:-1].partition(",")
    if max(int(least or 0), int(most or 0)) > _REPEAT_MOST:
        raise Unbounded("a repeat has odd bounds")
    return (
        f"{{{int(least or 0)}{comma}{int(most) if most else ''}}}"  # RE2 reads no number that begins with 0
    )


def _atom(written: str, flags: str) -> Atom:
    is_negated = written.startswith("[^")
    if written.startswith("["):
        inside = "".join(_class_item(item) for item in _CLASS_ITEM.finditer(written[1 + is_negated : -1]))
        reads, in_any_case = f"[{inside}]", f"[{'^' * is_negated}{inside}]"
    else:
        is_known = written == "." or re.fullmatch(_CATEGORY, written)
        reads = in_any_case = written if is_known else re.escape(_character(written))
    dot = re.DOTALL if "s" in flags else re.NOFLAG
    any_case = re.compile(in_any_case, dot | re.IGNORECASE) if "i" in flags else None
    return Atom(re.compile(reads, dot), is_negated, any_case)


def _class_item(item: re.Match[str]) -> str:
    if item["category"]:
        return item["category"]
    low, high = _character(item["low"]), _character(item["high"] or item["low"])
    if high < low or re.fullmatch(_CATEGORY, item["high"] or ""):
        raise Unbounded("a class has an odd range")
    return f"{re.escape(low)}-{re.escape(high)}"


def _character(written: str) -> str:
    if len(written) == 1:
        return written
    name, digits = written[1], written[2:]
    if not digits:
        return _ESCAPES.get(name, name)
    try:
        return chr(int(digits, 16))
    except (ValueError, OverflowError):
        raise Unbounded("an escape that is not a character") from None
