"""Do public names stay whole, and nothing beside them that was hidden before?"""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.privacy.identifiers import IN_LINKS, IN_TEXT, Identifier, Identifiers
from app.privacy.levels import LEVELS
from app.privacy.masks import REDACTED, without
from app.privacy.rules import Rule, parts_hidden_by
from app.privacy.shipped import SHIPPED
from tests.privacy.hidden import hidden_parts

HEX = "b6f7f7a623c5cca51b0c5fa8bc16aa758e0ee4ab"
RULES = tuple(Rule(field_name=row.field_name, pattern=row.stored) for row in SHIPPED.values())


def masked(text: str, level: str = "public_full", rules: tuple[Rule, ...] = ()) -> str:
    spans = list(hidden_parts(text, LEVELS[level].masks))
    for rule in rules:
        spans += parts_hidden_by(rule, text)
    return without(text, spans)


def is_named(row: Identifier, text: str) -> bool:
    return row.needs in text and any(row.holds(match) for match in row.pattern.finditer(text))


@pytest.mark.parametrize("row", [*IN_TEXT, *IN_LINKS], ids=lambda row: row.name)
def test_each_row_has_a_text_that_is_spared_and_one_that_is_not(row: Identifier) -> None:
    assert is_named(row, row.spared)
    assert not is_named(row, row.not_spared)


@pytest.mark.parametrize("row", [*IN_TEXT, *IN_LINKS], ids=lambda row: row.name)
def test_what_is_spared_is_spared_at_every_level_and_by_the_shipped_rules(row: Identifier) -> None:
    for text in (
        f"{row.spared}",
        f"See [this]({row.spared}).",
        f"“{row.spared}”, and more",
        f"<{row.spared}>",
    ):
        for level in LEVELS:
            assert masked(text, level, RULES) == text


@pytest.mark.parametrize(
    "text",
    [
        *(
            f"https://git{host}/o/r/{word}/{HEX}"
            for host in ("hub.com", "lab.com")
            for word in ("commit", "tree")
        ),
        f"https://github.com/o/r/blob/{HEX}/app/main.py#L3-L9",
        f"https://github.com/o/r/compare/{HEX}...{HEX[::-1]}",
        f"https://github.com/o/r/pull/12345/commits/{HEX}",
        f"https://git.kernel.example/r.git/tree/a/b.c?h=v6&id={HEX}",
        f"https://gist.github.com/1058469/{HEX}",
        f"https://gist.githubusercontent.com/ann/{HEX[:32]}/raw/{HEX}/file.py",
        f"https://web.archive.org/web/20180902232301id_/https://github.com/o/r/commit/{HEX}",
        "https://web.archive.org/web/20180902232301/http://example.org/",
        "https://archive.example/20180902232301/http://example.org/",
        "saved 20180902232301 by the crawler",
        "https://social.example/@ann/386259984817717248",
        "https://doi.org/10.1175/1520-0477(1996)077<0437:TNYRP>2.0.CO;2",
        "doi:10.1145/3292500.3330701, 10.1371/journal.pone.0012345 and 10.48550/arXiv.2301.12345",
        "https://arxiv.org/abs/2301.12345 and https://orcid.org/0000-0001-5109-3700",
        "JDK-8301234, CVE-2024-12345 and (#12345)",
    ],
)
def test_what_the_posts_of_developers_and_scholars_are_full_of_stays(text: str) -> None:
    for level in LEVELS:
        assert masked(text, level, RULES) == text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"https://github.com/o/r/commit/{HEX}?token={HEX[::-1]}", HEX[::-1]),
        (f"https://api.example/v1/items?key={HEX}", HEX),
        (f"https://api.example/v1/items?access_token={HEX}&list=PLtLXFsdHI8JTwScHvB924dY3PNwNJjjuW", HEX),
        (f"https://ann:{HEX}@github.com/o/r/commit/{HEX[::-1]}", HEX),
        (f"https://hooks.example/services/T01234567/B01234567/{HEX}", HEX),
        (f"https://reset.example/password/{HEX}", HEX),
        (f"https://code.example/commit/{HEX}{HEX[:7]}xyz", HEX),
        ("https://code.example/commit/ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghp_16C7"),
        ("https://maps.example/?key=AIzaSyA-0123456789abcdefghijklmnopqrstu", "AIzaSyA"),
        ("https://sheets.example/ccc?key=sk-0123456789abcdefghijklmnopqrstuvwx01", "sk-0123"),
        (f"api_key: https://github.com/o/r/commit/{HEX}", HEX),
        (f"commit token {HEX}", HEX),
        (f"the key {HEX}", HEX),
        ("https://pay.example/status/4111111111111111", "4111111111111111"),
        ("https://pay.example/web/4111111111111111/http://x.example", "4111111111111111"),
        ("card 4111 1111 1111 1111 12/27", "4111 1111 1111 1111"),
        ("12/2024 378282246310005 and 2024 378282246310005", "378282246310005"),
        ("4111-1111-1111-1111- thanks", "4111-1111-1111-1111"),
        ("BE68 5390 0754 7034 ABCD", "BE68 5390 0754 7034"),
        ("10.1000/078-05-1120", "078-05-1120"),
        ("see #12345, SSN 078-05-1120", "078-05-1120"),
        ("SSN #078051120", "078051120"),
    ],
)
def test_secrets_beside_public_names_vanish_at_every_level(text: str, secret: str) -> None:
    for level in LEVELS:
        assert secret not in masked(text, level)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("+1 415 555 0134 12345", "0134"),
        ("call 415 555 0134 12345 67890", "0134"),
        ("10.1000/415-555-0134", "0134"),
        ("Portland, OR 97201", "97201"),
        ("OR-97201, USA-97201, ZIP #97201, San Juan PR 00901", "97201"),
        ("PO Box #12345", "12345"),
        ("https://maps.example/?zip=97201", "97201"),
        ("license D1234567", "D1234567"),
        ("078051120", "078051120"),
        ("#078051120", "078051120"),
        ("4242-4242-4242-4241", "4242"),
        ("0000-0002-1825-0098", "1825"),
    ],
)
def test_what_a_person_is_reached_by_vanishes_at_the_strict_levels(text: str, hidden: str) -> None:
    for level in ("business_card", "professional", "ai_safe"):
        assert hidden not in masked(text, level, RULES)


def test_an_owners_own_rule_is_obeyed_to_the_letter() -> None:
    link = "https://github.com/o/r/issues/12345"
    assert masked(link, "professional", RULES) == link
    own = Rule(pattern=r"\b\d{5}(-\d{4})?\b ?")
    assert masked(link, "professional", (own,)) == f"https://github.com/o/r/issues/{REDACTED}"


@pytest.mark.parametrize(
    "text",
    ["https://social.example/@ann@other.example/386259984817717248?lang=en", "2015 2016 2017 2018 2019"],
)
def test_what_only_the_shipped_rules_hide_stays_for_everybody_else(text: str) -> None:
    for level in LEVELS:
        assert masked(text, level) == text


hexadecimal = st.text("0123456789abcdef", min_size=40, max_size=40).filter(
    lambda text: any(char.isdigit() for char in text) and any(char.isalpha() for char in text)
)
around = st.sampled_from(
    [
        *(
            "{}",
            "see {}.",
            "key={}",
            "https://x.example/?token={}",
            "https://x.example/{}",
            "<{}>",
            "[a]({})",
        ),
        *(f"https://github.com/o/r/commit/{HEX}?secret={{}}", "#12345 {} HADOOP-12345", "doi 10.1000/a {}"),
    ]
)


@settings(max_examples=200, deadline=None)
@given(hexadecimal, around)
def test_a_secret_that_no_form_names_vanishes_wherever_it_stands(secret: str, words: str) -> None:
    assert secret not in masked(words.format(secret)) or secret == HEX


phones = st.integers(2_000_000_000, 9_999_999_999).map(str).map(lambda d: f"{d[:3]}-{d[3:6]}-{d[6:]}")
numbers = st.integers(100_00_0000, 899_99_9999).map(str).map(lambda d: f"{d[:3]}-{d[3:5]}-{d[5:]}")


@settings(max_examples=200, deadline=None)
@given(st.one_of(phones, numbers), around)
def test_phones_and_social_security_numbers_vanish_wherever_they_stand(number: str, words: str) -> None:
    assert number not in masked(words.format(number), "professional", RULES)


@pytest.mark.parametrize(
    "word",
    [
        *(
            "https://",
            "https://a/commit/",
            "#123 ",
            "ABC-",
            "10.1000/",
            "a/b@",
            "commit ",
            "ISBN 1",
            "0000-000",
        ),
        *(
            "12345 ",
            "/a",
            "4111 ",
            "2024 4111 ",
            "AB12 CDEF ",
            "https://a.example/issues/12345 ",
            "1 A ",
            "12 Oak ",
        ),
    ],
)
def test_no_text_takes_long(word: str) -> None:
    text = word * (100_000 // len(word)) + " 12345 b6f7f7a623c5cca51b0c5fa8bc16aa758e0ee4ab"
    begun = time.process_time()
    masked(text, "professional", RULES)
    assert time.process_time() - begun < 5.0


def test_a_part_that_only_overlaps_is_not_spared() -> None:
    text = f"commit {HEX}"
    known = Identifiers(text)
    assert known.holds(7, 47)
    assert known.holds(10, 20)
    assert not known.holds(6, 47)
    assert not known.holds(0, 3)
