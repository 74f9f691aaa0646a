"""Secrets (tokens, passwords, private keys). Which parts of a text open a door?

Providers begin their tokens with letters of their own (tokens.py); a value beside a word such as "password"
is one unless it is prose or stands for one (named_secrets.py); here are keys in armour, addresses with a
password in them, headers and command lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.privacy.detectors.finding import Finding
from app.privacy.detectors.named_secrets import has_digit, is_blank, named_secrets_in
from app.privacy.detectors.tokens import tokens_in

_PEM_MOST = 20_000
_AUTHORIZATION = re.compile(
    r"(?:Basic|Bearer|Token|Api-Token|basic|bearer|token)[ ](?P<part>[^\s\"'<>`,;]{8,2000}+)"
)
_AUTHORITY = re.compile(r"[^\s/\"'<>]{3,400}+")
_COMMANDS = re.compile(
    r"curl[ ](?:[^|;]{0,300}?[ ])??(?:-u|--user)[ =]{1,5}['\"]?(?P<curl>[^\s:'\"]{0,64}:[^\s'\"]{3,100}+)"
    r"|login[ \n]+[^\s]{1,64}[ \n]+password[ \n]+(?P<netrc>[^\s]{3,100}+)"
    r"|<(?:password|secret|token|api-?_?key)>(?P<element>[^<>\s]{4,200}+)</"
    r"|(?:seed|recovery|secret)[ ]phrase[^a-z\n]{1,4}(?P<seed>(?:[a-z]{3,8}[ \n]){11,23}+[a-z]{3,8})"
    r"|sshpass[ ]-p[ ]?['\"]?(?P<sshpass>[^\s'\"$]{3,100}+)"
    r"|mysql(?:dump|admin)?[ ][^\n|;]{0,100}?(?<=[ ])-p(?P<mysql>[^\s'\"$-][^\s'\"]{2,100}+)"
    r"|define\([ ]?['\"]\w{0,40}(?:PASSWORD|KEY|SALT|SECRET|TOKEN)['\"],[ ]?['\"](?P<define>[^'\"\n]{4,200}+)"
    r"|key=['\"][\w.:-]{0,40}(?i:key|secret|password|token)['\"][ ]value=['\"](?P<setting>[^'\"\n]{4,200}+)"
    r"|T:(?:WPA|WEP|SAE);[^\n]{0,40}?P:(?P<wifi>[^;\s]{4,64}+)"
    r"|--(?:password|token|secret|api-key)[ =]['\"]?(?P<option>[^\s'\"$<]{4,100}+)"
)
_COMMAND_HINTS = (
    *("curl ", "login", "--", "</", " phrase", "sshpass", "mysql", "define(", " value=", "T:W", "T:SAE"),
)
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PUTTY = "PuTTY-User-Key-File-"
_PUTTY_END = re.compile(r"Private-MAC: ?[0-9A-Fa-f]*+")
_PEM_END = re.compile(r"-----END [A-Z0-9 ]{0,60}-----")


def secrets_in(text: str, words: list[tuple[int, int]]) -> Iterator[Finding]:
    """Yield the secrets of a folded text, in no particular order; ``words`` are the long ones (tokens.py)."""
    yield from (Finding("secret", *span) for span in tokens_in(text, words))
    for find in (_keys, _putty_keys, _users, _authorizations, _in_commands, named_secrets_in):
        yield from (Finding("secret", *span) for span in find(text))


def _keys(text: str) -> Iterator[tuple[int, int]]:
    if "PRIVATE KEY" in text:
        for match in _PEM.finditer(text):
            end = _PEM_END.search(text, match.end(), match.end() + _PEM_MOST)
            yield match.start(), end.end() if end else min(len(text), match.end() + _PEM_MOST)


def _putty_keys(text: str) -> Iterator[tuple[int, int]]:
    start = text.find(_PUTTY)
    while start != -1:
        end = _PUTTY_END.search(text, start)
        if end is None:
            return
        yield start, end.end()
        start = text.find(_PUTTY, end.end())


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
    if "uthorization" in text or "earer " in text:
        for match in _AUTHORIZATION.finditer(text):
            part = match["part"]
            named = "uthorization" in text[max(0, match.start() - 24) : match.start()]
            is_one = not (is_blank(part) or part.islower() or len({*part}) < 3)
            if (is_one and named) or (match[0][1:6] == "earer" and has_digit(part)):
                yield match.span("part")


def _in_commands(text: str) -> Iterator[tuple[int, int]]:
    if any(hint in text for hint in _COMMAND_HINTS):
        for match in _COMMANDS.finditer(text):
            value = match[str(match.lastgroup)]
            if match.lastgroup != "curl" or not _is_placeholder(value):
                yield match.span(str(match.lastgroup))


def _is_placeholder(user: str) -> bool:
    """Whether the name and password of a command stand for some: user:pass, $1:$2."""
    name, _, password = user.partition(":")
    return password in (name, "pass", "pwd", "yyy") or password[0] in "$<[{(" or is_blank(password)
