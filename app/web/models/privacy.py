"""Models: what a person shows of themselves: settings and rules."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from app.entries.privacy_settings import CONTACT_CHARACTERS, PATH_CHARACTERS
from app.privacy.levels import NAMES
from app.privacy.never_list import LONGEST, SHORTEST
from app.web.models.base import IS_WHOLE, Answer, Body, MayBeMissing, PageOf, Stored, form
from app.web.models.entries import Finding, Visibility
from app.web.models.parameters import LARGEST_ID

_LEVEL_OR_NONE = {"anyOf": [{"type": "string", "enum": list(NAMES)}, {"type": "null"}]}
_ACTIONS = {"type": "string", "enum": ["hide", "redact"]}
LevelOrNone = Annotated[str | None, form(**_LEVEL_OR_NONE)]
Action = Literal["hide", "redact"]
Whose = Literal["own", "installation"]


class PrivacySettings(Answer):
    show_contact_info: bool
    show_location: bool
    show_current_company: bool
    show_salary_range: bool
    show_education_details: bool
    show_personal_projects: bool
    business_card_mode: bool
    ai_assistant_access: bool
    releases_shipped_rules: bool = Field(
        description="The levels decide where rules that were shipped hid names."
    )
    privacy_level: str | None = Field(description="One's own ceiling; null: none.")
    preferred_contact: str | None
    custom_privacy_rules: dict[str, Action]
    unreadable: list[str] = Field(description="What is stored so oddly that it counts as the strictest.")
    created_at: Stored | None
    updated_at: Stored | None


class ChangedPrivacySettings(Body):
    show_contact_info: MayBeMissing[bool] = None
    show_location: MayBeMissing[bool] = None
    show_current_company: MayBeMissing[bool] = None
    show_salary_range: MayBeMissing[bool] = None
    show_education_details: MayBeMissing[bool] = None
    show_personal_projects: MayBeMissing[bool] = None
    business_card_mode: MayBeMissing[bool] = None
    ai_assistant_access: MayBeMissing[bool] = None
    releases_shipped_rules: MayBeMissing[bool] = None
    privacy_level: LevelOrNone = None
    preferred_contact: Annotated[
        str | None,
        form(anyOf=[{"type": "string", "minLength": 1, "maxLength": CONTACT_CHARACTERS}, {"type": "null"}]),
    ] = None
    custom_privacy_rules: Annotated[
        dict[str, Any] | None,
        form(
            anyOf=[
                {"type": "object", "additionalProperties": {"anyOf": [_ACTIONS, {"type": "null"}]}},
                {"type": "null"},
            ]
        ),
    ] = Field(None, description="Merged: a path with null is taken away.")


class PrivacyRule(Answer):
    id: str
    of: Whose
    path: str
    action: MayBeMissing[Action] = Field(None, description="Of one's own.")
    kind: MayBeMissing[str] = Field(None, description="Of the installation's, as all below; `*`: every kind.")
    privacy_level: str | None = None
    field_name: str | None = None
    pattern: str | None = None
    is_active: MayBeMissing[bool] = None
    created_at: Stored | None = None


class PrivacyRulePage(PageOf[PrivacyRule]):
    pass


class ChangedRule(Body):
    """Of one's own: `action`. Of the installation's: whatever else is to be another."""

    action: MayBeMissing[Annotated[str, form(**_ACTIONS)]] = None
    path: MayBeMissing[Annotated[str, form(type="string", minLength=1, maxLength=PATH_CHARACTERS)]] = None
    kind: MayBeMissing[str] = None
    privacy_level: LevelOrNone = None
    field_name: str | None = None
    pattern: str | None = None
    is_active: MayBeMissing[bool] = None


class NewRule(ChangedRule):
    """One's own, of `path` and `action`; or (admins) the installation's, of whatever else there is."""

    of: Annotated[str, form(type="string", enum=list(get_args(Whose)))] = "own"


class NeverWord(Answer):
    """A word of the never-list, without the word."""

    id: int
    length: int = Field(description="Its letters and digits.")
    privacy_level: str | None = Field(description="The widest level that may show it; null: none.")
    created_at: Stored | None


class NeverWordPage(PageOf[NeverWord]):
    pass


class NewNeverWord(Body):
    word: Annotated[str, form(type="string", minLength=SHORTEST, maxLength=2 * LONGEST)] = Field(repr=False)
    privacy_level: LevelOrNone = None


class Preview(Answer):
    """What one audience is answered."""

    audience: Literal["stranger", "assistant", "person", "key"] = Field(alias="as")
    level: str | None = Field(description="That is asked for; null: none.")
    status: Literal[200, 404]
    answer: Any = Field(description="The entry or the page; null where there is none.")
    detail: str | None = Field(description="Why there is none, as it is said.")


class PreviewPage(PageOf[Preview]):
    pass


class UnwrittenEntry(Body):
    """Content of a kind; ``entry``: one's own, in whose place it would be."""

    kind: str = Field(description="Of this kind.")
    content: dict[str, Any] = Field(description="What it must hold is in the schema of its kind.")
    entry: Annotated[int, Field(ge=1, le=LARGEST_ID), IS_WHOLE] | None = None


class DraftPreview(Answer):
    items: list[Preview]
    findings: list[Finding]
    visibility: Visibility
    is_shown_now: bool = Field(description="Whether strangers would find it now: public, no draft, its time.")


class Explained(Answer):
    """Why a field is shown or hidden at one level."""

    status: Literal["shown", "masked", "redacted", "hidden"] = Field(description="masked: a part of it.")
    reason: str
    says: str
    change: str = Field(description="What would change it; empty: nothing would.")
    also: list[str] = Field(description="Reasons for which it would be hidden still.")


class ExplainedField(Answer):
    pointer: str = Field(description="JSON Pointer.")
    levels: dict[str, Explained]


class ExplainedPage(PageOf[ExplainedField]):
    pass
