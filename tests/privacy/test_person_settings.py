"""Are a person's stored decisions read as they were meant, and on the strict side where they are odd?"""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.privacy.person_settings import COLUMNS, DEFAULT, PersonSettings, read_custom_rules, read_settings

OLD_DEFAULTS: dict[str, Any] = {
    "show_contact_info": 1,
    "show_location": 1,
    "show_current_company": 1,
    "show_salary_range": 0,
    "show_education_details": 1,
    "show_personal_projects": 1,
    "business_card_mode": 0,
    "ai_assistant_access": 1,
    "custom_privacy_rules": "{}",
    "privacy_level": None,
}


def test_no_row_shows_what_the_old_defaults_show() -> None:
    assert read_settings([]) == DEFAULT == read_settings([OLD_DEFAULTS])
    assert set(COLUMNS) <= set(OLD_DEFAULTS)


def test_null_and_odd_values_are_on_the_strict_side() -> None:
    strictest = PersonSettings(False, False, False, False, False, False, True, False)
    for odd in (None, "yes", 2, -1, "", b"1", 0.5):
        assert read_settings([dict.fromkeys(COLUMNS, odd)]) == strictest


@pytest.mark.parametrize("column", COLUMNS)
def test_of_doubled_rows_the_strictest_wins(column: str) -> None:
    strict_value = 1 if column == "business_card_mode" else 0
    strict = {**OLD_DEFAULTS, "show_salary_range": 1, column: strict_value}
    loose = {**OLD_DEFAULTS, "show_salary_range": 1, column: 1 - strict_value}
    assert read_settings([loose, strict]) == read_settings([strict, loose]) == read_settings([strict])


@pytest.mark.parametrize(
    ("levels", "lowest"),
    [
        ((None, "professional"), "professional"),
        (("professional", "business_card"), "business_card"),
        (("public_full", "ai_safe"), "ai_safe"),
        (("professional", "ai_safe"), "ai_safe+professional"),
        (("nonsense", "public_full"), "business_card"),
    ],
)
def test_of_doubled_levels_the_lowest_wins(levels: tuple[str | None, str | None], lowest: str) -> None:
    rows = [{**OLD_DEFAULTS, "privacy_level": level} for level in levels]
    for both in (rows, rows[::-1]):
        assert read_settings(both).level_for(None, "public_full") == lowest


def test_rules_of_doubled_rows_all_count() -> None:
    rows = [{**OLD_DEFAULTS, "custom_privacy_rules": json.dumps({path: "hide"})} for path in ("a", "b")]
    assert read_settings(rows).custom_rules == (("a", "hide"), ("b", "hide"))


@pytest.mark.parametrize(
    ("stored", "rules"),
    [
        (None, ()),
        ("", ()),
        ("{}", ()),
        ("null", ()),
        ("[]", ()),
        ('{"contact.email": "hide", "title": "redact"}', (("contact.email", "hide"), ("title", "redact"))),
        ('{"a": "show", "b": null, "c": true, "d": {"x": 1}}', tuple((key, "hide") for key in "abcd")),
        ('["a.b", "c"]', (("a.b", "hide"), ("c", "hide"))),
    ],
)
def test_custom_rules(stored: str | None, rules: tuple[tuple[str, str], ...]) -> None:
    assert read_custom_rules(stored) == (rules, False)


@pytest.mark.parametrize("stored", ["{", "7", '"hide"', "[1]", '[["a"]]', "true", "[" * 100_000, 7, b"\xff"])
def test_rules_that_cannot_be_understood_leave_the_business_card(stored: object) -> None:
    assert read_custom_rules(stored) == ((), True)
    assert read_settings([{**OLD_DEFAULTS, "custom_privacy_rules": stored}]).business_card_mode


@pytest.mark.parametrize(
    ("changes", "asked", "ceiling", "level"),
    [
        ({}, None, "public_full", "public_full"),
        ({}, "professional", "public_full", "professional"),
        ({}, None, "professional", "professional"),
        ({"business_card_mode": True}, None, "public_full", "business_card"),
        ({"business_card_mode": True}, "ai_safe", "public_full", "business_card"),
        ({"privacy_level": "professional"}, "public_full", "public_full", "professional"),
        ({"privacy_level": "professional"}, "ai_safe", "public_full", "ai_safe+professional"),
        ({"privacy_level": "nonsense"}, None, "public_full", "business_card"),
        ({"ai_assistant_access": False}, None, "public_full", "public_full"),
        ({"ai_assistant_access": False}, "ai_safe", "public_full", None),
        ({"ai_assistant_access": False, "business_card_mode": True}, "ai_safe", "public_full", None),
        ({"ai_assistant_access": False}, None, "ai_safe", None),
    ],
)
def test_the_level_at_which_strangers_see_a_person(
    changes: dict[str, Any], asked: str | None, ceiling: str, level: str | None
) -> None:
    assert PersonSettings(**changes).level_for(asked, ceiling) == level


def test_what_a_person_closes() -> None:
    assert PersonSettings(show_contact_info=False).closes("contact_info")
    assert PersonSettings(show_personal_projects=False).closes("projects")
    assert not DEFAULT.closes("contact_info")
    assert not PersonSettings(show_contact_info=False, show_personal_projects=False).closes("ideas")
