"""TOTP (RFC 6238: HMAC-SHA-1, 30 seconds, 6 digits). Which code belongs to a secret at a moment?

What every authenticator program takes. A code counts a step before and after its own, for clocks that differ.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote

SECRET_BYTES = 20
STEP_SECONDS = 30
DIGITS = 6
STEPS_AROUND = 1


def new_secret() -> bytes:
    """Return a random secret of the length that RFC 4226 recommends."""
    return secrets.token_bytes(SECRET_BYTES)


def code_of(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """Return the code of a time step."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_of(now: datetime) -> int:
    """Return the time step of a moment."""
    return int(now.timestamp()) // STEP_SECONDS


def find_step(secret: bytes, typed: str, now: datetime) -> int | None:
    """Return the step, about now, whose code was typed; None where it is none of theirs."""
    found = None
    for step in range(step_of(now) - STEPS_AROUND, step_of(now) + STEPS_AROUND + 1):
        if hmac.compare_digest(code_of(secret, step).encode(), typed.encode(errors="replace")):
            found = step
    return found


def text_of(secret: bytes) -> str:
    """Return the secret as authenticator programs take it."""
    return base64.b32encode(secret).decode().rstrip("=")


def uri_of(secret: bytes, username: str, issuer: str = "Daemon") -> str:
    """Return what a QR code for authenticator programs holds."""
    return f"otpauth://totp/{quote(f'{issuer}:{username}')}?secret={text_of(secret)}&issuer={quote(issuer)}"
