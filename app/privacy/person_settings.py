"""Privacy settings of a person. What have they decided about what strangers see?

Read from stored rows, on the strict side where one is odd.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.privacy.levels import LEVELS, STRICTEST, effective_level, members

HIDE = "hide"
REDACT = "redact"

GROUP_OF = {
    "show_contact_info": "contact",
    "show_location": "location",
    "show_current_company": "company",
    "show_education_details": "education",
    "show_personal_projects": "projects",
}
_CLOSED_WITHOUT = {"show_contact_info": "contact_info", "show_personal_projects": "projects"}
COLUMNS = (*GROUP_OF, "show_salary_range", "business_card_mode", "ai_assistant_access")


@dataclass(frozen=True)
class PersonSettings:
    """A person's decisions. The default is that of a row with the old server's defaults, and that of no
    row at all.

    ``show_salary_range`` is kept and shows nothing: salaries are on no level's list.
    ``privacy_level`` is the person's own ceiling, None for none. ``custom_rules`` are (path, "hide" or
    "redact"). ``releases_shipped_rules``: the rules that Daemon ships hide no fields by their names, and in
    texts what detectors find, as of everyone whose account 0.5.0 or a later version made.
    ``preferred_contact`` is the path of the way to write that a business card shows whole.
    """

    show_contact_info: bool = True
    show_location: bool = True
    show_current_company: bool = True
    show_salary_range: bool = False
    show_education_details: bool = True
    show_personal_projects: bool = True
    business_card_mode: bool = False
    ai_assistant_access: bool = True
    privacy_level: str | None = None
    custom_rules: tuple[tuple[str, str], ...] = field(default=())
    releases_shipped_rules: bool = False
    preferred_contact: str | None = None

    @property
    def hidden_groups(self) -> frozenset[str]:
        """The groups of fields.py that the person does not show."""
        return frozenset(group for name, group in GROUP_OF.items() if not getattr(self, name))

    def closes(self, kind: str) -> bool:
        """Whether the person shows nothing of this kind: contact_info, projects."""
        return any(kind == closed and not getattr(self, name) for name, closed in _CLOSED_WITHOUT.items())

    def level_for(self, asked: str | None, ceiling: str, *, is_assistant: bool = False) -> str | None:
        """Return the level at which a stranger sees this person, None for nothing at all.

        Raises UnknownLevel for an unknown ``asked`` or ``ceiling``; an unknown ceiling of the person's
        own is the strictest. Who lets no assistant in is not there for one, and wherever ``ai_safe`` is
        what was asked for or what binds.
        """
        own = _ceiling(self.privacy_level)
        card = STRICTEST if self.business_card_mode else None
        level = effective_level(asked, ceiling, own, card)
        for_assistants = "ai_safe" in (asked, *members(ceiling), *members(own or ceiling))
        is_for_one = is_assistant or for_assistants
        return None if is_for_one and not self.ai_assistant_access else level


DEFAULT = PersonSettings()


def read_settings(rows: Iterable[Mapping[str, Any]]) -> PersonSettings:
    """Return what a person's rows of user_privacy_settings decide together: the strictest of each.

    No row at all is DEFAULT.
    """
    result: PersonSettings | None = None
    for row in rows:
        mine = _read_row(row)
        result = mine if result is None else _stricter(result, mine)
    return result or DEFAULT


def _read_row(row: Mapping[str, Any]) -> PersonSettings:
    rules, odd = read_custom_rules(row.get("custom_privacy_rules"))
    level, contact = row.get("privacy_level"), row.get("preferred_contact")
    return PersonSettings(
        **{name: _is(row.get(name), 1) for name in GROUP_OF},
        show_salary_range=_is(row.get("show_salary_range"), 1),
        business_card_mode=odd or not _is(row.get("business_card_mode"), 0),
        ai_assistant_access=_is(row.get("ai_assistant_access"), 1),
        privacy_level=level if level is None else str(level),
        custom_rules=rules,
        releases_shipped_rules=_is(row.get("releases_shipped_rules"), 1),
        preferred_contact=contact if isinstance(contact, str) else None,
    )


def _is(value: object, wanted: int) -> bool:
    return isinstance(value, int) and value == wanted


def _stricter(one: PersonSettings, other: PersonSettings) -> PersonSettings:
    shows = {name: getattr(one, name) and getattr(other, name) for name in (*GROUP_OF, "show_salary_range")}
    return replace(
        one,
        **shows,
        business_card_mode=one.business_card_mode or other.business_card_mode,
        ai_assistant_access=one.ai_assistant_access and other.ai_assistant_access,
        privacy_level=_lower(one.privacy_level, other.privacy_level),
        custom_rules=one.custom_rules + other.custom_rules,
        releases_shipped_rules=one.releases_shipped_rules and other.releases_shipped_rules,
        preferred_contact=one.preferred_contact if one.preferred_contact == other.preferred_contact else None,
    )


def _lower(one: str | None, other: str | None) -> str | None:
    return effective_level(None, _ceiling(one), _ceiling(other)) if one and other else one or other


def _ceiling(level: str | None) -> str | None:
    """A person's ceiling: none for none, the strictest for a word that no level has."""
    if level is None:
        return None
    return level if all(name in LEVELS for name in level.split("+")) else STRICTEST


def read_custom_rules(stored: object) -> tuple[tuple[tuple[str, str], ...], bool]:
    """Return the rules of a stored custom_privacy_rules, and whether it is so odd that nothing can be
    made of it.

    An object of path -> action is read as such; an action other than "redact" hides. A list of paths
    hides these.
    """
    if stored is None or stored == "":
        return (), False
    try:
        value = json.loads(stored) if isinstance(stored, str) else stored
    except (ValueError, RecursionError):
        return (), True
    if value is None:
        return (), False
    if isinstance(value, dict):
        return tuple((path, REDACT if action == REDACT else HIDE) for path, action in value.items()), False
    if isinstance(value, list) and all(isinstance(path, str) for path in value):
        return tuple((path, HIDE) for path in value), False
    return (), True
