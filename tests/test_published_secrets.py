"""Is every secret that anyone may know refused, and no random one?"""

from __future__ import annotations

import base64
import json
import random
import secrets
import string
from collections.abc import Callable

import pytest

from app.published_secrets import why_known
from tests.conftest import ROOT

OUTPUTS = 100_000
DATA = json.loads((ROOT / "app" / "published_secrets.json").read_text(encoding="utf-8"))


def urlsafe(given: random.Random) -> str:
    return base64.urlsafe_b64encode(given.randbytes(32)).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "secret",
    [
        "your-super-secret-key-here-change-me",  # .env.example, v0.1.0 to v0.3.2
        "dev_secret_key_change_in_production_12345",  # the default in the code
        "change-me-in-production",  # docker-compose.yml
        "your-super-secure-production-secret-key-here",  # its documents
        "dev-secret-key-change-in-production",
        "YOUR_SUPER_SECRET_KEY_HERE_CHANGE_ME",
        "yoursupersecretkeyherechangeme",
    ],
)
def test_what_older_versions_published_is_known(secret: str) -> None:
    assert "published" in why_known(secret)


@pytest.mark.parametrize(
    "secret",
    [
        "a-Secret_Key-of-my-own-that-is-long-enough",
        "please CHANGE ME before you go to production",
        "this-is-only-an-example-of-a-secret-of-32-bytes",
        "$(openssl rand -base64 32)",
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    ],
)
def test_examples_and_their_words_are_known(secret: str) -> None:
    assert "published" in why_known(secret)


@pytest.mark.parametrize("published", [*DATA["secrets"], *DATA["words"]])
def test_everything_in_the_list_is_refused_however_it_is_written(published: str) -> None:
    for written in (published, published.upper(), "-".join(published), f"_{published}_"):
        assert why_known(written), written


def test_a_word_is_too_long_to_be_in_a_random_text() -> None:
    assert min(map(len, DATA["words"])) >= 7
    assert not any(set(word) <= set("0123456789abcdef") for word in DATA["words"])


@pytest.mark.parametrize("unit", ["ab", "hunter42", "Xk3-9fQz", "0123456789", "correct horse battery"])
def test_a_repeated_unit_is_known(unit: str) -> None:
    whole = unit * 6
    assert why_known(whole)
    assert why_known(whole + unit[:1])
    assert why_known("-".join([unit] * 6))


def test_too_few_different_characters_are_known() -> None:
    assert "different" in why_known("a1b2c3daadc31b2cdd3a2b1c3dc1ba2aab3c")
    assert not why_known("q8w7e6r5t4y3u2i1o0pasdfghjklzxcv")


@pytest.mark.parametrize(
    "make",
    [
        lambda given: given.randbytes(32).hex(),
        urlsafe,
        lambda given: base64.b64encode(given.randbytes(32)).decode(),
    ],
    ids=["token_hex", "token_urlsafe", "openssl rand -base64"],
)
def test_a_random_secret_is_never_refused(make: Callable[[random.Random], str]) -> None:
    given = random.Random(20261125)
    assert [secret for _ in range(OUTPUTS) if why_known(secret := make(given))] == []


def test_what_the_makers_themselves_give_has_that_form() -> None:
    given = random.Random(1)
    assert len(urlsafe(given)) == len(secrets.token_urlsafe(32))
    assert len(given.randbytes(32).hex()) == len(secrets.token_hex(32))
    assert set(urlsafe(given)) <= set(string.ascii_letters + string.digits + "-_")
