"""What does a stranger see of the entries that the old server was measured with?"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from app.errors import UnknownLevel
from app.privacy.levels import NAMES
from app.privacy.masks import REDACTED
from app.privacy.paths import allow_list
from app.privacy.person_settings import PersonSettings
from app.privacy.rules import Rule
from tests.privacy.conftest import ViewOf
from tests.privacy.views import visible_view

RESUME: dict[str, Any] = {
    "name": "Ann Bee",
    "title": "Engineer",
    "summary": (
        "Tel 415-555-0134; SSN 078-05-1120; card 5555555555554444; key 1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d"
    ),
    "contact": {
        "email": "ann@work.example",
        "personal_email": "ann@home.example",
        "phone": "+1 (415) 555-0134",
        "location": "Portland, OR",
        "website": "https://example.org",
        "linkedin": "https://linkedin.example/ann",
        "github": "https://github.example/ann",
        "address": "12 Orchard St",
        "emergency_contact": "Pat",
    },
    "experience": [
        {
            "company": "Copperline",
            "position": "Principal",
            "start_date": "2019-03",
            "end_date": "Present",
            "location": "Remote",
            "salary": "$212,000",
            "description": "x",
            "manager": {"name": "L. Ortiz", "phone": "503-555-0147", "email": "l@copperline.example"},
            "family_note": "f",
            "responsibilities": "payments",
        },
        {
            "company": "Willow",
            "position": "Engineer",
            "end_date": "2019-02",
            "compensation": {"base": 90000},
            "city": "Oakland",
            "health_plan": "gold",
        },
    ],
    "education": [
        {
            "school": "U",
            "degree": "BSc",
            "gpa": 3.87,
            "honors": "cum laude",
            "grades": {"OS": "A"},
            "thesis": "On B-trees",
            "activities": ["chess"],
        }
    ],
    "skills": {
        "technical": ["Rust", "Python", "SQL", "Go", "TLA+", "C"],
        "soft": ["patience"],
        "author_of": ["x"],
    },
    "projects": [
        {
            "name": "tiny",
            "url": "https://example.org/t",
            "api_key": "k",
            "capacity": 5,
            "syntax": "lisp",
            "author": "me",
            "opinion": "o",
            "statement": "s",
        }
    ],
    "awards": ["Best Paper 2016", "9780441478125"],
    "volunteer": ["Food bank", {"org": "Trail", "hours": 120, "account": "a"}],
    "updated_at": "2025-08-20",
}
PUBLIC_FULL: dict[str, Any] = {
    "name": "Ann Bee",
    "title": "Engineer",
    "summary": f"Tel {REDACTED}; SSN {REDACTED}; card {REDACTED}; key {REDACTED}",
    "contact": {
        "email": "ann@work.example",
        "location": "Portland, OR",
        "website": "https://example.org",
        "linkedin": "https://linkedin.example/ann",
        "github": "https://github.example/ann",
    },
    "experience": [
        {
            "company": "Copperline",
            "position": "Principal",
            "start_date": "2019-03",
            "end_date": "Present",
            "location": "Remote",
            "description": "x",
            "responsibilities": "payments",
        },
        {"company": "Willow", "position": "Engineer", "end_date": "2019-02", "city": "Oakland"},
    ],
    "education": [
        {
            "school": "U",
            "degree": "BSc",
            "gpa": 3.87,
            "honors": "cum laude",
            "thesis": "On B-trees",
            "activities": ["chess"],
        }
    ],
    "skills": {
        "technical": ["Rust", "Python", "SQL", "Go", "TLA+", "C"],
        "soft": ["patience"],
        "author_of": ["x"],
    },
    "projects": [
        {
            "name": "tiny",
            "url": "https://example.org/t",
            "capacity": 5,
            "syntax": "lisp",
            "author": "me",
            "opinion": "o",
            "statement": "s",
        }
    ],
    "awards": ["Best Paper 2016", "9780441478125"],
    "volunteer": ["Food bank", {"org": "Trail", "hours": 120}],
    "updated_at": "2025-08-20",
}
CARD: dict[str, Any] = {
    "name": "Ann Bee",
    "title": "Engineer",
    "contact": {
        "email": "***@work.example",
        "website": "https://example.org",
        "linkedin": "https://linkedin.example/ann",
        "github": "https://github.example/ann",
    },
    "experience": [{"company": "Copperline", "position": "Principal"}],
    "skills": {"technical": ["Rust", "Python", "SQL", "Go", "TLA+"]},
}
AT_LEVEL = {
    "public_full": PUBLIC_FULL,
    "professional": PUBLIC_FULL,
    "ai_safe": PUBLIC_FULL,
    "ai_safe+professional": PUBLIC_FULL,
    "business_card": CARD,
}


@pytest.mark.parametrize("level", AT_LEVEL)
def test_the_resume_at_each_level(view_of: ViewOf, level: str) -> None:
    before = copy.deepcopy(RESUME)
    assert view_of("resume", RESUME, level) == AT_LEVEL[level]
    assert before == RESUME


def test_an_unknown_level_is_an_error(view_of: ViewOf) -> None:
    with pytest.raises(UnknownLevel):
        view_of("resume", RESUME, "none")


@pytest.mark.parametrize("level", ["professional", "public_full", "ai_safe"])
def test_books_keep_author_isbn_and_titles_of_digits(view_of: ViewOf, level: str) -> None:
    book = {
        "title": "1234567890",
        "author": "George Orwell",
        "isbn": "978-0-441-47812-5",
        "rating": 5,
        "review": "an opinion, by its author",
        "meta": {"isbn": "0441478123", "author": "G. O.", "visibility": "public"},
    }
    default_rules = [
        Rule(privacy_level="professional", field_name="zip_code", pattern=r"\b\d{5}(-\d{4})?\b"),
        Rule(privacy_level="business_card", field_name="phone", pattern=r"\b\d{3}[-.]?\d{3}[-.]?\d{4}\b"),
        Rule(privacy_level="ai_safe", field_name="ssn_alt", pattern=r"\b\d{9}\b"),
    ]
    assert view_of("favorite_books", book, level, rules=default_rules) == book


def test_an_isbn_whose_check_digit_is_wrong_is_a_text_like_others(view_of: ViewOf) -> None:
    book = {"title": "t", "isbn": "978-0-441-47812-6"}
    rules = [Rule(pattern=r"\b\d{5}\b")]
    assert view_of("favorite_books", book, rules=rules)["isbn"] == f"978-0-441-{REDACTED}-6"


def test_what_looks_like_an_isbn_in_another_field_is_a_text_like_others(view_of: ViewOf) -> None:
    rules = [Rule(pattern=r"\b\d{10}\b")]
    assert view_of("ideas", {"content": "0441478123"}, rules=rules) == {"content": REDACTED}


def test_markdown_that_mentions_an_address_at_home_is_not_lost(view_of: ViewOf) -> None:
    view = view_of("ideas", {"content": "Write to ann@home.example or not."})
    assert view == {"content": f"Write to {REDACTED} or not."}


SENSITIVE_ANYWHERE = {"phone": "415-555-0134", "salary": 1, "api_key": "k", "ssn": "x", "homeAddress": "y"}


@pytest.mark.parametrize("level", NAMES)
@pytest.mark.parametrize("kind", ["resume", "ideas", "about", "recipes"])
def test_sensitive_names_vanish_at_any_depth(view_of: ViewOf, kind: str, level: str) -> None:
    declared = json.dumps({name: {"type": "string"} for name in (*SENSITIVE_ANYWHERE, "course")})
    entry = {
        "content": "c",
        "course": "main",
        **SENSITIVE_ANYWHERE,
        "meta": {"title": "t", **SENSITIVE_ANYWHERE},
        "contact": SENSITIVE_ANYWHERE,
        "experience": [{"company": "c", **SENSITIVE_ANYWHERE, "manager": SENSITIVE_ANYWHERE}],
    }
    shown = json.dumps(view_of(kind, entry, level, schema=declared))
    assert not [name for name in SENSITIVE_ANYWHERE if f'"{name}"' in shown]


def test_custom_kinds_show_the_general_list_and_what_their_row_declares(view_of: ViewOf) -> None:
    entry = {
        "title": "Soup",
        "course": "main",
        "minutes": 20,
        "notes": "n",
        "phone": "1",
        "deep": {"a": 1, "b": 2},
    }
    flat = json.dumps(
        {"course": {"type": "string"}, "minutes": {"type": "integer"}, "phone": {"type": "string"}}
    )
    assert view_of("recipes", entry) == {"title": "Soup"}
    assert view_of("recipes", entry, schema=flat) == {"title": "Soup", "course": "main", "minutes": 20}
    formal = json.dumps(
        {"type": "object", "properties": {"deep": {"type": "object", "properties": {"a": {}}}}}
    )
    assert view_of("recipes", entry, schema=formal) == {"title": "Soup", "deep": {"a": 1}}
    assert view_of("recipes", entry, "business_card", schema=flat) == {}


@pytest.mark.parametrize("schema", ["", "{", "[]", "null", "7", '{"course": "string"}', '{"properties": 1}'])
def test_a_schema_that_says_nothing_declares_nothing(view_of: ViewOf, schema: str) -> None:
    assert view_of("recipes", {"title": "Soup", "course": "main"}, schema=schema) == {"title": "Soup"}


@pytest.mark.parametrize("kind", ["ideas", "recipes"])
def test_an_entry_that_is_no_object_is_the_content(view_of: ViewOf, kind: str) -> None:
    assert view_of(kind, "SSN 078-05-1120") == f"SSN {REDACTED}"
    assert view_of(kind, 7) == 7
    assert view_of(kind, None) is None
    assert view_of(kind, ["a", {"secret": 1, "content": "x"}, ["b", 1]]) == ["a", ["b", 1]]
    assert view_of(kind, "text", "business_card") is None
    assert view_of(kind, "text", settings=PersonSettings(custom_rules=(("content", "hide"),))) is None
    assert view_of("resume", "text") is None


def test_of_a_number_that_a_rule_finds_nothing_is_left(view_of: ViewOf) -> None:
    rules = [Rule(pattern=r"\d{5}")]
    assert view_of("ideas", {"rating": 1.2345678, "status": 1234}, rules=rules) == {
        "rating": REDACTED,
        "status": 1234,
    }


def test_numbers_are_masked_too(view_of: ViewOf) -> None:
    assert view_of("ideas", {"rating": 4111111111111111, "status": 5}) == {"rating": REDACTED, "status": 5}


# -- the person's settings, at every level and in every kind


@pytest.mark.parametrize("level", NAMES)
def test_contact_info_off(view_of: ViewOf, level: str) -> None:
    settings = PersonSettings(show_contact_info=False)
    shown = view_of("resume", RESUME, level, settings)
    assert not {"email", "phone"} & set(shown["contact"])
    assert shown["contact"]["website"] == "https://example.org"
    text = {"content": "mail ann@work.example or call 415-555-0134", "contact_method": "signal"}
    expected = {} if level == "business_card" else {"content": f"mail {REDACTED} or call {REDACTED}"}
    assert view_of("looking_for", text, level, settings) == expected
    assert view_of("contact_info", {"content": "c"}, level, settings) == {}


@pytest.mark.parametrize("level", NAMES)
def test_location_off(view_of: ViewOf, level: str) -> None:
    settings = PersonSettings(show_location=False)
    shown = json.dumps(view_of("resume", RESUME, level, settings))
    assert "Portland" not in shown
    assert "Remote" not in shown
    assert "Oakland" not in shown
    if level != "business_card":
        assert '"capacity"' in shown
        assert '"statement"' in shown
    assert "location" not in view_of("about", {"name": "a", "location": "b"}, level, settings)
    assert view_of("events", {"title": "t", "city": "c", "venue": "v"}, "public_full", settings) == {
        "title": "t"
    }


@pytest.mark.parametrize("level", NAMES)
def test_current_company_off(view_of: ViewOf, level: str) -> None:
    shown = view_of("resume", RESUME, level, PersonSettings(show_current_company=False))
    assert "Copperline" not in json.dumps(shown)
    if level != "business_card":
        assert shown["experience"][1]["company"] == "Willow"


@pytest.mark.parametrize(
    "end_date",
    [None, "", "Present", "present ", "Current", "now", "heute", [], True, "2019 - present", "to date"],
)
def test_a_job_without_an_end_is_the_current_one(view_of: ViewOf, end_date: object) -> None:
    entry = {"name": "n", "title": "t", "experience": [{"company": "Acme", "end_date": end_date}]}
    assert "Acme" not in json.dumps(
        view_of("resume", entry, settings=PersonSettings(show_current_company=False))
    )


@pytest.mark.parametrize(
    "end_date", ["2019", "2019-02", "2019-02-28", "02/2019", "28.02.2019", "Feb 2019", "February 2019", 2019]
)
def test_a_job_that_ended_is_shown(view_of: ViewOf, end_date: object) -> None:
    entry = {"name": "n", "title": "t", "experience": [{"company": "Acme", "end_date": end_date}]}
    shown = view_of("resume", entry, settings=PersonSettings(show_current_company=False))
    assert shown["experience"][0]["company"] == "Acme"


def test_an_end_that_the_stranger_does_not_see_does_not_count(view_of: ViewOf) -> None:
    entry = {"name": "n", "title": "t", "experience": [{"company": "Acme", "end_date": "2019"}]}
    settings = PersonSettings(show_current_company=False)
    assert view_of("resume", entry, "business_card", settings) == {"name": "n", "title": "t"}
    hidden = PersonSettings(show_current_company=False, custom_rules=(("experience.end_date", "hide"),))
    assert "Acme" not in json.dumps(view_of("resume", entry, settings=hidden))


def test_where_two_levels_bind_only_what_both_show_is_shown(view_of: ViewOf) -> None:
    entry = {"type": "job", "description": "d", "contact_method": "signal"}
    assert "contact_method" in view_of("looking_for", entry, "ai_safe")
    assert "contact_method" not in view_of("looking_for", entry, "professional")
    assert "contact_method" not in view_of("looking_for", entry, "ai_safe+professional")


def test_a_value_is_shown_only_where_every_level_that_binds_shows_it() -> None:
    allowed = {name: allow_list(["a.b"] if name == "ai_safe" else ["a"]) for name in NAMES}
    for entry in ({"a": "x"}, {"a": {"b": "x"}}, {"a": ["x", {"b": "x"}]}):
        assert visible_view(entry, kind="ideas", allowed=allowed, level="ai_safe+professional") == {}


@pytest.mark.parametrize("level", NAMES)
def test_education_details_off(view_of: ViewOf, level: str) -> None:
    shown = view_of("resume", RESUME, level, PersonSettings(show_education_details=False))
    assert shown.get("education", [{"school": "U", "degree": "BSc"}]) == [{"school": "U", "degree": "BSc"}]


@pytest.mark.parametrize("level", NAMES)
def test_personal_projects_off(view_of: ViewOf, level: str) -> None:
    settings = PersonSettings(show_personal_projects=False)
    assert "projects" not in view_of("resume", RESUME, level, settings)
    assert view_of("projects", {"content": "c"}, level, settings) == {}


@pytest.mark.parametrize("level", NAMES)
def test_a_salary_is_never_shown(view_of: ViewOf, level: str) -> None:
    shown = view_of("resume", RESUME, level, PersonSettings(show_salary_range=True))
    assert shown == AT_LEVEL[level]


@pytest.mark.parametrize("level", NAMES)
def test_custom_rules_are_obeyed_at_every_level(view_of: ViewOf, level: str) -> None:
    rules = (
        ("contact.email", "hide"),
        ("title", "redact"),
        ("experience.0.company", "hide"),
        ("skills.technical", "no such action"),
        ("contact.phone", "redact"),
        ("nowhere", "redact"),
    )
    settings = PersonSettings(custom_rules=tuple((p, a if a == "redact" else "hide") for p, a in rules))
    shown = view_of("resume", RESUME, level, settings)
    assert shown["title"] == "[REDACTED]"
    assert "email" not in shown["contact"]
    assert "phone" not in shown["contact"]
    assert "nowhere" not in shown
    assert "company" not in shown["experience"][0]
    assert "technical" not in shown.get("skills", {})


def test_where_two_rules_meet_hiding_wins(view_of: ViewOf) -> None:
    settings = PersonSettings(custom_rules=(("title", "redact"), ("title", "hide")))
    assert "title" not in view_of("resume", RESUME, settings=settings)


@pytest.mark.parametrize("empty", [{}, {"unknown": 1}, {"unknown": {}}])
def test_a_rule_shows_no_member_that_is_not_shown_without_it(view_of: ViewOf, empty: object) -> None:
    entry = {"title": "Engineer", "contact": empty}
    settings = PersonSettings(custom_rules=(("contact", "redact"),))
    assert view_of("resume", entry, settings=settings) == view_of("resume", entry) == {"title": "Engineer"}


# -- the installation's rules


def test_a_rule_by_path_name_and_pattern(view_of: ViewOf) -> None:
    rules = [
        Rule("resume", "summary", "public_full"),
        Rule(privacy_level="public_full", field_name="company"),
        Rule(privacy_level="public_full", pattern=r"B-tree\w*"),
        Rule("ideas", "name", "public_full"),
    ]
    shown = view_of("resume", RESUME, rules=rules)
    assert "summary" not in shown
    assert "company" not in shown["experience"][0]
    assert shown["education"][0]["thesis"] == f"On {REDACTED}"
    assert shown["name"] == "Ann Bee"


def test_a_broken_pattern_hides_texts_and_keeps_the_rest(view_of: ViewOf) -> None:
    shown = view_of(
        "ideas", {"content": "c", "rating": 5, "meta": {"tags": ["a"]}}, rules=[Rule(pattern="([")]
    )
    assert shown == {"content": REDACTED, "rating": REDACTED, "meta": {"tags": [REDACTED]}}


def test_a_rule_never_uncovers_what_a_mask_covers(view_of: ViewOf) -> None:
    entry = {"content": "call +49 30 12345 678 9 now"}
    rules = [Rule(privacy_level="professional", pattern=r"\b\d{5}(-\d{4})?\b")]
    assert view_of("ideas", entry, "professional", rules=rules) == {"content": f"call {REDACTED} now"}
