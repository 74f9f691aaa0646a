"""Which fields did 0.4.0 show of each kind, at each level, and which names did it hide?"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from app.entries.kinds import declared_paths
from app.privacy.paths import AllowLists, allow_list
from app.privacy.words import has_words, words_of

TIERS = {
    "business_card": ("business_card",),
    "professional": ("business_card", "professional"),
    "ai_safe": ("business_card", "professional", "public_full"),
    "public_full": ("business_card", "professional", "public_full"),
}
ALWAYS = ("social_security", "card_number", "bank_account", "secret", "home_mail")
MASKS = {
    "business_card": (*ALWAYS, "mail", "phone", "mail_field"),
    "professional": (*ALWAYS, "mail", "phone"),
    "ai_safe": (*ALWAYS, "mail", "phone"),
    "public_full": ALWAYS,
}
WITHOUT_PERSONAL = ("business_card", "professional", "ai_safe")

_WORDS = {
    "always": (
        "phone, mobile, cell, telephone, tel, fax, emergency, personal email, private email, home email, "
        "personal mail, home mail, address, street, apartment, apt, suite, zip, postal code, postcode, "
        "salary, wage, compensation, income, pay, payroll, earnings, bonus, net worth, bank, account, "
        "routing, iban, swift, bic, credit card, debit card, card number, cvv, tax id, ssn, social security, "
        "ein, passport, "
        "drivers license, driver license, dl number, license number, national id, visa, green card, "
        "citizenship, birthday, date of birth, birth date, dob, private, confidential, internal, secret, "
        "restricted, intimate, family only, medical, health, diagnosis, prescription, allergy, disability, "
        "password, passwd, passphrase, pin, security question, security answer, recovery, backup code, "
        "api key, access key, token, auth, credential"
    ),
    "personal": (
        "personal, family, relationship, spouse, child, children, financial, tax, religion, nationality, "
        "marital, gender"
    ),
    "contact": "email, mail, contact method, contact info, phone",
    "location": (
        "location, address, city, town, state, region, country, place, venue, timezone, latitude, longitude, "
        "coordinate, geo"
    ),
    "company": "company, employer, workplace",
    "education": "gpa, honor, honour, activity, grade, thesis, score, coursework",
    "projects": "project",
}
_UNLESS = {"private": {"repos", "repositories", "repo"}, "child": {"process"}}


def is_sensitive(name: str, groups: frozenset[str]) -> bool:
    return any(
        has_words(name, tuple(word.split())) and not _UNLESS.get(word, set()) & set(words_of(name))
        for group in groups
        for word in _WORDS[group].split(", ")
    )


@cache
def _kinds() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(__file__).parent / "kinds.json").read_text(encoding="utf-8"))
    return found


def shipped_kinds() -> frozenset[str]:
    """The kinds that had a file then."""
    return frozenset(_kinds()["kinds"])


def lists_of(kind: str, schema_text: str) -> AllowLists:
    """What strangers were shown of a kind, by level; ``schema_text`` is that of the row of a custom one."""
    said = _kinds()["kinds"].get(kind)
    common = _kinds()["common"].split()
    if said is None:
        declared = tuple(declared_paths(schema_text))
        return {
            level: allow_list((*common, *declared) if "professional" in tiers else ())
            for level, tiers in TIERS.items()
        }
    shown = {tier: said.get(tier, "").split() for tier in TIERS}
    shown["professional"] += common if said.get("common") else []
    return {
        level: allow_list(
            [path for tier in tiers for path in shown[tier]], said.get("at_most", {}).get(level)
        )
        for level, tiers in TIERS.items()
    }
