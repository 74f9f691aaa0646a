"""DDL parser. What does the text of a CREATE statement say that SQLite's pragmas do not tell?

CHECK, COLLATE, AUTOINCREMENT, ON CONFLICT, deferred keys, generated columns and expressions are read token by
token, so that spelling, comments and quoting do not matter. SQLite has accepted the text before.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from app.storage.schema import folded, quoted

_TOKEN = re.compile(
    r"""(?P<space> \s+ | --[^\n]* | /\*.*?(?:\*/|\Z) )
      | (?P<text> '(?:[^']|'')*' )
      | (?P<quoted> "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] )
      | (?P<word> [\w$]+ )
      | (?P<sign> \|\| | <= | >= | <> | != | == | << | >> | ->> | -> | . )""",
    re.VERBOSE | re.DOTALL,
)
# A CREATE TABLE without any of these words says nothing that the pragmas do not tell.
_TELLING = re.compile(r"check|collate|autoincrement|conflict|deferr|strict|rowid|\bas\b", re.IGNORECASE)
_PLAIN_WORD = re.compile(r"[a-z_][\w$]*\Z")
_CONSTRAINT_WORDS = frozenset({"constraint", "primary", "unique", "check", "foreign"})
_CONFLICT = re.compile(r"(not null|primary key(?: asc| desc)?|unique|check) on conflict (\w+)")

Token = tuple[str, str]  # kind, text
_OPEN, _CLOSE, _COMMA = ("sign", "("), ("sign", ")"), ("sign", ",")


def normal(sql: str | None, names: Collection[str] = ()) -> str:
    """SQL spelled one way: no comments, one space, small words; quotes only where they mean something.

    A name in double quotes that is not one of ``names`` stays as it is: SQLite may take it for a text.
    """
    return _joined(_tokens(sql or ""), names)


def normal_default(text: str) -> str:
    """A default value spelled one way, without parentheses around the whole of it."""
    tokens = _tokens(text)
    while tokens and tokens[0] == _OPEN and _group(tokens)[1] == len(tokens) - 1:
        tokens = tokens[1:-1]
    return _joined(tokens, ())


def read_create_index(sql: str, names: Collection[str]) -> tuple[list[str], str]:
    """The terms and the condition of a CREATE INDEX on a table whose columns are ``names`` (folded)."""
    tokens = _tokens(sql)
    opening, closing = _group(tokens)
    terms = [_joined(item, names) for item in _items(tokens[opening + 1 : closing])]
    where = tokens[closing + 2 :]  # past the word itself
    return terms, _joined(where, names)


# -- the text of CREATE TABLE -------------------------------------------------------------------------------


@dataclass
class TableText:
    """What the text tells of a table; column names are folded."""

    collations: dict[str, str] = field(default_factory=dict)
    generated: dict[str, str] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    deferred: set[tuple[str, ...]] = field(default_factory=set)
    autoincrement: bool = False
    strict: bool = False
    without_rowid: bool = False


def read_create_table(sql: str, names: Collection[str]) -> TableText:
    """What only the text tells of the table whose columns are ``names`` (folded)."""
    text = TableText()
    if not _TELLING.search(sql):
        return text
    tokens = _tokens(sql)
    opening, closing = _group(tokens)
    for item in _items(tokens[opening + 1 : closing]):
        _read_item(item, names, text)
    options = _words(tokens[closing + 1 :])
    text.strict = "strict" in options
    text.without_rowid = "without rowid" in options
    return text


def definitions(sql: str) -> dict[str, str]:
    """What a CREATE TABLE says of each column, word for word, by the folded name it begins with."""
    tokens = _all_tokens(sql)
    opening, closing = _group(tokens)
    found = {}
    for item in _items(tokens[opening + 1 : closing]):
        telling = [at for at, (kind, _) in enumerate(item) if kind != "space"]
        if telling:
            first, last = telling[0], telling[-1]
            found[folded(_unquoted(item[first]))] = "".join(text for _, text in item[first : last + 1])
    return found


def _read_item(item: list[Token], names: Collection[str], text: TableText) -> None:
    """Read one column definition or table constraint into ``text``."""
    is_constraint = item[0][0] == "word" and folded(item[0][1]) in _CONSTRAINT_WORDS
    subject = "" if is_constraint else folded(_unquoted(item[0]))
    for at, word in _outer_words(item):
        if word == "check":
            text.checks.append(_joined(_inside_group(item, at), names))
        elif word == "collate" and subject:
            text.collations[subject] = _unquoted(item[at + 1]).upper()
        elif word == "as" and subject:
            text.generated[subject] = _joined(_inside_group(item, at), names)
        elif word == "autoincrement":
            text.autoincrement = True
    words = _words(item)
    text.conflicts += [f"{subject}: {what} {way}" for what, way in _CONFLICT.findall(words) if way != "abort"]
    if "deferrable initially deferred" in words and "not deferrable" not in words:
        text.deferred.add(_key_columns(item) if is_constraint else (subject,))


def _key_columns(item: list[Token]) -> tuple[str, ...]:
    at = next((at for at, word in _outer_words(item) if word == "key"), 0)
    return tuple(folded(_unquoted(part[0])) for part in _items(_inside_group(item, at)))


# -- tokens -------------------------------------------------------------------------------------------------


def _tokens(sql: str) -> list[Token]:
    return [token for token in _all_tokens(sql) if token[0] != "space"]


def _all_tokens(sql: str) -> list[Token]:
    """With spaces and comments, so that the text can be put together again."""
    return [(match.lastgroup or "", match.group()) for match in _TOKEN.finditer(sql)]


def _joined(tokens: list[Token], names: Collection[str]) -> str:
    return " ".join(_spelled(token, names) for token in tokens)


def _spelled(token: Token, names: Collection[str]) -> str:
    kind, text = token
    if kind == "word":
        return folded(text)
    if kind != "quoted":
        return text
    name = _unquoted(token)
    if text[0] != '"' or folded(name) in names:
        name = folded(name)
        if _PLAIN_WORD.match(name):
            return name
    return quoted(name)


def _unquoted(token: Token) -> str:
    kind, text = token
    if kind == "word":
        return text
    mark = text[0]
    return text[1:-1] if mark == "[" else text[1:-1].replace(mark * 2, mark)


def _words(tokens: list[Token]) -> str:
    """What stands outside all parentheses, small, one space between; quoted names left out."""
    return " ".join(
        folded(text) for (kind, text), depth in _nested(tokens) if depth == 0 and kind != "quoted"
    )


def _outer_words(tokens: list[Token]) -> list[tuple[int, str]]:
    """The words outside all parentheses, each with its place."""
    return [
        (at, folded(text))
        for at, ((kind, text), depth) in enumerate(_nested(tokens))
        if depth == 0 and kind == "word"
    ]


def _inside_group(tokens: list[Token], at: int) -> list[Token]:
    """What stands in the first parentheses from the place ``at`` on."""
    opening, closing = _group(tokens, at)
    return tokens[opening + 1 : closing]


def _group(tokens: list[Token], at: int = 0) -> tuple[int, int]:
    """The places of the first opening parenthesis from ``at`` on and of the one that closes it."""
    opening = next((place for place in range(at, len(tokens)) if tokens[place] == _OPEN), len(tokens))
    for further, (token, depth) in enumerate(_nested(tokens[opening:])):
        if token == _CLOSE and depth == 1:
            return opening, opening + further
    return opening, len(tokens)


def _items(tokens: list[Token]) -> list[list[Token]]:
    """The parts between commas that stand outside parentheses."""
    items: list[list[Token]] = [[]]
    for token, depth in _nested(tokens):
        if token == _COMMA and depth == 0:
            items.append([])
        else:
            items[-1].append(token)
    return [item for item in items if item]


def _nested(tokens: list[Token]) -> Iterator[tuple[Token, int]]:
    """Each token with the number of parentheses it stands in; a parenthesis stands in itself."""
    depth = 0
    for token in tokens:
        depth += token == _OPEN
        yield token, depth
        depth -= token == _CLOSE
