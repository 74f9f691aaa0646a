"""Mail, IP and MAC addresses. Which words of a text are addresses of a person or a machine?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from app.privacy.detectors.catalogue import data
from app.privacy.detectors.finding import Finding
from app.privacy.detectors.labels import bit, said_by, words_of

_LOCAL = re.compile(r"[\w.+%!#$&'*=?^{|}~-]{1,64}")
_DOMAIN = re.compile(
    r"(?:[^\W_](?:[\w-]{0,62})\.){1,8}(?P<last>(?:xn--[\w-]{2,40}|[^\W\d_]{2,24}))(?![\w@]|-\w|\.\w)"
)
_SPELLED_AT = re.compile(r"[\[({<][ ]?[aäAÄ][tT]")
_SPELLED = re.compile(
    r"(?P<at>[ ]?[\[({<][ ]?(?:at|ät)[ ]?[\])}>][ ]?)"
    r"(?P<domain>[\w-]{1,63}"
    r"(?:(?:\.|[ ]?[\[({<][ ]?(?:dot|punkt|point|punto)[ ]?[\])}>][ ]?)[\w-]{1,63}){1,4})(?!\w)",
    re.IGNORECASE,
)
_QUAD = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/(?:3[0-2]|[12]?[0-9])(?![0-9]))?")
_IPV4_PLAIN = re.compile(rf"{_QUAD}(?:\.{_QUAD}){{3}}(?:/[0-9]+)?")
_NAMES = re.compile(
    r"(?<!\w)(?:ip|ipv6|ip6|inet6?|host|address|addr|dns|gateway|server|mac)[:=]", re.IGNORECASE
)
_DIGIT = re.compile("[0-9]")
_LETTER = re.compile(r"[^\W\d_]")
_COMPARED = (">=", "==", "<=", "~=", "!=")  # before the version of a package
_COLONS = re.compile(r":(?=[0-9A-Fa-f:])")
_IPV6 = re.compile(
    r"(?P<address>[0-9A-Fa-f:]{1,36}:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f:]{2,39})"
    r"(?P<zone>%[A-Za-z0-9]{1,15})?(?P<prefix>/(?:12[0-8]|1[01][0-9]|[1-9]?[0-9])(?![0-9]))?(?!\w|\.[0-9])"
)
_MAC = re.compile(
    r"[0-9A-Fa-f]{2}(?:(?P<by>[:-])[0-9A-Fa-f]{2})(?:(?P=by)[0-9A-Fa-f]{2}){4}(?:(?:(?P=by)[0-9A-Fa-f]{2}){2})?"
    r"(?![\w:-])|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![\w.])"
)
_MAC_PAIR = re.compile(r"[:.-](?:(?<=[:-])(?=[0-9A-Fa-f]{2}[:-])|(?<=\.)(?=[0-9A-Fa-f]{4}\.))")


def mails_in(text: str) -> Iterator[Finding]:
    """Yield the mail addresses of a folded text, in order."""
    at = text.find("@")
    while at != -1:
        end = _domain_end(text, at)
        begin = _local_begin(text, at) if end else at
        if end and begin < at and not _is_other_address(text, begin, at, end):
            yield Finding("mail", begin, end)
        at = text.find("@", at + 1)
    if _SPELLED_AT.search(text):
        for match in _SPELLED.finditer(text):
            begin = _local_begin(text, match.start())
            if begin < match.start():
                yield Finding("mail", begin, match.end())


def _domain_end(text: str, at: int) -> int | None:
    match = _DOMAIN.match(text, at + 1)
    return match.end() if match and match["last"].lower() not in _files() else None


def _local_begin(text: str, at: int) -> int:
    """Where the part before the @ begins; ``at`` where there is none."""
    before = text[max(0, at - 64) : at][::-1]
    match = _LOCAL.match(before)
    if match is None:
        return at
    return at - len(match[0].rstrip(".'*=?&#|{}~!"))


def _is_other_address(text: str, begin: int, at: int, end: int) -> bool:
    before = text[begin - 1 : begin]
    if before == "@" or (before == ":" and "//" in text[max(0, begin - 64) : begin].split(" ")[-1]):
        return True
    return (before == "/" and "//" in text[max(0, begin - 2) : begin]) or (
        text[begin:at] == "git" and text[end : end + 1] == ":"
    )


def ips_in(text: str) -> Iterator[Finding]:
    """Yield the IP addresses of a folded text: version 6 first, then version 4."""
    longer: set[int] = set()
    if text.count(":") > 1:
        for span in (*_named_ipv6(text), *_ipv6(text)):
            longer.update(range(*span))
            yield Finding("ip", *span)
    if text.count(".") > 2:
        for match in _IPV4.finditer(text):
            start, end = match.span()
            if start not in longer and _IPV4_PLAIN.fullmatch(match[0]) and _stands_alone(text, start, end):
                yield Finding("ip", start, end)


def _stands_alone(text: str, start: int, end: int) -> bool:
    before = text[start - 1 : start]
    if before.isalnum() or (before in ("_", ".", "-", "+", "§") and start):
        return False
    if before == "/" and text[start - 2 : start - 1].isalpha():
        return False
    after = text[end : end + 1]
    if after.isalnum() or (
        after in ("_", "-") and text[end + 1 : end + 2].isalnum() and not _IPV4.match(text, end + 1)
    ):
        return False
    before = text[max(0, start - 32) : start]
    is_compared = before.rstrip()[-2:] in _COMPARED or "§" in before[-2:]
    return not is_compared and not (_LETTER.search(before) and _is_version(before))


def _is_version(before: str) -> bool:
    """Whether what stands before says that the number is that of a version, a section or a telephone."""
    return bool(said_by(words_of(before.lower())[-2:]) & (bit("ip", "against") | bit("phone", "labels")))


def _named_ipv6(text: str) -> Iterator[tuple[int, int]]:
    """Those right after a word and a colon, which would be taken for a part of them: IPv6:2001:db8::1."""
    for name in _NAMES.finditer(text):
        match = _IPV6.match(text, name.end())
        if match and is_ipv6(match["address"].rstrip(":")):
            yield match.start(), match.start() + len(match["address"].rstrip(":"))


def _ipv6(text: str) -> Iterator[tuple[int, int]]:
    done = 0
    for colon in _COLONS.finditer(text):
        start = colon.start()
        if start < done:
            continue
        while start > done and colon.start() - start < 4 and text[start - 1] in "0123456789abcdefABCDEF":
            start -= 1
        match = _IPV6.match(text, start)
        if match is None:
            continue
        done = match.end()
        before = text[start - 1 : start]
        if start and (before.isalnum() or before in ("_", ":")):
            continue
        address = match["address"]
        if is_ipv6(address if address.endswith("::") else address.rstrip(":")):
            yield start, done if match["zone"] or match["prefix"] else start + len(address)


@lru_cache(1024)
def is_ipv6(address: str) -> bool:
    """Whether it is an address of version 6 with a digit; remembered."""
    if not _DIGIT.search(address):
        return False
    head, gap, tail = address.partition("::")
    groups = (head.split(":") if head else []) + (tail.split(":") if tail else [])
    if "::" in tail or tail.startswith(":") or not all(groups):
        return False
    count = len(groups)
    if groups and "." in groups[-1]:
        count += 1
        if address.endswith("::") or not _IPV4_PLAIN.fullmatch(groups.pop()):
            return False
    return (count <= 7 if gap else count == 8) and max(map(len, groups), default=0) <= 4


def macs_in(text: str) -> Iterator[Finding]:
    """Yield the MAC addresses of a folded text, in order."""
    done = 0
    for pair in _MAC_PAIR.finditer(text):
        start = pair.start() - (4 if pair[0][0] == "." else 2)
        match = _MAC.match(text, start) if start >= done else None
        if match:
            before = text[start - 1 : start] if start else ""
            is_named = before in (":", "=") and _NAMES.match(text, max(0, start - 4)) is not None
            is_alone = not (before.isalnum() or before in ("_", ":", "-", "."))
            if (is_alone or is_named) and not _is_numeric(match[0]):
                done = match.end()
                yield Finding("mac", *match.span())


def _is_numeric(address: str) -> bool:
    return "-" in address and address.replace("-", "").isdigit()


@cache
def _files() -> frozenset[str]:
    return frozenset(data("mail")["files"])
