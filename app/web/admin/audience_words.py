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

_LEVEL = r"(?P<level>business_card|professional|ai_safe|public_full)"
_LEVELS = r"(?P<levels>(?:business_card|professional|ai_safe|public_full|, )+)"
WHY = (
    (r"The entry is private\.", mark("The entry is private.")),
    (r"The entry is unlisted\.", mark("The entry is unlisted.")),
    (r"It is a draft: meta\.status says so\.", mark("It is a draft.")),
    (r"It was shown until (?P<time>.+) \(UTC\)\.", mark("It was shown until %(time)s (UTC).")),
    (r"It is shown from (?P<time>.+) \(UTC\) on\.", mark("It is shown from %(time)s (UTC) on.")),
    (r"The account is deactivated\.", mark("The account is deactivated.")),
    (rf"Nothing of this kind is shown at {_LEVEL}\.", mark("%(level)s shows nothing of this kind.")),
    (r"(?P<setting>\w+) is off\.", mark("%(setting)s is off.")),
    (
        r"(?P<setting>\w+) is off: nothing of this kind is shown\.",
        mark("%(setting)s is off: nothing of this kind is shown."),
    ),
    (
        rf"(?P<setting>\w+) keeps everyone below {_LEVEL}\.",
        mark("%(setting)s keeps everyone below %(level)s."),
    ),
    (r"The operator's setting PRIVACY_LEVEL\.", mark("The operator's setting PRIVACY_LEVEL.")),
    (r"Found in it: (?P<what>.+)\.", mark("Found in it: %(what)s.")),
    (r"Assistants are not let in\.", mark("Assistants are not let in.")),
    (
        rf"It is not on the list of {_LEVEL}, or beyond as many as it shows\.",
        mark("%(level)s does not have it on its list, or shows fewer of them."),
    ),
    (rf"It is on the list of {_LEVELS}\.", mark("On the list of: %(levels)s.")),
    (
        rf"It is on the list of {_LEVEL}, and nothing hides it\.",
        mark("%(level)s has it on its list, and nothing hides it."),
    ),
    (
        r"Its name is one that only public_full shows\.",
        mark("Only the level Everything public shows a field of this name."),
    ),
    (
        r"Its name says that it is private: no level shows it\.",
        mark("Its name says that it is private: no level shows it."),
    ),
    (r"Your rule for (?P<path>.+)\.", mark("Your rule for %(path)s.")),
    (r"Rule (?P<id>[0-9]+) of the installation\.", mark("Rule %(id)s of the installation.")),
    (
        r"A word of the never-list stands in it\.",
        mark("A word of your never-list stands in it."),
    ),
    (rf"{_LEVEL} shows no whole mail address\.", mark("%(level)s shows no whole mail address.")),
    (r"Several of its fields together are hidden\.", mark("Several of its fields together are hidden.")),
    (r"Another name\.", mark("Another name would change that.")),
)
"""Sentences of an explanation as the API says them, and as screens do."""

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


def why(says: str) -> str:
    """Return a sentence of an explanation in the language of the screen; one that is not known as it is."""
    for pattern, message in WHY:
        found = re.fullmatch(pattern, says)
        if found is not None:
            named = found.groupdict()
            levels = {name: _level_words(text) for name, text in named.items() if name.startswith("level")}
            return _(message, **{**named, **levels})
    return says


def _level_words(names: str) -> str:
    return ", ".join(_(LEVELS[name]) for name in names.split(", ") if name in LEVELS)


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
