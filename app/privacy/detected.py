"""Detected spans (PII, secrets). Which findings of the detectors does a mask hide?

What was found in a text is remembered for a while under a hash of the text: lists show the same texts again
and again. The same text always has the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from threading import Lock

from cachetools import LRUCache

from app.privacy.detectors.finding import Finding
from app.privacy.detectors.search import find

_TEXTS_MOST = 8192
_FINDINGS_MOST = 64

MASK_OF: dict[str, str] = {
    **dict.fromkeys(("us_ssn", "id_"), "social_security"),
    **dict.fromkeys(("birth_date", "coordinates", "street_address"), "private_fact"),
    **dict.fromkeys(("ip", "mac"), "network"),
    "card": "card_number",
    "iban": "bank_account",
    "secret": "secret",
    "mail": "mail",
    "phone": "phone",
}

_remembered: LRUCache[bytes, list[Finding]] = LRUCache(_TEXTS_MOST)
_lock = Lock()


def mask_of(detector: str) -> str:
    """Return the mask that hides what a detector finds; national ids are id_ and a country."""
    return MASK_OF["id_" if detector.startswith("id_") else detector]


def detected_parts(text: str, masks: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Yield what the named masks hide of the findings in a text, in order."""
    if masks:
        yield from ((one.start, one.end) for one in _found(text) if mask_of(one.detector) in masks)


def _found(text: str) -> list[Finding]:
    key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    with _lock:
        found = _remembered.get(key)
    if found is None:
        found = find(text)
        if len(found) <= _FINDINGS_MOST:
            with _lock:
                _remembered[key] = found
    return found
