"""Where does a request come from? Its address, its scheme, and whether it came through the local door."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.types import Scope

FORWARDING_HEADERS = frozenset(
    {"forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip", "x-original-host"}
)
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def address_of(scope: Scope, trusted: tuple[str, ...]) -> str:
    """Return the client's address; what a proxy says counts only where the proxy is trusted."""
    peer = (scope.get("client") or ("", 0))[0]
    if not trusted or not is_trusted(peer, trusted):
        return peer
    said = ",".join(_values(scope, b"x-forwarded-for"))
    for hop in reversed([part.strip() for part in said.split(",") if part.strip()]):
        if not is_trusted(hop, trusted):
            return hop if _as_address(hop) else peer
    return peer


def scheme_of(scope: Scope, trusted: tuple[str, ...]) -> str:
    """Return http or https, as the client used it."""
    if trusted and is_trusted((scope.get("client") or ("", 0))[0], trusted):
        said = _values(scope, b"x-forwarded-proto")
        return said[-1].strip().lower() if said else str(scope["scheme"])
    return str(scope.get("scheme", "http"))


@lru_cache(maxsize=1024)
def is_trusted(address: str, trusted: tuple[str, ...]) -> bool:
    """Return whether ``address`` is one of the operator's own proxies."""
    found = _as_address(address)
    return found is not None and any(found in ipaddress.ip_network(network) for network in trusted)


def is_local_door(scope: Scope) -> bool:
    """Return whether a request came directly from this machine, by a local name and from no foreign page.

    That is who may write to an installation that nobody has claimed. Anything that a proxy adds closes it.
    """
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    peer = _as_address((scope.get("client") or ("", 0))[0])
    if peer is None or not peer.is_loopback:
        return False
    if any(name in FORWARDING_HEADERS or name.startswith("x-forwarded") for name in headers):
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
