"""Proof of work for messages (SHA-256). Did the sender of this one let a computer work a second for it?

Nothing is kept of a challenge: it says until when it is good and how much work it asks for, and it is signed
for one person. Its solution is bound to the text, so that it is good for one message; that none is taken
twice, the table of messages sees to. A way around the queue, never a condition.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app import clock
from app.errors import InvalidContent

BITS = 20
"""How many leading zero bits are asked for: about a million hashes, some second of a computer."""

GOOD_FOR = timedelta(minutes=10)
LONGEST_NONCE = 32
_SIGNED, _RANDOM = struct.Struct(">QB"), 12
_FORM = re.compile(r"[A-Za-z0-9_-]{28}\.[A-Za-z0-9_-]{43}")
_NONCE = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_NONCE}}}")


@dataclass(frozen=True)
class Proof:
    """What a sender says to have solved: a challenge as it was given, and the text that solves it."""

    challenge: str
    nonce: str


def new_challenge(secret: str, username: str, now: datetime) -> dict[str, object]:
    """Return a challenge for a message to a person, as it is answered; nothing is written."""
    until = now.astimezone(UTC) + GOOD_FOR
    said = _text(_SIGNED.pack(int(until.timestamp()), BITS) + secrets.token_bytes(_RANDOM))
    return {
        "challenge": f"{said}.{_signature(secret, username, said)}",
        "bits": BITS,
        "expires_at": clock.rfc3339(until.replace(microsecond=0)),
    }


def check(secret: str, username: str, proof: Proof, text: str, now: datetime) -> str:
    """Return the hash by which a solved challenge is known again; raises InvalidContent for one that is not.

    ``text`` is the message as it is kept.
    """
    said, _, signature = proof.challenge.partition(".")
    if not _FORM.fullmatch(proof.challenge) or not _NONCE.fullmatch(proof.nonce):
        raise _refused("it has not the form of one")
    if not hmac.compare_digest(signature, _signature(secret, username, said)):
        raise _refused("this server did not give it for this person")
    until, bits = _SIGNED.unpack(base64.urlsafe_b64decode(said)[: _SIGNED.size])
    if now.timestamp() > until:
        raise _refused("its time is over")
    if leading_zero_bits(digest_of(proof.challenge, proof.nonce, text)) < bits:
        raise _refused(f"the digest does not begin with {bits} zero bits")
    return hashlib.sha256(proof.challenge.encode()).hexdigest()


def digest_of(challenge: str, nonce: str, text: str) -> bytes:
    """Return the digest that has to begin with zero bits."""
    of_text = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    return hashlib.sha256(f"{challenge}:{nonce}:{of_text}".encode()).digest()


def leading_zero_bits(digest: bytes) -> int:
    """Return with how many zero bits a digest begins."""
    return len(digest) * 8 - int.from_bytes(digest, "big").bit_length()


def _signature(secret: str, username: str, said: str) -> str:
    signed = f"challenge of a message:{username.casefold()}:{said}".encode(errors="replace")
    return _text(hmac.digest(secret.encode(errors="replace"), signed, "sha256"))


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _refused(why: str) -> InvalidContent:
    fault = f"the proof of work is not taken: {why}; without one the message is taken in its turn"
    return InvalidContent(
        f"The proof does not fit: {fault}.", errors=[{"pointer": "/proof", "detail": fault}]
    )
