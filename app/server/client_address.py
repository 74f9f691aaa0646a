"""Client address. Where does a request come from, over which scheme, and directly from this machine?"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

Scope = Mapping[str, Any]  # of ASGI, as every door has it that speaks HTTP

# What curl, a browser and the usual libraries send of their own. Every other header closes the local door:
# what proxies add (Via, Forwarded, X-..., CF-..., traceparent) cannot be listed, this can.
OWN_HEADERS = frozenset(
    {
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "dnt",
        "expect",
        "host",
        "http2-settings",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "keep-alive",
        "origin",
        "pragma",
        "priority",
        "referer",
        "sec-ch-ua",
        "sec-ch-ua-mobile",
        "sec-ch-ua-platform",
        "sec-fetch-dest",
        "sec-fetch-mode",
        "sec-fetch-site",
        "sec-fetch-user",
        "sec-gpc",
        "te",
        "transfer-encoding",
        "upgrade",
        "upgrade-insecure-requests",
        "user-agent",
    }
)
# Proxies of the older kind speak HTTP/1.0 to the server behind them; nothing on this machine does of itself.
OWN_HTTP_VERSIONS = frozenset({"1.1", "2"})
FORWARDED_BY = frozenset(
    {b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip"}
)
"""Headers that a reverse proxy adds, and hardly anyone else."""

_PORT = r"(?::[0-9]{1,5})?"
_HOP = re.compile(rf"\[(?P<six>[^\[\]]+)\]{_PORT}|(?P<four>[0-9.]+){_PORT}|(?P<bare>[^\[\]]+)", re.ASCII)
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def address_of(scope: Scope, trusted: tuple[str, ...]) -> str:
    """Return the client's address, without port or zone; a proxy's word counts where the proxy is trusted.

    That is the last address that was not added by a trusted proxy; what is no address ends the search.
    """
    peer = peer_of(scope)
    if not trusted or not is_trusted(peer, trusted):
        return peer
    said = ",".join(_values(scope, b"x-forwarded-for"))
    for hop in reversed([part.strip() for part in said.split(",") if part.strip()]):
        found = find_address(hop)
        if found is None:
            return peer
        if not is_trusted(found, trusted):
            return found
    return peer


def peer_of(scope: Scope) -> str:
    """Return the address at the other end of the connection; empty for a local socket."""
    return str((scope.get("client") or ("", 0))[0])


def find_address(text: str) -> str | None:
    """Return the address in ``text``, as proxies write it: with a port, in brackets, quoted, with a zone."""
    found = _HOP.fullmatch(text.strip().strip('"').strip())
    address = (
        _as_address((found["six"] or found["four"] or found["bare"]).partition("%")[0]) if found else None
    )
    return None if address is None else str(address)


def scheme_of(scope: Scope, trusted: tuple[str, ...]) -> str:
    """Return http or https, as the client used it."""
    if trusted and is_trusted(peer_of(scope), trusted):
        said = _values(scope, b"x-forwarded-proto")
        return said[-1].strip().lower() if said else str(scope["scheme"])
    return str(scope.get("scheme", "http"))


@lru_cache(maxsize=1024)
def is_trusted(address: str, trusted: tuple[str, ...]) -> bool:
    """Return whether ``address`` is one of the operator's own proxies."""
    found = _as_address(address)
    return found is not None and any(found in ipaddress.ip_network(network) for network in trusted)


@lru_cache(4_096)
def is_loopback(address: str) -> bool:
    """Return whether an address is this machine's own."""
    found = _as_address(address)
    return found is not None and found.is_loopback


def is_local_client(scope: Scope) -> bool:
    """Return whether a request came directly from this machine, by a local name and from no foreign page.

    That is who may write to an installation that no one has claimed. Anything that a proxy adds closes it;
    one that speaks HTTP/1.1 by a local name and adds nothing cannot be told from a client on this machine.
    """
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    peer = _as_address((scope.get("client") or ("", 0))[0])
    if peer is None or not peer.is_loopback:
        return False
    if scope.get("http_version") not in OWN_HTTP_VERSIONS or not OWN_HEADERS.issuperset(headers):
        return False
    return _is_local_name(headers.get("host", "")) and _is_own_page(headers)


def _is_local_name(host: str) -> bool:
    try:
        found = urlsplit(f"//{host}")
        return found.hostname in LOCAL_NAMES and (found.port is None or found.port > 0) and "@" not in host
    except ValueError:
        return False


def _is_own_page(headers: Mapping[str, str]) -> bool:
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return False
    origin = headers.get("origin")
    return origin is None or origin == f"http://{headers.get('host', '')}"


def _as_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _values(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]
