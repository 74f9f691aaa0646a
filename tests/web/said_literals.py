"""Literals. Which messages are written in an expression, and where are the values in them?"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

VARIANTS_MOST = 24
_WORD = re.compile(r"[A-Za-z]{2,}|\b[aAI]\b")
_BRACES = re.compile(r"\{[a-z_]*(?::[^{}]*)?\}")
_PERCENT = re.compile(r"%(?:\(\w+\))?[sdr]")
_COMMAND = re.compile(r"(?:daemon|GET|POST|PUT|PATCH|DELETE|pip|docker|chmod|sudo|python\d?|curl)\b[^.!?;]*")
_PROSE = re.compile(r"daemon(?: [a-z]+){4}")  # no command has so many words: it begins a sentence
_NO_PROSE = re.compile(
    r"\b(SELECT|INSERT|UPDATE|PRAGMA|CREATE (UNLOGGED )?TABLE)\b|^[/<\\^]|charset=|realm=|^Content-Type:"
    r"|^Accept:"
)


@dataclass(frozen=True)
class Hole:
    """A value in a text."""

    value: ast.expr


Piece = str | Hole
Text = tuple[Piece, ...]


def texts_in(node: ast.expr) -> list[Text] | None:
    """Return the variants of a text that is written here, None where it is no text."""
    match node:
        case ast.Constant(value=str(text)):
            return [_with_braces(text)]
        case ast.JoinedStr():
            return _product([_texts_of_part(each) for each in node.values])
        case ast.BinOp(op=ast.Add()):
            sides = [texts_in(node.left), texts_in(node.right)]
            if sides == [None, None]:
                return None
            parts = (node.left, node.right)
            return _product([side or [(Hole(part),)] for side, part in zip(sides, parts, strict=True)])
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod()):
            return [tuple(_cut(text, _PERCENT, node.right))]
        case ast.IfExp():
            sides = [texts_in(node.body), texts_in(node.orelse)]
            return None if None in sides else [*(sides[0] or ()), *(sides[1] or ())]
        case _:
            return None


def _with_braces(text: str) -> Text:
    nothing = ast.Constant(0)
    return tuple(_cut(text, _BRACES, nothing)) if _BRACES.search(text) else (text,)


def _cut(text: str, pattern: re.Pattern[str], value: ast.expr) -> Iterator[Piece]:
    pieces = pattern.split(text)
    for at, piece in enumerate(pieces):
        if at:
            yield Hole(value)
        if piece:
            yield piece


def _texts_of_part(node: ast.expr) -> list[Text]:
    if isinstance(node, ast.FormattedValue):
        inner = texts_in(node.value) if node.conversion == -1 and node.format_spec is None else None
        if inner is not None:
            return inner
        if isinstance(node.value, ast.BoolOp) and node.conversion == -1:
            last = texts_in(node.value.values[-1])
            if last is not None and not message_of(last[0]):
                return [(Hole(node.value),), ()]
        return [(Hole(node.value),)]
    assert isinstance(node, ast.Constant)
    return [(str(node.value),)]


def _product(parts: list[list[Text]]) -> list[Text]:
    count = 1
    for each in parts:
        count *= len(each)
    if count > VARIANTS_MOST:
        raise AssertionError("a text has too many variants: make it of fewer conditionals")
    return [tuple(itertools.chain(*each)) for each in itertools.product(*parts)]


def message_of(text: Text) -> str:
    """Return the message of a text, its holes numbered from 0."""
    numbers = itertools.count()
    return "".join(piece if isinstance(piece, str) else f"{{{next(numbers)}}}" for piece in text).strip()


def is_said(message: str) -> bool:
    """Whether a text is one that somebody reads, and no command, path, name or format."""
    literal = re.sub(r"\{\d+\}", " ", message)
    is_command = _COMMAND.fullmatch(message) and not _PROSE.match(message)
    words = [word for word in _WORD.findall(literal) if not word.isupper() or len(word) == 1]
    if not words or is_command or "\n" in message or _NO_PROSE.search(message):
        return False
    if " " not in message.strip():
        return False
    return len(words) >= 2 or bool(re.search(r"\{\d+\} [a-z]+|[a-z]+ \{\d+\}", message))
