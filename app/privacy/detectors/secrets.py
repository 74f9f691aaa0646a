"""Secrets (tokens, passwords, private keys). Which parts of a text open a door?

Providers begin their tokens with letters of their own: those are looked for as they are, and only where one
stands is more asked. A value beside a word such as "password" is one unless it is prose or stands for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from app.privacy.detectors.catalogue import data
from app.privacy.detectors.finding import Finding

_PEM_MOST = 20_000
_HINTS = (
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "auth",
    "kennwort",
    "contrase",
    "wachtwoord",
    "senha",
    "has",
)
_HINTS_TOO = ("pw", "pin", "code", "credential", "cookie", "session", "sig", "pat")
_IS = r"(?:[ ]{0,3}(?:=>|:=|[:=])[ ]{0,3}(?:\n[ ]{0,8})?|[ ](?:is|ist|est|es|è|jest|lautet|era|was)[:]?[ ])"
_VALUE = r"(?P<open>[\"'`]?)(?P<part>[^\s\"'`<>]{4,400}+)"
_AUTHORIZATION = re.compile(r"(?:Basic|Bearer|Token|basic|bearer|token)[ ](?P<part>[\w+/=.~-]{8,2000}+)")
_AUTHORITY = re.compile(r"[^\s/\"'<>]{3,400}+")
_COMMANDS = re.compile(
    r"curl[ ][^\n]{0,100}?(?:-u|--user)[ ]['\"]?(?P<curl>[^\s:'\"]{1,64}:[^\s'\"]{1,100}+)"
    r"|login[ \n]+[^\s]{1,64}[ \n]+password[ \n]+(?P<netrc>[^\s]{3,100}+)"
    r"|<(?:password|secret|token|api-?_?key)>(?P<element>[^<>\s]{4,200}+)</"
    r"|(?:seed|recovery|secret)[ ]phrase[^a-z\n]{1,4}(?P<seed>(?:[a-z]{3,8}[ \n]){11,23}+[a-z]{3,8})"
    r"|sshpass[ ]-p[ ]?['\"]?(?P<sshpass>[^\s'\"$]{3,100}+)"
    r"|mysql(?:dump|admin)?[ ][^\n|;]{0,100}?(?<=[ ])-p(?P<mysql>[^\s'\"$-][^\s'\"]{2,100}+)"
    r"|define\([ ]?['\"]\w{0,40}(?:PASSWORD|KEY|SALT|SECRET|TOKEN)['\"],[ ]?['\"](?P<define>[^'\"\n]{4,200}+)"
    r"|key=['\"][\w.:-]{0,40}(?i:key|secret|password|token)['\"][ ]value=['\"](?P<setting>[^'\"\n]{4,200}+)"
    r"|--(?:password|token|secret|api-key)[ =]['\"]?(?P<option>[^\s'\"$<]{4,100}+)"
)
_COMMAND_HINTS = ("curl ", "login", "--", "</", " phrase", "sshpass", "mysql", "define(", " value=")
_CALL = re.compile(r"[A-Za-z_][\w.]{0,80}+\(")
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PUTTY = re.compile(r"PuTTY-User-Key-File-[0-9](?:(?!Private-MAC)[^\0]){0,8000}Private-MAC: ?[0-9A-Fa-f]*+")
_PEM_END = re.compile(r"-----END [A-Z0-9 ]{0,60}-----")


@dataclass(frozen=True)
class Shape:
    """How a provider begins its tokens, what goes on, and what must stand before where that is part of it."""

    begins: tuple[str, ...]
    rest: re.Pattern[str]
    before: re.Pattern[str] | None


@cache
def shapes() -> tuple[Shape, ...]:
    """Return the shapes of tokens that providers give out."""
    return tuple(
        Shape(
            tuple(row["begins"]),
            re.compile(row["rest"]),
            re.compile(row["before"] + r"\Z") if "before" in row else None,
        )
        for row in data("secret")["shape"]
    )


@cache
def _labelled() -> re.Pattern[str]:
    after = r"(?P<name>[a-z0-9_]{0,16}+)[\"'`\])]{0,2}+"
    words = rf"(?:(?<![^\W_\d]){data('secret')['words']}|{data('secret')['words_within']})"
    return re.compile(rf"{words}{after}{_IS}{_VALUE}")


@cache
def _blank() -> re.Pattern[str]:
    return re.compile(data("secret")["blanks"])


def secrets_in(text: str, *, is_long: bool) -> Iterator[Finding]:
    """Yield the secrets of a folded text, in no particular order; ``is_long``: a token could stand in it."""
    if is_long:
        for start, end in _tokens(text):
            yield Finding("secret", start, end)
    for start, end in (
        *_keys(text),
        *_putty_keys(text),
        *_users(text),
        *_authorizations(text),
        *_named(text),
    ):
        yield Finding("secret", start, end)


def _tokens(text: str) -> Iterator[tuple[int, int]]:
    for shape in shapes():
        for begin in shape.begins:
            at = text.find(begin)
            while at != -1:
                start = _token_start(text, at, begin, shape)
                rest = None if start is None else shape.rest.match(text, at + len(begin))
                at = at + len(begin) if rest is None else rest.end()
                if rest and start is not None and (_has_digit(begin) or _is_random(rest[0])):
                    yield start, rest.end()
                at = text.find(begin, at)


def _token_start(text: str, at: int, begin: str, shape: Shape) -> int | None:
    if shape.before is not None:
        before = shape.before.search(text[max(0, at - 80) : at])
        return at - len(before[0]) if before else None
    return None if at and text[at - 1].isalnum() and begin[0].isalnum() else at


def _is_random(value: str) -> bool:
    return any(char.isdigit() for char in value) or not (value.islower() or value.isupper())


def _keys(text: str) -> Iterator[tuple[int, int]]:
    if "PRIVATE KEY" in text:
        for match in _PEM.finditer(text):
            end = _PEM_END.search(text, match.end(), match.end() + _PEM_MOST)
            yield match.start(), end.end() if end else min(len(text), match.end() + _PEM_MOST)


def _putty_keys(text: str) -> Iterator[tuple[int, int]]:
    if "PuTTY-User-Key-File" in text:
        for match in _PUTTY.finditer(text):
            yield match.span()


def _users(text: str) -> Iterator[tuple[int, int]]:
    if "@" in text:
        at = text.find("://")
        while at != -1:
            match = _AUTHORITY.match(text, at + 3)
            user = match[0].rpartition("@")[0] if match else ""
            if ":" in user and not user.endswith(":"):
                yield at + 3, at + 3 + len(user)
            at = text.find("://", at + 3)


def _authorizations(text: str) -> Iterator[tuple[int, int]]:
    lowered = text.lower()
    if "basic " in lowered or "bearer " in lowered or "authorization" in lowered:
        for match in _AUTHORIZATION.finditer(text):
            named = "uthorization" in text[max(0, match.start() - 24) : match.start()]
            if named or (match[0][1:6] == "earer" and _has_digit(match["part"])):
                yield match.span("part")
    if any(hint in text for hint in _COMMAND_HINTS):
        for match in _COMMANDS.finditer(text):
            yield match.span(str(match.lastgroup))


def _has_digit(value: str) -> bool:
    return any(char.isdigit() for char in value)


def _named(text: str) -> Iterator[tuple[int, int]]:
    lowered = text.lower()
    if len(lowered) != len(text) or not any(hint in lowered for hint in (*_HINTS, *_HINTS_TOO)):
        return
    match = _labelled().search(lowered)
    while match:
        start = match.start("part")
        value = _value(text, lowered, match)
        if _is_secret_value(text, match, value):
            yield start, start + len(value)
        match = _labelled().search(lowered, start + max(1, len(value)))


def _value(text: str, lowered: str, match: re.Match[str]) -> str:
    """What is said to be a secret: between quotes, or up to what ends it."""
    start, end = match.span("part")
    if match["open"]:
        return _quoted(text, start, end, match["open"])
    value = text[start:end].rstrip(".,;)]}").partition(";")[0]
    return value.partition("&")[0] if lowered[match.start() - 1 : match.start()] in ("?", "&") else value


def _quoted(text: str, start: int, end: int, quote: str) -> str:
    """What stands between quotes on one line; where they do not close, the word."""
    close = text.find(quote, start, start + 200)
    line = text[start : close if close > 0 else end]
    return text[start:end] if "\n" in line else line


def _is_secret_value(text: str, match: re.Match[str], value: str) -> bool:
    if len(value) < 4 or _blank().match(value.lower()) or (not match["open"] and _CALL.match(value)):
        return False
    word = match[0][: match.start("part") - match.start()]
    before = text[max(0, match.start() - 8) : match.start()].lower()
    if "public" in before or (
        word.startswith(("key", "sig", "pat", "auth", "cookie")) and not _is_long(value)
    ):
        return False
    if "token" in word and value.isdigit() and (before[-1:] == "_" or "tokens" in word):
        return False
    if word.startswith("pin"):
        return len(value) == 4 and value.isdigit()
    if word.startswith("key") and before[-1:] in ("?", "&"):
        return False
    if (_has_digit(value) and not value.isdigit()) or any(char in "!$%^&*#~@" for char in value):
        return True
    if "-" in value and len(value) >= 16 and "pass" in word:
        return True
    is_code = match["open"] != "" or "=" in word.rstrip() or before.endswith("_")
    return len(value) >= 6 and (is_code or value.isdigit() or (not value.islower() and not value.istitle()))


def _is_long(value: str) -> bool:
    return len(value) >= 16 and _has_digit(value) and any(char.isalpha() for char in value)
