"""Reasons of an explanation in words. What does each name of a reason say, and what would change it?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from app import clock
from app.entries.endpoints import Endpoint
from app.entries.shown_times import NOT_YET
from app.privacy.person_settings import GROUP_OF, PersonSettings

_SETTINGS = "PATCH /api/v1/privacy/settings {}"
_SETTING_OF_GROUP = {group: name for name, group in GROUP_OF.items()}


class Said(NamedTuple):
    """A reason: its name for programs, a sentence, and what would change it ("" where nothing would)."""

    reason: str
    says: str
    change: str = ""


@dataclass(frozen=True)
class Facts:
    """What the sentences name."""

    endpoint: Endpoint
    entry_id: int
    level: str
    settings: PersonSettings

    @property
    def address(self) -> str:
        """The address of the entry."""
        return f"/api/v1/{self.endpoint.name}/{self.entry_id}"


def patch_settings(**values: Any) -> str:
    """Return the request that changes a person's settings."""
    return _SETTINGS.format(json.dumps(values))


def not_public(facts: Facts, visibility: str) -> Said:
    """Return what is said of an entry that strangers know nothing of."""
    change = f'PATCH {facts.address} {{"visibility": "public"}}'
    return Said("visibility", f"The entry is {visibility}.", change)


def not_its_time(facts: Facts, shown_from: object, shown_until: object) -> Said:
    """Return what is said of a public entry that is a draft, or not at its time."""
    change = 'PATCH {} {{"meta": {{"{}": null}}}}'.format
    if shown_from == NOT_YET:
        return Said("draft", "It is a draft: meta.status says so.", change(facts.address, "status"))
    if shown_until is not None and str(shown_until) <= clock.stored(clock.now()):
        says = f"It was shown until {shown_until} (UTC)."
        return Said("expires_at", says, change(facts.address, "expires_at"))
    return Said("publish_at", f"It is shown from {shown_from} (UTC) on.", change(facts.address, "publish_at"))


def kind_not_open(facts: Facts) -> Said:
    """Return what is said where strangers know nothing of the kind."""
    return Said("kind", f"The kind {facts.endpoint.name} is not public here; its entries are no one else's.")


def not_active() -> Said:
    """Return what is said where the account is deactivated, or the entry belongs to no account."""
    return Said("account", "The account is deactivated.", "daemon user activate NAME")


def nothing_at_level(facts: Facts) -> Said:
    """Return what is said where a level shows nothing of the kind, or nothing of the person."""
    closing = {"contact_info": "show_contact_info", "projects": "show_personal_projects"}
    name = closing.get(facts.endpoint.name, "")
    if facts.settings.closes(facts.endpoint.name):
        return Said(
            "setting", f"{name} is off: nothing of this kind is shown.", patch_settings(**{name: True})
        )
    return Said("level", f"Nothing of this kind is shown at {facts.level}.")


def no_assistants() -> Said:
    """Return what is said where the person lets no assistant in."""
    change = patch_settings(ai_assistant_access=True)
    return Said("ai_assistant_access", "Assistants are not let in.", change)


def ceiling(facts: Facts, name: str) -> Said:
    """Return what is said where a ceiling below the level that is asked for hides."""
    says = f"{name} keeps everyone below {facts.level}."
    if name == "PRIVACY_LEVEL":
        return Said("ceiling", says, "The operator's setting PRIVACY_LEVEL.")
    value = False if name == "business_card_mode" else None
    return Said("setting", says, patch_settings(**{name: value}))


def not_on_list(facts: Facts, levels: list[str]) -> Said:
    """Return what is said of a field that is not on the level's list; ``levels`` have it on theirs."""
    says = f"It is not on the list of {facts.level}, or beyond as many as it shows."
    change = f"It is on the list of {', '.join(levels)}." if levels else ""
    return Said("list", says, change)


def name_hidden(group: str) -> Said:
    """Return what is said of a field whose name says that it is private."""
    if group in _SETTING_OF_GROUP:
        setting = _SETTING_OF_GROUP[group]
        return Said("setting", f"{setting} is off.", patch_settings(**{setting: True}))
    if group == "personal":
        return Said("name", "Its name is one that only public_full shows.")
    return Said("name", "Its name says that it is private: no level shows it.", "Another name.")


def own_rule(path: str) -> Said:
    """Return what is said where a rule of the person's own hides."""
    return Said("own_rule", f"Your rule for {path}.", f"DELETE /api/v1/privacy/rules/own:{path}")


def installation_rule(rule_id: object) -> Said:
    """Return what is said where a rule of the installation hides."""
    change = f'An admin: PATCH /api/v1/privacy/rules/{rule_id} {{"is_active": false}}'
    return Said("rule", f"Rule {rule_id} of the installation.", change)


def found(facts: Facts, kind: str, value_hash: str) -> Said:
    """Return what is said of a text in which something was found."""
    if kind == "never_list":
        change = "DELETE /api/v1/privacy/never-list/ID of that word."
        return Said("never_list", "A word of the never-list stands in it.", change)
    body = {"entry_id": facts.entry_id, "detector": kind, "value_hash": value_hash}
    return Said("finding", f"Found in it: {kind}.", f"POST /api/v1/privacy/releases {json.dumps(body)}")


def mail_on_card(facts: Facts) -> Said:
    """Return what is said of a mail address whose name part is masked."""
    return Said("mail_field", f"{facts.level} shows no whole mail address.")


def combined() -> Said:
    """Return what is said where several things hide only together."""
    return Said("several", "Several of its fields together are hidden.")


def shown(facts: Facts, pointer: str) -> Said:
    """Return what is said of a field that is shown: why, and what would hide it."""
    path = ".".join(token for token in pointer.split("/")[1:] if not token.isdigit())
    body = json.dumps({"path": path.replace("~1", "/").replace("~0", "~"), "action": "hide"})
    says = f"It is on the list of {facts.level}, and nothing hides it."
    return Said("list", says, f"POST /api/v1/privacy/rules {body}")
