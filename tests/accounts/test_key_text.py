"""Can a key of ours be told from any other text, by whoever searches for keys that leaked?"""

from __future__ import annotations

import re
import zlib
from pathlib import Path

from app.accounts.key_text import ALPHABET, PATTERN, draw_key, is_mistyped


def test_every_key_has_the_documented_form_and_no_two_are_alike(root: Path) -> None:
    documented = re.search(r"`(\\bdmn_[^`]+\\b)`", (root / "docs" / "api.md").read_text())
    assert documented
    keys = {draw_key() for _ in range(200)}
    assert len(keys) == 200
    for key in keys:
        assert PATTERN.fullmatch(key)
        assert re.findall(documented[1], f"token: {key},") == [key]
        assert not is_mistyped(key)


def test_the_check_digits_are_those_that_the_documents_describe() -> None:
    key = draw_key()
    number, digits = zlib.crc32(key[:-6].encode()), ""
    while len(digits) < 6:
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits
    assert key.endswith(digits)


def test_one_wrong_character_is_seen_wherever_it_stands() -> None:
    key = draw_key()
    for at in range(4, len(key)):
        other = "x" if key[at] != "x" else "y"
        assert is_mistyped(key[:at] + other + key[at + 1 :])


def test_keys_of_older_versions_are_not_taken_for_mistyped_ones() -> None:
    for old in ("daemon_" + "k" * 43, "dmn_" + "k" * 43, "dmn_" + "-_" * 21 + "k", "", "dmn_nobodys"):
        assert not is_mistyped(old)
