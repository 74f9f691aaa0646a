"""What do the rules that Daemon ships hide of whom, and what is the way to write on a business card?"""

from __future__ import annotations

from typing import Any

import pytest

from app.privacy.levels import NAMES
from app.privacy.person_settings import PersonSettings
from app.privacy.rules import Rule
from app.privacy.shipped import SHIPPED
from tests.privacy.conftest import ViewOf
from tests.privacy.detectors.evaluation_set import decoys

RULES = tuple(Rule("*", "*", row.privacy_level, row.field_name, row.stored) for row in SHIPPED.values())
NEW = PersonSettings(releases_shipped_rules=True)
RESUME: dict[str, Any] = {
    "name": "Ann Bee",
    "title": "Engineer",
    "contact": {
        "email": "ann@work.example",
        "website": "https://ann.example",
        "mastodon": "@ann@social.example",
    },
}
ABOUT = {
    "name": "Ann",
    "content": "I raised $5,000,000 from 12345 people on 3/12/2019; ticket 123456789.",
}
PRIVATE = (
    *("Tel 415-555-0134", "SSN 078-05-1120", "card 4111 1111 1111 1111", "write to ann@work.example"),
    *("my salary is $212,000", "I earn 90,000 USD", "paid 40 per hour", "ZIP 97201", "Portland, OR 97201"),
    *(
        "driver's license D12345678",
        "born 3/12/1984",
        "born on March 12, 1984",
        "I live at 12 Harbour Street",
    ),
)


def hidden_at(view_of: ViewOf, text: str, level: str, settings: PersonSettings) -> bool:
    return "***" in view_of("about", {"content": text}, level, settings=settings, rules=RULES).get(
        "content", ""
    )


@pytest.mark.parametrize("level", ["professional", "ai_safe"])
def test_new_accounts_texts_are_answered_by_detectors(view_of: ViewOf, level: str) -> None:
    for text in PRIVATE:
        assert hidden_at(view_of, text, level, NEW), text
        assert hidden_at(view_of, text, level, PersonSettings()), text
    shown = view_of("about", ABOUT, level, settings=NEW, rules=RULES)
    assert shown["content"] == ABOUT["content"]
    assert "***" in view_of("about", ABOUT, level, rules=RULES)["content"]


def test_what_a_professional_reads_is_whole_sentences(view_of: ViewOf) -> None:
    lines = [*decoys("work"), *decoys("held_out")]
    damaged = [line for line in lines if hidden_at(view_of, line, "professional", NEW)]
    assert len(damaged) * 40 <= 3 * len(lines), damaged


def test_new_accounts_fields_are_as_the_levels_say(view_of: ViewOf) -> None:
    for level in ("professional", "public_full", "ai_safe"):
        with_rules = view_of("resume", RESUME, level, settings=NEW, rules=RULES)
        assert with_rules == view_of("resume", RESUME, level, settings=NEW) == RESUME
        assert "email" not in view_of("resume", RESUME, "professional", rules=RULES)["contact"]
    assert view_of("resume", RESUME, "business_card", settings=NEW, rules=RULES)["contact"] == {
        "email": "***@work.example",
        "website": "https://ann.example",
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"pattern": SHIPPED[RULES[4].pattern or ""].stored + " "},
        {"privacy_level": "public_full"},
        {"field_name": "Email"},
        {"endpoint_name": "resume"},
    ],
)
def test_a_rule_that_its_owner_changed_is_obeyed_to_the_letter(
    view_of: ViewOf, changed: dict[str, str]
) -> None:
    from dataclasses import replace

    rule = replace(RULES[4], **changed)
    assert RULES[4].field_name == "email"
    assert RULES[4].is_shipped
    assert not rule.is_shipped
    assert "email" not in view_of("resume", RESUME, "professional", settings=NEW, rules=[rule])["contact"]


def test_who_released_them_is_shown_no_more_than_without_rules(view_of: ViewOf) -> None:
    for text in PRIVATE:
        for level in NAMES:
            without = view_of("ideas", {"content": text}, level, settings=NEW)
            with_rules = view_of("ideas", {"content": text}, level, settings=NEW, rules=RULES)
            assert str(with_rules).count("***") >= str(without).count("***")


# -- the way to write


@pytest.mark.parametrize(
    ("chosen", "contact"),
    [
        (None, {"email": "***@work.example", "website": "https://ann.example"}),
        ("contact.email", {"email": "ann@work.example", "website": "https://ann.example"}),
        ("email", {"email": "ann@work.example", "website": "https://ann.example"}),
        ("ann@work.example", {"email": "ann@work.example", "website": "https://ann.example"}),
        ("basics.email", {"email": "ann@work.example", "website": "https://ann.example"}),
        (
            "contact.mastodon",
            {
                "email": "***@work.example",
                "website": "https://ann.example",
                "mastodon": "@ann@social.example",
            },
        ),
        ("contact.phone", {"email": "***@work.example", "website": "https://ann.example"}),
        ("contact", {"email": "***@work.example", "website": "https://ann.example"}),
        ("nonsense", {"email": "***@work.example", "website": "https://ann.example"}),
    ],
)
def test_a_business_card_offers_the_way_to_write_that_was_chosen(
    view_of: ViewOf, chosen: str | None, contact: dict[str, str]
) -> None:
    settings = PersonSettings(releases_shipped_rules=True, preferred_contact=chosen)
    content = {**RESUME, "contact": {**RESUME["contact"], "phone": "+1 415 555 0134"}}
    card = view_of("resume", content, "business_card", settings=settings, rules=RULES)
    assert card["contact"] == contact
    assert card["name"] == "Ann Bee"
    closed = PersonSettings(releases_shipped_rules=True, preferred_contact=chosen, show_contact_info=False)
    assert "work.example" not in str(
        view_of("resume", content, "business_card", settings=closed, rules=RULES)
    )
    of_older_account = PersonSettings(preferred_contact=chosen)
    assert "work.example" not in str(
        view_of("resume", content, "business_card", settings=of_older_account, rules=RULES)
    )


def test_it_is_offered_in_a_json_resume_too(view_of: ViewOf) -> None:
    content = {"basics": {"name": "Ann", "email": "ann@work.example", "phone": "+1 415 555 0134"}}
    for chosen, mail in (("contact.email", "ann@work.example"), (None, "***@work.example")):
        settings = PersonSettings(releases_shipped_rules=True, preferred_contact=chosen)
        card = view_of("resume", content, "business_card", settings=settings, rules=RULES)
        assert card == {"basics": {"name": "Ann", "email": mail}}
