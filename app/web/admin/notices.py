"""One-time notice. How does a page say what the form before it did, once? By a signed cookie of a minute."""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import dataclass
from typing import Literal

Mood = Literal["good", "bad"]
LONGEST_CHARACTERS = 600
SECONDS = 60


@dataclass(frozen=True)
class Notice:
    """A sentence, and whether it is a good one."""

    text: str
    mood: Mood = "good"


def packed(secret: str, notice: Notice) -> str:
    """Return a notice as the value of a cookie; never one with a secret in it."""
    said = json.dumps([notice.mood, notice.text[:LONGEST_CHARACTERS]]).encode()
    return f"{base64.urlsafe_b64encode(said).decode().rstrip('=')}.{_signature(secret, said)}"


def unpacked(secret: str, cookie: str) -> Notice | None:
    """Return the notice that a cookie holds, None for one that was not made here."""
    text, _, signature = cookie.partition(".")
    try:
        said = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    if not hmac.compare_digest(_signature(secret, said).encode(), signature.encode(errors="replace")):
        return None
    mood, sentence = json.loads(said)
    return Notice(sentence, mood)


def _signature(secret: str, said: bytes) -> str:
    return hmac.digest(secret.encode(), b"notice:" + said, "sha256").hex()[:32]
