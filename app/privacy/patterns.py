"""Which parts of a text does a rule's pattern match, in a bounded number of steps?

Rules come out of databases, so their patterns may be anything. Python's own engine can be made to run
for years by thirty letters; this one walks an automaton: its work is counted, and a pattern or a text
that asks for too much is refused by the count, never by a clock, so that the same text always gives the
same answer.

It reads the part of Python's syntax that regular languages have: characters, classes, groups,
alternatives, repeats,
``^ $ \\b \\B`` and a leading ``(?i)``/``(?s)``/``(?m)``. Look-around and references are refused. Where
it differs it finds more: the longest match counts, from every start, overlapping or not; ``^`` and ``$``
hold at every line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import Literal

_NODES_MOST = 3000
_STATES_MOST = 2000
_STEPS_KEPT_MOST = 100_000
_REPEAT_MOST = 1000
_NESTING_MOST = 50
_STEPS_PER_LETTER = 64
_STEPS_TO_BEGIN = 20_000


class Unbounded(ValueError):
    """A pattern that cannot be read, or a text on which it asks for too many steps."""


class _Full(Exception):
    """A walk has kept as many states as it may."""


@dataclass(frozen=True)
class _Letters:
    """A set of characters: ranges and categories, turned around or not."""

    ranges: tuple[tuple[str, str], ...] = ()
    categories: tuple[str, ...] = ()
    negated: bool = False
    any_case: bool = False

    def holds(self, char: str) -> bool:
        return self._holds(char) != self.negated

    def _holds(self, char: str) -> bool:
        forms = {char, char.lower(), char.upper()} if self.any_case else {char}
        return any(low <= form <= high for form in forms for low, high in self.ranges) or any(
            _in_category(char, category) for category in self.categories
        )


@dataclass(frozen=True)
class _At:
    """A place between two characters: a line's begin or end, a word's edge or not one."""

    where: Literal["^", "$", "b", "B"]


@dataclass(frozen=True)
class _Row:
    parts: tuple[_Node, ...]


@dataclass(frozen=True)
class _Either:
    choices: tuple[_Node, ...]


@dataclass(frozen=True)
class _Repeat:
    node: _Node
    least: int
    most: int | None


_Node = _Letters | _At | _Row | _Either | _Repeat

_EDGE, _LINE, _WORD, _OTHER = range(4)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a", "0": "\0"}


def _in_category(char: str, category: str) -> bool:
    inside = {"d": char.isdecimal(), "s": char.isspace(), "w": char.isalnum() or char == "_"}
    return inside[category.lower()] != category.isupper()


class _Reader:
    """Reads a pattern into nodes; raises Unbounded for what it does not know."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._depth = 0
        self._any_case = False
        self._dot_is_all = False

    def read(self) -> _Node:
        self._flags()
        node = self._either()
        if self._at < len(self._text):
            raise Unbounded("a bracket closes that was not opened")
        return node

    def _flags(self) -> None:
        if not self._text.startswith("(?"):
            return
        flags, bracket, _ = self._text[2:].partition(")")
        if bracket and flags and set(flags) <= set("imsu"):
            self._any_case = "i" in flags
            self._dot_is_all = "s" in flags
            self._at = len(flags) + 3

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        char = self._peek()
        if not char:
            raise Unbounded("the pattern ends too early")
        self._at += 1
        return char

    def _takes(self, text: str) -> bool:
        if self._text.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _either(self) -> _Node:
        self._depth += 1
        if self._depth > _NESTING_MOST:
            raise Unbounded("the pattern is nested too deep")
        choices = [self._row()]
        while self._takes("|"):
            choices.append(self._row())
        self._depth -= 1
        return choices[0] if len(choices) == 1 else _Either(tuple(choices))

    def _row(self) -> _Node:
        parts: list[_Node] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._one()))
        return _Row(tuple(parts))

    def _repeated(self, node: _Node) -> _Node:
        bounds = self._bounds()
        if bounds is None:
            return node
        if isinstance(node, _At):
            raise Unbounded("a place cannot be repeated")
        _ = self._takes("?") or self._takes("+")  # lazy and possessive repeats match no more than greedy ones
        if self._bounds() is not None:
            raise Unbounded("a repeat cannot be repeated")
        return _Repeat(node, *bounds)

    def _bounds(self) -> tuple[int, int | None] | None:
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        if self._peek() in simple:
            return simple[self._take()]
        if self._peek() != "{":
            return None
        inside, bracket, _ = self._text[self._at + 1 :].partition("}")
        least, comma, most = inside.partition(",")
        if (
            not bracket
            or not all(part.isascii() and part.isdigit() for part in (least, most) if part)
            or not inside.strip(",")
        ):
            return None
        self._at += len(inside) + 2
        low = int(least or 0)
        high = (int(most) if most else None) if comma else low
        if max(low, high or 0) > _REPEAT_MOST or (high is not None and high < low):
            raise Unbounded("a repeat has odd bounds")
        return low, high

    def _one(self) -> _Node:
        char = self._take()
        match char:
            case "(":
                return self._group()
            case "[":
                return self._class()
            case "\\":
                return self._escaped()
            case ".":
                return _Letters((), (), True) if self._dot_is_all else _Letters((("\n", "\n"),), (), True)
            case "^" | "$":
                return _At(char)
            case "*" | "+" | "?":
                raise Unbounded("nothing to repeat")
        return self._letter(char)

    def _letter(self, char: str) -> _Letters:
        return _Letters(((char, char),), any_case=self._any_case)

    def _group(self) -> _Node:
        if self._takes("?P<"):
            _, bracket, _ = self._text[self._at :].partition(">")
            if not bracket:
                raise Unbounded("a group's name does not end")
            self._at = self._text.index(">", self._at) + 1
        elif not (self._takes("?:") or self._takes("?>")) and self._peek() == "?":
            raise Unbounded("look-around and references are not known")
        node = self._either()
        if not self._takes(")"):
            raise Unbounded("a group is not closed")
        return node

    def _escaped(self) -> _Node:
        char = self._take()
        if char in "bB":
            return _At("b" if char == "b" else "B")
        if char in "AZ":
            return _At("^" if char == "A" else "$")
        if char in "dDsSwW":
            return _Letters(categories=(char,))
        return self._letter(self._escape(char))

    def _escape(self, char: str) -> str:
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char in "xuU":
            size = {"x": 2, "u": 4, "U": 8}[char]
            digits = self._text[self._at : self._at + size]
            self._at += size
            try:
                return chr(int(digits, 16))
            except (ValueError, OverflowError):
                raise Unbounded("an escape that is not a character") from None
        if char.isalnum():
            raise Unbounded(f"the escape \\{char} is not known")
        return char

    def _class(self) -> _Node:
        negated = self._takes("^")
        ranges: list[tuple[str, str]] = []
        categories: list[str] = []
        first = True
        while first or not self._takes("]"):
            first = False
            low = self._class_letter(categories)
            if low is None:
                continue
            high = low
            if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", ""):
                self._at += 1
                end = self._class_letter(categories)
                if end is None or end < low:
                    raise Unbounded("a class has an odd range")
                high = end
            ranges.append((low, high))
        return _Letters(tuple(ranges), tuple(categories), negated, self._any_case)

    def _class_letter(self, categories: list[str]) -> str | None:
        char = self._take()
        if char != "\\":
            return char
        char = self._take()
        if char in "dDsSwW":
            categories.append(char)
            return None
        return "\b" if char == "b" else self._escape(char)


@dataclass
class _Net:
    """The states of a pattern: what each reads, or where it forks; the last one is the end."""

    reads: list[_Letters | None] = field(default_factory=list)
    places: list[_At | None] = field(default_factory=list)
    nexts: list[tuple[int, ...]] = field(default_factory=list)

    def add(self, nexts: tuple[int, ...], reads: _Letters | None = None, place: _At | None = None) -> int:
        if len(self.nexts) >= _NODES_MOST:
            raise Unbounded("the pattern is too large")
        self.reads.append(reads)
        self.places.append(place)
        self.nexts.append(nexts)
        return len(self.nexts) - 1

    def build(self, node: _Node, after: int, backwards: bool) -> int:
        """Add the states of a node that go on to ``after``; return the state to begin with."""
        match node:
            case _Letters():
                return self.add((after,), reads=node)
            case _At():
                return self.add((after,), place=node)
            case _Row(parts):
                for part in parts if backwards else reversed(parts):
                    after = self.build(part, after, backwards)
                return after
            case _Either(choices):
                return self.add(tuple(self.build(choice, after, backwards) for choice in choices))
            case _Repeat(inner, least, most):
                return self._repeat(inner, least, most, after, backwards)

    def _repeat(self, inner: _Node, least: int, most: int | None, after: int, backwards: bool) -> int:
        if most is None:
            fork = self.add(())
            self.nexts[fork] = (self.build(inner, fork, backwards), after)
            after = fork
        else:
            end = after
            for _ in range(most - least):
                after = self.add((self.build(inner, after, backwards), end))
        for _ in range(least):
            after = self.build(inner, after, backwards)
        return after


class _Walk:
    """Walks a text along a pattern's states, one set of states at a time; sets and steps are made when
    needed.
    """

    def __init__(self, node: _Node, *, backwards: bool, floating: bool) -> None:
        self._net = _Net()
        self._end = self._net.add(())
        self._begin = self._net.build(node, self._end, backwards)
        self._backwards = backwards
        self._floating = floating
        self._numbers: dict[tuple[frozenset[int], int], int] = {}
        self._sets: list[tuple[frozenset[int], int]] = []
        self._kept_count = 0
        self._lock = Lock()
        self.steps: list[dict[str, tuple[int, bool]]] = []
        self.dead: list[bool] = []
        begin = frozenset((self._begin,))
        self._begins = [self._number(begin, sort) for sort in (_EDGE, _LINE, _WORD, _OTHER)]

    def begin(self, behind: str) -> int:
        """Return the state in which a walk begins with the character ``behind`` it ("" at the edge)."""
        return self._begins[_sort_of(behind)]

    def step(self, state: int, char: str) -> tuple[int, bool]:
        """Return the state after ``char`` ("" at the edge), and whether the pattern's end was reached
        before it.

        The answer is kept in ``steps``; raises _Full where no more can be kept.
        """
        with self._lock:
            return self._step(state, char)

    def _step(self, state: int, char: str) -> tuple[int, bool]:
        states, behind = self._sets[state]
        ahead = _sort_of(char)
        reached = self._reached(states, behind, ahead)
        on = {self._net.nexts[one][0] for one in reached if char and self._reads(one, char)}
        if self._floating:
            on.add(self._begin)
        result = (self._number(frozenset(on), ahead), self._end in reached)
        self._kept_count += 1
        self.steps[state][char] = result
        return result

    def _reads(self, state: int, char: str) -> bool:
        letters = self._net.reads[state]
        return letters is not None and letters.holds(char)

    def _number(self, states: frozenset[int], behind: int) -> int:
        key = (states, behind)
        if key not in self._numbers:
            if len(self._sets) >= _STATES_MOST or self._kept_count >= _STEPS_KEPT_MOST:
                raise _Full
            self._numbers[key] = len(self._sets)
            self._sets.append(key)
            self.steps.append({})
            self.dead.append(not states)
        return self._numbers[key]

    def _reached(self, states: frozenset[int], behind: int, ahead: int) -> set[int]:
        left, right = (ahead, behind) if self._backwards else (behind, ahead)
        reached: set[int] = set()
        pending = list(states)
        while pending:
            state = pending.pop()
            if state in reached:
                continue
            reached.add(state)
            place = self._net.places[state]
            if self._net.reads[state] is None and (place is None or _is_at(place, left, right)):
                pending.extend(self._net.nexts[state])
        return reached


def _sort_of(char: str) -> int:
    if not char:
        return _EDGE
    if char == "\n":
        return _LINE
    return _WORD if char.isalnum() or char == "_" else _OTHER


def _is_at(place: _At, left: int, right: int) -> bool:
    match place.where:
        case "^":
            return left in (_EDGE, _LINE)
        case "$":
            return right in (_EDGE, _LINE)
        case "b":
            return (left == _WORD) != (right == _WORD)
        case "B":
            return (left == _WORD) == (right == _WORD)


class Pattern:
    """A pattern, ready to search; making one raises Unbounded where it cannot be read."""

    def __init__(self, text: str) -> None:
        self._node = _Reader(text).read()
        self._needed = _needed(self._node)
        self._beginning = _beginning(self._node)
        self._walks = self._make_walks()

    def parts(self, text: str) -> list[tuple[int, int]]:
        """Return (start, end) of parts which together cover every match; empty matches are none.

        Raises Unbounded when the text asks for too many steps; that depends on the two texts only, not
        on what was searched before.
        """
        if any(char not in text for char in self._needed):
            return []
        try:
            return self._search(text)
        except _Full:
            self._walks = self._make_walks()
        try:
            return self._search(text)
        except _Full:
            raise Unbounded("the text asks for too many states") from None

    def _search(self, text: str) -> list[tuple[int, int]]:
        """Try the few places where a match could begin; where that takes long, find those where one does."""
        starts, ends = self._walks
        if self._beginning is not None:
            tries = [found.start() for found in self._beginning.finditer(text)]
            if len(tries) * 4 <= len(text):
                try:
                    return _parts(ends, text, tries, _STEPS_TO_BEGIN // 10 + 2 * len(text))
                except Unbounded:
                    pass
        steps = _STEPS_TO_BEGIN + _STEPS_PER_LETTER * len(text)
        return _parts(ends, text, _where_it_starts(starts, text), steps)

    def _make_walks(self) -> tuple[_Walk, _Walk]:
        starts = _Walk(self._node, backwards=True, floating=True)
        return starts, _Walk(self._node, backwards=False, floating=False)


def _needed(node: _Node) -> frozenset[str]:
    """Characters without which nothing matches."""
    match node:
        case _Letters(((low, high),), (), False, False) if low == high:
            return frozenset(low)
        case _Row(parts):
            return frozenset[str]().union(*(_needed(part) for part in parts))
        case _Either(choices):
            return frozenset.intersection(*(_needed(choice) for choice in choices))
        case _Repeat(inner, least, _) if least > 0:
            return _needed(inner)
    return frozenset()


def _beginning(node: _Node) -> re.Pattern[str] | None:
    """What finds every character with which a match could begin; None where that could be too many."""
    letters, may_be_empty = _begins_with(node)
    if may_be_empty or any(each.negated or each.any_case for each in letters):
        return None
    ranges = "".join(f"{re.escape(low)}-{re.escape(high)}" for each in letters for low, high in each.ranges)
    return re.compile(f"[{ranges}{''.join(chr(92) + name for each in letters for name in each.categories)}]")


def _begins_with(node: _Node) -> tuple[list[_Letters], bool]:
    """The letters with which a match may begin, and whether it may be empty."""
    match node:
        case _Letters():
            return [node], False
        case _At():
            return [], True
        case _Either(choices):
            found = [_begins_with(choice) for choice in choices]
            return [each for letters, _ in found for each in letters], any(empty for _, empty in found)
        case _Repeat(inner, least, most):
            letters, is_empty = _begins_with(inner)
            return letters, is_empty or least == 0 or most == 0
        case _Row(parts):
            begin: list[_Letters] = []
            for part in parts:
                letters, is_empty = _begins_with(part)
                begin += letters
                if not is_empty:
                    return begin, False
            return begin, True


def _parts(ends: _Walk, text: str, starts: list[int], steps_left: int) -> list[tuple[int, int]]:
    trail: dict[int, int] = {}
    found: list[tuple[int, int]] = []
    for start in starts:
        end, steps = _where_it_ends(ends, text, start, steps_left, trail)
        steps_left -= steps
        if end > start:
            found.append((start, end))
    return found


def _where_it_starts(walk: _Walk, text: str) -> list[int]:
    steps = walk.steps
    state = walk.begin("")
    starts: list[int] = []
    for at in range(len(text), -1, -1):
        char = text[at - 1] if at else ""
        state, found = steps[state].get(char) or walk.step(state, char)
        if found:
            starts.append(at)
    return starts[::-1]


def _where_it_ends(
    walk: _Walk, text: str, start: int, steps_left: int, trail: dict[int, int]
) -> tuple[int, int]:
    # An earlier walk that came through the same place in the same state went on as this one would,
    # and what it found covers what this one would find: there this one may stop.
    state = walk.begin(text[start - 1] if start else "")
    end = start
    at = start
    while not walk.dead[state]:
        if at - start > steps_left:
            raise Unbounded("the text asks for too many steps")
        char = text[at : at + 1]
        state, found = walk.steps[state].get(char) or walk.step(state, char)
        if found:
            end = at
        at += 1
        if not char or trail.get(at) == state:
            break
        trail[at] = state
    return end, at - start + 1


@lru_cache(maxsize=256)
def pattern(text: str) -> Pattern | None:
    """Return the pattern of this text, or None where it cannot be read."""
    try:
        return Pattern(text)
    except Unbounded:
        return None
