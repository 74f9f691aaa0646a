"""Does each row of data_privacy_rules hide what it names, from whom it says, and nothing else?"""

from __future__ import annotations

import pytest

from app.privacy.levels import NAMES
from app.privacy.masks import REDACTED, Span, without
from app.privacy.rules import Rule, parts_hidden_by


@pytest.mark.parametrize(
    ("level", "hidden_at"),
    [
        ("business_card", {"business_card"}),
        ("professional", {"business_card", "professional", "ai_safe"}),
        ("ai_safe", {"business_card", "professional", "ai_safe"}),
        ("public_full", set(NAMES)),
        (None, set(NAMES)),
        ("nonsense", set(NAMES)),
    ],
)
def test_a_rule_holds_at_its_level_and_wherever_not_strictly_more_is_open(
    level: str | None, hidden_at: set[str]
) -> None:
    rule = Rule(privacy_level=level, field_name="x")
    assert {name for name in NAMES if rule.holds("ideas", name)} == hidden_at
    assert rule.holds("ideas", "ai_safe+professional") == bool(hidden_at & {"ai_safe", "professional"})


def test_a_rule_may_be_for_one_kind() -> None:
    rule = Rule(endpoint_name="resume", field_path="summary")
    assert rule.holds("resume", "public_full")
    assert not rule.holds("ideas", "public_full")
    for everywhere in (" * ", ""):
        assert Rule(endpoint_name=everywhere, field_path="summary").holds("ideas", "public_full")
    assert Rule(endpoint_name="Resume", field_path="summary").holds("resume", "public_full")


def test_the_star_is_a_place_only_where_nothing_else_is_named() -> None:
    assert Rule(field_name="phone").path is None
    assert Rule(pattern="x").path is None
    assert Rule(field_path="contact.email", pattern="x").path == "contact.email"
    assert Rule(endpoint_name="resume").path == "*"


def test_field_names_are_whole_words() -> None:
    rule = Rule(field_name="zip_code")
    assert rule.names("zipCode")
    assert rule.names("home_zip_code")
    assert rule.names("zipcode")
    assert not rule.names("zip")
    assert not Rule(field_name="auth").names("author")
    assert not Rule().names("")
    assert Rule(field_name="!").names("!")
    assert not Rule(field_name="!").names("x")


def test_a_pattern_hides_what_it_matches() -> None:
    rule = Rule(pattern=r"\bacme\b")
    assert parts_hidden_by(rule, "at acme now") == [Span(3, 7)]
    assert parts_hidden_by(rule, "acmeism") == []
    assert parts_hidden_by(Rule(pattern=""), "text") == []


@pytest.mark.parametrize("broken", ["([", "(?=x)", r"(a)\1", "a{9999}"])
def test_a_pattern_that_cannot_be_followed_hides_the_whole_text(broken: str) -> None:
    rule = Rule(pattern=broken)
    assert without("any text", parts_hidden_by(rule, "any text")) == REDACTED
    assert parts_hidden_by(rule, "") == []
