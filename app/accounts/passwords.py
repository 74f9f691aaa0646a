"""Password hashes. Is this the password? Argon2id; what the old server stored (bcrypt) is replaced."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pwdlib.hashers.argon2 import Argon2Hasher

if TYPE_CHECKING:
    from pwdlib.hashers.bcrypt import BcryptHasher

SHORTEST_CHARACTERS = 8
LONGEST_CHARACTERS = 1024
BCRYPT_READ_BYTES = 72  # bcrypt never looked further; its newer releases refuse a longer password instead
DEAREST_BCRYPT_COST = 16  # the old server wrote 12; each step doubles the time, and 31 would take days

_ARGON2 = Argon2Hasher(memory_cost=19_456, time_cost=2, parallelism=1)  # OWASP's figures for small machines
_NOBODYS = (  # the hash of a random text that no one kept; of today's cost, which a test compares
    "$argon2id$v=19$m=19456,t=2,p=1$bQSRAFwJcMRX7yd4q0sUUg$qcAc4xObRg0T1KG74JV18wvBz9Xgyfzk4Qnvik5/JGY"
)
_BCRYPT_COST = re.compile(r"\$2[aby]\$(\d\d)\$")


@dataclass(frozen=True)
class Verdict:
    """Whether the password was right; ``replacement`` is the hash to store instead of an outdated one."""

    right: bool
    replacement: str | None = None


WRONG = Verdict(right=False)


def hash_password(password: str) -> str:
    """Return the Argon2id hash to store. Raises UnicodeEncodeError for text that UTF-8 cannot hold."""
    return _ARGON2.hash(password.encode())


def verify_password(password: str, stored: object) -> Verdict:
    """Compare ``password`` with what is ``stored``; what is not a hash is simply not the password."""
    typed = _bytes(password)
    if typed is None or not isinstance(stored, str):
        return WRONG
    if stored.startswith("$2"):
        return _verify_bcrypt(typed, stored)
    if not _ARGON2.identify(stored) or not _ARGON2.verify(typed, stored):
        return WRONG
    return Verdict(True, _ARGON2.hash(typed) if _ARGON2.check_needs_rehash(stored) else None)


def spend_the_time_of_one(password: str) -> Verdict:
    """Do the work of a verification for an account that does not exist, so that the time tells nothing."""
    _ARGON2.verify(_bytes(password) or b"", _NOBODYS)
    return WRONG


def _verify_bcrypt(typed: bytes, stored: str) -> Verdict:
    cost = _BCRYPT_COST.match(stored)
    if not _bcrypt().identify(stored) or cost is None or int(cost[1]) > DEAREST_BCRYPT_COST:
        return WRONG
    try:
        right = _bcrypt().verify(typed[:BCRYPT_READ_BYTES], stored)
    except ValueError:  # a salt that bcrypt does not take
        return WRONG
    return Verdict(True, _ARGON2.hash(typed)) if right else WRONG


@cache
def _bcrypt() -> BcryptHasher:
    from pwdlib.hashers.bcrypt import BcryptHasher  # few servers have such a hash left

    return BcryptHasher()


def _bytes(password: str) -> bytes | None:
    try:
        return password.encode()
    except UnicodeEncodeError:  # a lone surrogate: no stored password was ever made of that
        return None
