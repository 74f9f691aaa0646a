"""Was this anonymous list answered before? Keeps views, as bytes, never rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """An anonymous answer, ready to send: the JSON bytes and their strong validator (without quotes)."""

    body: bytes
    etag: str
