"""Do old passwords open, and become new hashes, and does nothing else open?"""

from __future__ import annotations

import bcrypt
import pytest

from app.accounts import passwords

pytestmark = pytest.mark.usefixtures("costly_hashes")

LONG = "an old passphrase, longer than what bcrypt ever looked at, with a tail that it never saw: " + "ü" * 20


def bcrypt_hash(password: str, prefix: bytes = b"2b") -> str:
    return (
        bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4, b"2b"))
        .decode()
        .replace("$2b", f"${prefix.decode()}")
    )


@pytest.mark.parametrize("prefix", [b"2a", b"2b", b"2y"])
def test_an_old_password_opens_once_as_bcrypt_and_then_as_argon2(prefix: bytes) -> None:
    verdict = passwords.verify_password("orchard-lantern-42", bcrypt_hash("orchard-lantern-42", prefix))
    assert verdict.right
    assert verdict.replacement is not None
    assert verdict.replacement.startswith("$argon2id$")
    again = passwords.verify_password("orchard-lantern-42", verdict.replacement)
    assert again == passwords.Verdict(True, None)


def test_of_a_long_old_password_72_bytes_count_and_then_all_of_it() -> None:
    stored = bcrypt_hash(LONG)
    verdict = passwords.verify_password(LONG, stored)
    assert verdict.right
    assert verdict.replacement
    assert passwords.verify_password(LONG[:-1] + "!", stored).right
    assert not passwords.verify_password(LONG[:-1] + "!", verdict.replacement).right
    assert not passwords.verify_password(LONG[:60], stored).right


def test_a_character_may_be_cut_at_the_72nd_byte() -> None:
    password = "x" * 71 + "ü"
    assert passwords.verify_password(password, bcrypt_hash(password)).right


def test_a_new_hash_looks_at_every_byte() -> None:
    stored = passwords.hash_password(LONG)
    assert len(stored) <= 128
    assert passwords.verify_password(LONG, stored) == passwords.Verdict(True, None)
    assert not passwords.verify_password(LONG + "x", stored).right


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "not a hash",
        None,
        7,
        b"$2b$12$",
        "$2b$12$short",
        "$2b$04$" + "!" * 53,
        "$argon2id$v=19$m=19456,t=2,p=1$broken",
        "$argon2id$v=19$m=99999999999,t=2,p=1$c29tZXNhbHQ$c29tZWhhc2g",
        "$2b$31$" + "M3MvecNHzxxHGN63NU7Bnearv7.1i.utDIIabwF8USf55toNt3FyO",
        "sha256$abc",
    ],
)
def test_what_is_not_a_hash_is_not_the_password(stored: object) -> None:
    assert passwords.verify_password("x", stored) == passwords.WRONG


def test_half_a_character_is_nobodys_password() -> None:
    assert passwords.verify_password("\ud83d", passwords.hash_password("x")) == passwords.WRONG
    assert passwords.spend_the_time_of_one("\ud83d") == passwords.WRONG
    with pytest.raises(UnicodeEncodeError):
        passwords.hash_password("\ud83d")


def test_a_hash_of_lesser_cost_is_replaced() -> None:
    from pwdlib.hashers.argon2 import Argon2Hasher

    cheap = Argon2Hasher(memory_cost=8, time_cost=1, parallelism=1).hash("a password")
    verdict = passwords.verify_password("a password", cheap)
    assert verdict.right
    assert verdict.replacement is not None


def test_an_unknown_account_costs_as_much_as_a_known_one() -> None:
    assert not passwords._ARGON2.check_needs_rehash(passwords._NOBODYS)
    assert passwords.spend_the_time_of_one("x") == passwords.WRONG
