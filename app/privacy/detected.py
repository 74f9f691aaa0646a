"""Detected spans (PII, secrets). Which mask hides what was found, and what may its owner release together?

A finding's `detector` is the name of a detector's data file; or ``old_`` and the name of a mask of
masks.py; or ``rule_`` and the name of a rule that Daemon ships (shipped.py), whose rows say whether it hides;
or ``never_list``, a word of the person's own list: with ``:`` and a level, the word may be shown there and
below.
"""

from __future__ import annotations

from typing import Final

OLD: Final = "old_"
RULE: Final = "rule_"
NEVER_LIST: Final = "never_list"

MASK_OF: dict[str, str] = {
    **dict.fromkeys(("us_ssn", "id_"), "social_security"),
    **dict.fromkeys(("birth_date", "coordinates", "street_address"), "private_fact"),
    **dict.fromkeys(("ip", "mac"), "network"),
    "card": "card_number",
    "iban": "bank_account",
    "secret": "secret",
    "mail": "mail",
    "phone": "phone",
}

_KIND_OF_MASK = {
    "social_security": "us_ssn",
    "card_number": "card",
    "bank_account": "iban",
    "home_mail": "mail",
}

CONTACT_KINDS = frozenset({"mail", "phone", "ip", "mac"})
"""What a release that names no detector covers; all else is released by its name."""

ONE_BY_ONE = ("secret", "card", "iban", "us_ssn", "id_")
"""Kinds (national ids by their first letters) of which a release names the value and the entry."""


def mask_of(detector: str) -> str:
    """Return the mask that hides what a detector finds; national ids are id_ and a country."""
    if detector.startswith(OLD):
        return detector.removeprefix(OLD)
    return MASK_OF["id_" if detector.startswith("id_") else detector]


def kind_of(detector: str) -> str:
    """Return what a finding is called where its owner reads and releases it: the name of a detector."""
    if detector.startswith(OLD):
        mask = detector.removeprefix(OLD)
        return _KIND_OF_MASK.get(mask, mask)
    return NEVER_LIST if detector.startswith(NEVER_LIST) else detector


def is_released_one_by_one(kind: str) -> bool:
    """Whether a release of this kind has to name value and entry: secrets, and numbers of a person."""
    return kind.startswith(ONE_BY_ONE)
