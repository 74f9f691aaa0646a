"""Rules for the head of an HTTP/1.1 request (RFC 9112). What does llhttp let pass that is refused here?"""

from __future__ import annotations

import re

AUTHORITY = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]*)(?::[0-9]*)?")
_ABSOLUTE = re.compile(rb"https?://([^/?]+)([^ ]*)", re.IGNORECASE)
_TARGET = re.compile(rb"[!\"$-~]+")  # visible ASCII without '#'


class MalformedHead(Exception):
    """A head that the parser takes and that is none; its text says why."""


def check_head(headers: list[tuple[bytes, bytes]], version: str) -> None:
    """Raise MalformedHead where it is not clear whom a request is for, or where it ends."""
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1 and (hosts or version == "1.1"):
        raise MalformedHead("One Host header is needed.")
    if hosts and not AUTHORITY.fullmatch(hosts[0]):
        raise MalformedHead("The Host header cannot be read.")
    codings = [value.strip().lower() for name, value in headers if name == b"transfer-encoding"]
    if codings and (codings != [b"chunked"] or version == "1.0"):
        raise MalformedHead("The only Transfer-Encoding here is chunked.")
    if codings and any(name == b"content-length" for name, _value in headers):
        raise MalformedHead("There are two lengths.")


def target_of(method: bytes, target: bytes, headers: list[tuple[bytes, bytes]]) -> bytes:
    """Return path and query. The authority of an absolute form takes the place of Host (RFC 9112, 3.2.2)."""
    if not _TARGET.fullmatch(target):
        raise MalformedHead("The address cannot be read.")
    if target.startswith(b"/") or (target == b"*" and method == b"OPTIONS"):
        return target
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None or method == b"CONNECT" or not AUTHORITY.fullmatch(absolute[1]):
        raise MalformedHead("The address cannot be read.")
    _replace_host(headers, absolute[1])
    return absolute[2] if absolute[2].startswith(b"/") else b"/" + absolute[2]


def _replace_host(headers: list[tuple[bytes, bytes]], authority: bytes) -> None:
    headers[:] = [(b"host", authority), *(each for each in headers if each[0] != b"host")]
