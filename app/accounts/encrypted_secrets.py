"""Encrypted secrets (AES-SIV of RFC 5297). How is a secret kept that has to be used again?

With a key made of the installation's signing secret, one for each purpose, and bound to whose row it is of:
what is copied to another row opens nothing there. A thief of the database alone learns none.
"""

from __future__ import annotations

import base64
import hmac


def encrypted(secret: str, purpose: bytes, row_id: int, value: bytes) -> str:
    """Return a value as it is stored."""
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # 9 MB, for those who have one

    made = AESSIV(_key(secret, purpose)).encrypt(value, [str(row_id).encode()])
    return base64.urlsafe_b64encode(made).decode()


def decrypted(secret: str, purpose: bytes, row_id: int, stored: str) -> bytes | None:
    """Return the value; None where another signing secret encrypted it, or it is of another row."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    try:
        return AESSIV(_key(secret, purpose)).decrypt(base64.urlsafe_b64decode(stored), [str(row_id).encode()])
    except (InvalidTag, ValueError):
        return None


def _key(secret: str, purpose: bytes) -> bytes:
    return hmac.digest(secret.encode(), purpose, "sha256")
