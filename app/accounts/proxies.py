"""Notes of untrusted reverse proxies. Which one does TRUSTED_PROXIES not name? All behind it count as one.

Noted in a file beside the database as soon as it is seen, so that a start and `daemon status` can tell it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta

from app import clock
from app.files import write_atomically
from app.settings import Settings

PEERS_COUNT = 8
NOTES_END_AFTER = timedelta(days=7)  # anyone who took the proxy away is not told of it for ever
NOTED_AGAIN_AFTER = timedelta(days=1)


def note(settings: Settings, peer: str, now: datetime) -> bool:
    """Write down that ``peer`` sent forwarding headers; return whether that was news. Raises OSError."""
    kept = _read(settings, now)
    is_news = peer not in kept
    if not is_news and now - kept[peer] < NOTED_AGAIN_AFTER:
        return False
    newest = sorted({**kept, peer: now}.items(), key=_weight)[-PEERS_COUNT:]
    lines = "".join(f"{name} {clock.rfc3339(moment)}\n" for name, moment in newest)
    write_atomically(settings.proxies_path, lines.encode())
    return is_news


def noted(settings: Settings, now: datetime) -> list[str]:
    """Return the peers that were noted in the last days and that the settings still do not trust."""
    trusted = [ipaddress.ip_network(network) for network in settings.trusted_proxies]
    return [
        peer
        for peer in _read(settings, now)
        if not any(ipaddress.ip_address(peer) in network for network in trusted)
    ]


def in_words(peers: Iterable[str]) -> str:
    """Return what to tell of such peers, and what to do about it."""
    listed = ", ".join(peers)
    return (
        f"Requests with forwarding headers come from {listed}, which TRUSTED_PROXIES does not name: all who "
        f"use it count as one address when they log in. If it is your reverse proxy: TRUSTED_PROXIES={listed}"
    )


def _read(settings: Settings, now: datetime) -> dict[str, datetime]:
    try:
        lines = settings.proxies_path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return {}
    found = [one for one in map(_line, lines[:100]) if one is not None]
    return {peer: seen for peer, seen in found if now - seen < NOTES_END_AFTER}


def _line(line: str) -> tuple[str, datetime] | None:
    peer, _, moment = line.partition(" ")
    try:
        seen = clock.parse_stored(moment)
        return None if seen is None else (str(ipaddress.ip_address(peer)), seen)
    except ValueError:
        return None


def _weight(noted: tuple[str, datetime]) -> tuple[bool, datetime]:
    """A proxy is near: strangers who send such headers from afar push no neighbour out of the notes."""
    return ipaddress.ip_address(noted[0]).is_private, noted[1]
