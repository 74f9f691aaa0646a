"""Words for audiences. How are levels, fates of fields and changes of settings said on screens?"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple
from urllib.parse import quote

from app.privacy.levels import NAMES
from app.web.admin.language import _, mark

LEVELS = {
    "business_card": mark("Business card"),
    "professional": mark("Professional"),
    "ai_safe": mark("Assistants"),
    "public_full": mark("Everything public"),
}
assert tuple(LEVELS) == NAMES
FATES = {
    "shown": mark("shown"),
    "masked": mark("partly"),
    "redacted": mark("redacted"),
    "hidden": mark("hidden"),
    "left out": mark("left out"),
}
SWITCHES = {
    "ai_assistant_access": mark("Let AI assistants in"),
    "show_contact_info": mark("Show ways to reach me"),
    "show_location": mark("Show where I am"),
    "show_current_company": mark("Show the company of my present job"),
    "show_education_details": mark("Show grades, honours and theses"),
    "show_personal_projects": mark("Show my projects"),
    "business_card_mode": mark("Show nothing but my business card"),
}
"""The switches of a person, as screens name them."""

_CHANGE = re.compile(r"(PATCH|POST|DELETE) (/api/v1/[^ {}]+)(?: (\{.*\}))?")
_OWN = re.compile(r"/api/v1/(privacy/(settings|releases|rules|rules/own:.+)|[a-z0-9_~]+/[0-9]+)")


class Change(NamedTuple):
    """The one request that would change what a reason says."""

    method: str
    path: str
    json: Any


def level_names() -> dict[str, str]:
    """Return what each level is called here."""
    return {level: _(words) for level, words in LEVELS.items()}


def fate_names() -> dict[str, str]:
    """Return what each fate of a field is called here."""
    return {fate: _(words) for fate, words in FATES.items()}


def change_of(said: str) -> Change | None:
    """Return the request that an explanation names; None where it is no request that one can send oneself."""
    found = _CHANGE.fullmatch(said)
    if found is None or _OWN.fullmatch(found[2]) is None:
        return None
    path, own, rule = found[2].partition("/rules/own:")
    address = f"{path}/rules/{quote(f'own:{rule}', safe='')}" if own else found[2]
    return Change(found[1], address, None if found[3] is None else json.loads(found[3]))


def words_of_change(change: Change) -> str:
    """Return what a button for it says."""
    if change.method == "DELETE":
        return _("Take the rule away")
    if change.path.endswith("/rules"):
        return _("Hide it")
    if change.path.endswith("/releases"):
        return _("Release what was found")
    if change.path.endswith("/settings"):
        name = next(iter(change.json), "")
        return _("Change the setting: %(name)s", name=_(SWITCHES[name]) if name in SWITCHES else name)
    return _("Change the entry")
