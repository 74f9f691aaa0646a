"""Does every mask hide its example, leave alone what only looks like it, and stay quick on any text?"""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest

from app.privacy.levels import LEVELS
from app.privacy.masks import MASKS, REDACTED, Mask, Span, is_mail_address, without
from tests.privacy.hidden import hidden_parts

EVERY = [mask for masks in MASKS.values() for mask in masks]
STRICT = LEVELS["professional"].masks
OPEN = LEVELS["public_full"].masks


def masked(text: str, names: tuple[str, ...] = STRICT) -> str:
    return without(text, list(hidden_parts(text, names)))


@pytest.mark.parametrize("mask", EVERY, ids=lambda mask: mask.name)
def test_each_row_has_a_text_that_vanishes_and_one_that_stays(mask: Mask) -> None:
    assert [found for found in mask.pattern.finditer(mask.vanishes) if mask.holds(found)]
    assert not [found for found in mask.pattern.finditer(mask.stays) if mask.holds(found)]
    assert REDACTED in masked(mask.vanishes, (mask.name,))


@pytest.mark.parametrize("mask", EVERY, ids=lambda mask: mask.name)
def test_what_a_row_needs_is_in_every_text_in_which_it_finds_something(mask: Mask) -> None:
    always = replace(mask, needs="", needs_one_of="")
    choose = random.Random(f"{mask.name} {mask.vanishes}")
    texts = [each for other in EVERY for each in (other.vanishes, other.stays)]
    for text in [*texts, *(_changed(text, choose) for text in texts for _ in range(20))]:
        assert [*mask.parts(text)] == [*always.parts(text)], text


def _changed(text: str, choose: random.Random) -> str:
    """The text with some characters taken out, doubled, or put in the place of others."""
    characters = [*text]
    for _ in range(choose.randrange(1, 4)):
        at = choose.randrange(len(characters))
        characters[at] = choose.choice(["", characters[at] * 2, *"a1_-:=@. "])
    return "".join(characters) or "a"


def test_the_summary_that_the_old_server_leaked() -> None:
    text = (
        "Call 415-555-0134; SSN 078-05-1120; card 4111 1111 1111 1111;"
        " key abcdefabcdefabcdefabcdefabcdefab12; sk_live_abcdef"
    )
    assert masked(text) == f"Call {REDACTED}; SSN {REDACTED}; card {REDACTED}; key {REDACTED}; {REDACTED}"
    assert (
        masked(text, OPEN)
        == f"Call 415-555-0134; SSN {REDACTED}; card {REDACTED}; key {REDACTED}; {REDACTED}"
    )
    assert masked(text, LEVELS["ai_safe"].masks) == masked(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "9780441478125",
            "978-0-441-47812-5",
            "0441478123",
            "0-306-40615-2",
            "ISBN 0 441 47812 3",
            "1234567890",
        ),
        *(
            "2019-03-12 to 2020-04-01",
            "2015-2019",
            "2:59:59",
            "10.1000/182",
            "arXiv:2301.12345",
            "v1.22.333.4444",
        ),
        *(
            "40.7128, -74.0060",
            "550e8400-e29b-41d4-a716-446655440000",
            "US 7,123,456",
            "CVE-2024-12345",
        ),
        *(
            "0000-0002-1825-0097",
            "1732280000000",
            "phone-free weekends",
            "@ann@social.example",
            "1 234 567 890 people",
        ),
        *(
            "we call 3000 people",
            "Donaudampfschifffahrtsgesellschaftskapitän",
            "a" * 100,
            "the token is a coin",
        ),
    ],
)
def test_what_personal_pages_are_full_of_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    "secret",
    [
        *("5555-5555-5555-4444", "378282246310005", "2223003122003222", "4242 4242 4242 4241", "078 05 1120"),
        *("GB29NWBK60161331926819", "NL91 ABNA 0417 1643 00", "NO93 8601 1117 947"),
        *(
            "AKIAIOSFODNN7EXAMPLE",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "daemon_" + "aB3-_" * 8 + "xyz",
        ),
        *(
            "sk_test_4eC39HqLyjWDarjtT1zdp7dc",
            "xoxb-123456789012-abcdef",
            "Bearer0123456789abcdef0123456789abcdef",
        ),
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAA\n-----END OPENSSH PRIVATE KEY-----",
    ],
)
def test_secrets_vanish_at_every_level(secret: str) -> None:
    for level in LEVELS.values():
        assert masked(f"it is {secret} .", level.masks) == f"it is {REDACTED} ."


@pytest.mark.parametrize(
    "phone", ["+49 (0)30 123456-7", "(415) 555-0134", "555.123.4567", "+4479460958", "+1-415-555-0134"]
)
def test_phones_in_text_vanish_at_strict_levels(phone: str) -> None:
    assert masked(f"reach me: {phone}, thanks") == f"reach me: {REDACTED}, thanks"


def test_a_private_key_that_was_cut_off_vanishes_to_the_end() -> None:
    assert masked("see -----BEGIN PRIVATE KEY-----\nMIIEow", OPEN) == f"see {REDACTED}"


def test_mail_addresses() -> None:
    assert masked("a ann@work.example b") == f"a {REDACTED} b"
    assert masked("a ann@work.example b", OPEN) == "a ann@work.example b"
    assert masked("a ann@home.example b", OPEN) == f"a {REDACTED} b"
    assert is_mail_address("ann.bee+x@work.example")
    assert not is_mail_address("mail ann@work.example")


@pytest.mark.parametrize(
    "after", [".", ". Thanks", "...", ".)", "._", ".-x", ".1", "!", ",", ".\nNext", "'s", ""]
)
@pytest.mark.parametrize("address", ["ann@home.example", "ann.bee+x@mail.home.example"])
def test_a_mail_address_vanishes_whatever_stands_behind_it(address: str, after: str) -> None:
    assert masked(f"write to {address}{after}", OPEN) == f"write to {REDACTED}{after}"
    for level in LEVELS.values():
        assert address not in masked(f"{address}{after}", level.masks)


def test_parts_that_overlap_vanish_as_one() -> None:
    assert without("0123456789", [Span(2, 5), Span(4, 7, "***"), Span(8, 9, "***")]) == f"01{REDACTED}7***9"


@pytest.mark.parametrize(
    "word",
    [
        "a",
        "1",
        "1 ",
        "+1",
        "a@",
        "a.",
        "-----BEGIN ",
        "eyJaaaaaaaa",
        "secret: ",
        "secret:",
        "://",
        "sk-",
        "call ",
        "(123) ",
        "daemon_",
    ],
)
def test_no_text_takes_long(word: str) -> None:
    text = word * (200_000 // len(word))
    begun = time.process_time()
    masked(text)
    assert time.process_time() - begun < 3.0
