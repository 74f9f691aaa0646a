"""Never-list in an export (scrypt, AES-GCM). How do a person's words come into another installation?

The words are keyed hashes, and of use only with their key: both are encrypted with a passphrase. Without one
an export says only how many words there are.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert

from app import clock
from app.accounts import audit, privacy_settings
from app.entries import never_words
from app.entries.privacy_secrets import keep_key
from app.errors import InvalidContent, UsageError
from app.ids import new_id
from app.privacy.levels import NAMES
from app.tables import never_words as table

FILE = "never_words.json"
SHORTEST_PASSPHRASE = 8
_COST = {"n": 2**16, "r": 8, "p": 1}  # 64 MB and some 0.2 s a guess
_MEMORY_BYTES = 100_000_000
_KEY_BYTES, _SALT_BYTES, _NONCE_BYTES = 32, 16, 12
_HEXADECIMAL = re.compile("[0-9a-f]{1,64}")
_LENGTH_MOST = 1_000  # characters of a word
_KEYS_MOST = 10  # one of each installation from which words came
Stored = dict[str, Any]


def exported_words(connection: Connection, user_id: int, passphrase: str | None) -> list[Stored]:
    """Return the rows of the file: none where there are no words, else one.

    It has ``count``, and with a passphrase ``salt``, ``nonce`` and ``encrypted``. Raises UsageError for a
    passphrase that is too short.
    """
    kept = never_words.everything_of(connection, user_id)
    if not kept.words:
        return []
    if passphrase is None:
        return [{"count": len(kept.words)}]
    check_passphrase(passphrase)
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    plain = json.dumps({"keys": kept.keys, "words": kept.words}).encode()
    sealed = _cipher(passphrase, salt).encrypt(nonce, plain, FILE.encode())
    return [
        {"count": len(kept.words), "salt": _text(salt), "nonce": _text(nonce), "encrypted": _text(sealed)}
    ]


def check_passphrase(passphrase: str) -> None:
    """Raise UsageError for a passphrase that anyone could guess."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise UsageError(f"A passphrase has at least {SHORTEST_PASSPHRASE} characters.")


def opened_words(row: Mapping[str, Any], passphrase: str) -> never_words.KeptWords:
    """Return the words of a row; raises UsageError for another passphrase, or a row that was changed."""
    from cryptography.exceptions import InvalidTag  # 40 ms, and needed by few

    try:
        salt, nonce, sealed = (
            base64.b64decode(str(row[name]), validate=True) for name in ("salt", "nonce", "encrypted")
        )
        value = json.loads(_cipher(passphrase, salt).decrypt(nonce, sealed, FILE.encode()))
        return never_words.KeptWords(
            [str(key) for key in value["keys"]], [_word(each) for each in value["words"]]
        )
    except (InvalidTag, KeyError, TypeError, ValueError):
        raise UsageError(
            "The words of the never-list cannot be read: it is another passphrase, or another file.",
            hint="Without --passphrase-stdin the rest is imported, and nothing of it is public.",
        ) from None


def check_words(kept: never_words.KeptWords) -> None:
    """Raise InvalidContent for words that no Daemon would have kept so."""
    are_words = all(
        _HEXADECIMAL.fullmatch(each["word_hash"]) and 0 < each["length"] <= _LENGTH_MOST
        for each in kept.words
    )
    are_keys = all(_HEXADECIMAL.fullmatch(key) for key in kept.keys)
    if not (are_words and are_keys and len(kept.words) <= never_words.MOST and len(kept.keys) <= _KEYS_MOST):
        raise InvalidContent(f"{FILE} is not as Daemon writes it; nothing was imported.")


def import_words(connection: Connection, user_id: int, kept: never_words.KeptWords) -> int:
    """Add words that are not on a person's list yet, with their keys; returns how many.

    Writes never_words, privacy_secrets, user_privacy_settings and audit_logs.
    """
    now = clock.now()
    here = {word["word_hash"] for word in never_words.everything_of(connection, user_id).words}
    new = [word for word in kept.words if word["word_hash"] not in here]
    if not new:
        return 0
    for key in kept.keys:
        name = f"{never_words.KEY}:{user_id}:{hashlib.sha256(key.encode()).hexdigest()[:8]}"
        keep_key(connection, name, key, now)
    for word in new:
        values = {"id": new_id(connection, table), "user_id": user_id, "created_at": clock.stored(now)}
        connection.execute(insert(table).values(word | values))
    said = {"words": len(new)}
    audit.record(connection, audit.IMPORT, "never_words", user_id, now=now, new_values=said)
    privacy_settings.raise_words_generation(connection, user_id, now)
    return len(new)


def _cipher(passphrase: str, salt: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    typed = passphrase.encode("utf-8", "surrogatepass")
    return AESGCM(hashlib.scrypt(typed, salt=salt, **_COST, maxmem=_MEMORY_BYTES, dklen=_KEY_BYTES))


def _word(said: Mapping[str, Any]) -> Stored:
    """A word as it is stored; a level that there is not here is none: it is shown nowhere."""
    level = said["privacy_level"]
    return {
        "word_hash": str(said["word_hash"]),
        "length": int(said["length"]),
        "privacy_level": level if level in NAMES else None,
    }


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
