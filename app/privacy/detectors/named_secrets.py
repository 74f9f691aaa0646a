"""Passwords, keys (label and value). Which values of a text does a word beside them call a secret?

``DB_PASSWORD=...``, ``"secretAccessKey": "..."``, ``my password is ...``: the word is searched for, and only
where one stands is its left side, what joins it to a value, and the value looked at. A value that is prose,
stands for one (``<your key>``, ``$TOKEN``), or says where to find it (``os.environ``) is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from app.privacy.detectors.catalogue import data

# The whole of what joins a word to its value; a value on the next line may be indented.
_IS = (
    r"[ ]{0,3}(?:=>|:=|[:=])[ ]{0,3}(?:\n[ ]{0,8})?|[ ](?:is|ist|est|es|è|é|jest|lautet|era|was|to):?[ ]"
    r"|'s[ ]|(?P<comma>,)[ ]?(?=[\"'])|(?P<dash>[ ][-–][ ])|(?P<bare>[ ])"
)
_REST = re.compile(
    rf"(?P<name>[a-z0-9_]{{0,16}}+)(?P<close>[\"'`\])]{{0,2}})(?:[ ]\([^()\n]{{1,20}}\))?(?:{_IS})"
    r"@?(?P<open>[\"'`]?)(?=[^\s\"'`<>]{4})"
)
_PART = re.compile(r"[^\s\"'`<>]+")
_LOOKED_AT = 200  # what is longer is a secret, or not, by its beginning
_CALL = re.compile(r"[A-Za-z_][\w.]{0,80}+\(")
_CODE = re.compile(r"[A-Za-z_]\w{0,60}+(?:\.[A-Za-z_]\w{0,60}+){1,8}+(?:[\[(]|\Z)")
_DIGIT = re.compile("[0-9]")
_LETTER = re.compile(r"[^\W\d_]")
_SIGNS = re.compile(r"[!$%^&*#~@]")


@dataclass(frozen=True)
class _Words:
    """What is asked of a text, from the data file."""

    word: re.Pattern[str]
    key_kinds: re.Pattern[str]
    code_kinds: re.Pattern[str]
    within: frozenset[str]
    others_before: re.Pattern[str]
    others_after: re.Pattern[str]
    blanks: re.Pattern[str]


@cache
def _words() -> _Words:
    said = data("secret")
    listed = sorted((word for kind in said["words"].values() for word in kind), key=len, reverse=True)
    return _Words(
        word=re.compile("|".join(listed)),
        key_kinds=re.compile(rf"(?<![^\W_])\w{{0,16}}?(?:{said['key_kinds']})[ _-]?\Z"),
        code_kinds=re.compile(rf"(?:{said['code_kinds']})[ _-]?\Z"),
        within=frozenset(said["within"]),
        others_before=re.compile(rf"(?<![a-z])(?:{said['others_before']})[ _-]?\Z"),
        others_after=re.compile(rf"(?:\w*_)?(?:{said['others_after']})"),
        blanks=re.compile(said["blanks"]),
    )


@cache
def _kind_of() -> dict[str, str]:
    return {word: kind for kind, words in data("secret")["words"].items() for word in words}


def named_secrets_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the values begin and end that a word of a folded text calls secret."""
    lowered = text.lower()
    if len(lowered) != len(text):
        return
    find = _words().word.search
    word = find(lowered)
    part_end = 0
    while word:
        at = word.end()
        rest = _REST.match(lowered, at)
        if rest:
            start = rest.end()
            if start >= part_end and (part := _PART.match(text, start)):
                part_end = part.end()
            before = lowered[word.start() - 1 : word.start()]
            value = _value(text, min(part_end, start + _LOOKED_AT), rest, before)
            if _is_secret(_kind(lowered, word, rest["name"]), rest, value, before):
                at = start + len(value) if len(value) < _LOOKED_AT else part_end
                yield start, at
        word = find(lowered, at)


def _kind(lowered: str, word: re.Match[str], name: str) -> str:
    """What the word calls its value: password, token, key, weak, pin, code; empty where it is another."""
    words = _words()
    start = word.start()
    kind = _kind_of()[word[0]]
    before = lowered[max(0, start - 20) : start]
    is_inside = before[-1:].isalpha() and word[0] not in words.within
    if kind == "key" and words.key_kinds.search(before):
        kind = "token"
    elif is_inside or (kind == "code" and not words.code_kinds.search(before)):
        return ""
    if words.others_before.search(before) or words.others_after.fullmatch(name):
        return ""
    is_whole = not name or name[0] in "_0123456789" or name == "s"
    return kind if is_whole or word[0] in words.within else ""


def _value(text: str, end: int, rest: re.Match[str], before: str) -> str:
    """What is said to be a secret: between quotes on one line, or up to what ends it."""
    start = rest.end()
    if rest["open"]:
        close = text.find(rest["open"], start, start + 200)
        quoted = text[start:close] if close > 0 else "\n"
        return text[start:end] if "\n" in quoted else quoted
    value = text[start:end].rstrip(".,;)]}").partition(";")[0]
    return value.partition("&")[0] if before in ("?", "&") else value


def _is_secret(kind: str, rest: re.Match[str], value: str, before: str) -> bool:
    """Whether the value is one, and no word of a sentence, placeholder or name of a variable."""
    if not kind or len(value) < 4 or len({*value[:24]}) < 3 or is_blank(value):
        return False
    is_quoted = rest["open"] != ""
    if (_CALL.match(value) or _CODE.match(value)) and (not is_quoted or kind in ("key", "weak")):
        return False
    if kind == "pin":
        return len(value) == 4 and value.isdigit()
    if kind in ("key", "weak") or rest["comma"]:
        return is_long(value) and not (kind == "key" and before in ("?", "&"))
    if rest["bare"] or rest["dash"]:
        return _is_plain_secret(kind, value, is_quoted=is_quoted, is_dash=bool(rest["dash"]))
    if value.isdigit():
        return kind != "token" or not (before == "_" or rest["name"] == "s" or len(value) < 6)
    if has_digit(value) or _SIGNS.search(value):
        return True
    return _is_worded(kind, rest, value, before)


def _is_plain_secret(kind: str, value: str, *, is_quoted: bool, is_dash: bool) -> bool:
    """Whether what follows a word without a sign between is a secret: letters and digits in one piece."""
    if not has_digit(value) or value.isdigit() or not _LETTER.search(value):
        return False
    if kind == "password":
        return len(value) >= (6 if is_quoted or is_dash else 8)
    return not is_dash and (is_quoted or len(value) >= 16)


def _is_worded(kind: str, rest: re.Match[str], value: str, before: str) -> bool:
    """Whether letters alone are a secret: in code, and where no word of a sentence is written so."""
    if kind == "code":
        return False
    if kind == "password" and "-" in value and len(value) >= 16:
        return True
    is_code = rest["open"] != "" or "=" in rest[0] or before == "_"
    return len(value) >= 6 and (is_code or (not value.islower() and not value.istitle()))


def is_blank(value: str) -> bool:
    """Whether a value stands for one, or says where to find it."""
    return _words().blanks.match(value.lower()) is not None


def has_digit(value: str) -> bool:
    """Whether there is a digit in it."""
    return _DIGIT.search(value) is not None


def is_long(value: str) -> bool:
    """Whether it is as long as keys are, and of letters and digits."""
    return len(value) >= 16 and has_digit(value) and _LETTER.search(value) is not None
