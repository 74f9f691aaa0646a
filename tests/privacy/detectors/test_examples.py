"""Does every detector find what its file says it finds, and leave alone what it leaves?"""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.privacy.detectors.catalogue import data, detectors_for_shipped_rule, names
from app.privacy.detectors.search import find
from app.privacy.shipped import SHIPPED, Shipped

FOUND = [(name, text) for name in names() for text in data(name)["examples"]["found"]]
LEFT = [(name, text) for name in names() for text in data(name)["examples"]["left"]]
TOKENS: list[dict[str, Any]] = data("secret")["shape"]


def marked(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text without its marks, and what they mark."""
    found = enumerate(re.finditer("«[^»]*»", text))
    spans = [(match.start() - 2 * at, match.end() - 2 * (at + 1)) for at, match in found]
    return re.sub("[«»]", "", text), spans


@pytest.mark.parametrize(("name", "text"), FOUND)
def test_what_a_file_marks_is_found_where_it_marks_it(name: str, text: str) -> None:
    plain, spans = marked(text)
    assert [(one.start, one.end) for one in find(plain) if one.detector == name] == spans


@pytest.mark.parametrize(("name", "text"), LEFT)
def test_what_a_file_leaves_is_left(name: str, text: str) -> None:
    assert [text[one.start : one.end] for one in find(text) if one.detector == name] == []


@pytest.mark.parametrize("row", TOKENS, ids=lambda row: row["example"][:12])
def test_every_token_of_a_provider_is_found_in_a_sentence_and_alone(row: dict[str, Any]) -> None:
    example = row["example"]
    for text in (f"Use {example} for now.", example, f"export A={example}", f'"a": "{example}",'):
        parts = [(one.start, one.end) for one in find(text) if one.detector == "secret"]
        start = text.index(example)
        assert any(begin <= start and start + len(example) <= end for begin, end in parts), text


def test_there_are_forty_shapes_of_secrets_and_ten_countries() -> None:
    assert sum(len(row["begins"]) for row in TOKENS) >= 40
    assert len([name for name in names() if name.startswith("id_")]) >= 10


@pytest.mark.parametrize("name", names())
def test_every_file_has_examples_of_both_kinds(name: str) -> None:
    assert data(name)["detector"] == name
    assert data(name)["examples"]["found"]
    assert data(name)["examples"]["left"]


ANSWERED_BY = {
    "phone": {"phone"},
    "phone_alt": {"phone"},
    "ssn": {"us_ssn"},
    "ssn_alt": {"us_ssn"},
    "email": {"mail"},
    "address": {"street_address"},
    "credit_card": {"card"},
    "date_of_birth": {"birth_date"},
    "dob_alt": {"birth_date"},
}


@pytest.mark.parametrize("row", SHIPPED.values(), ids=lambda row: row.field_name)
def test_a_shipped_rule_has_the_detector_of_its_name(row: Shipped) -> None:
    assert detectors_for_shipped_rule(row.field_name) == ANSWERED_BY.get(row.field_name, set())


def test_only_shipped_rules_are_answered_by_detectors() -> None:
    named = {rule for name in names() for rule in data(name).get("shipped_rules", ())}
    assert named <= {row.field_name for row in SHIPPED.values()}
