"""Models: what was found in a person's texts, and what of it they show."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from app.privacy.detectors.catalogue import names
from app.web.models.base import Answer, Body, PageOf, Stored, Whole, form
from app.web.models.entries import Finding
from app.web.models.parameters import LARGEST_ID

_ID_OR_NONE = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": LARGEST_ID}, {"type": "null"}]}


class OwnFinding(Finding):
    entry_id: int
    entry_kind: str


class OwnFindingPage(PageOf[OwnFinding]):
    pass


class Release(Answer):
    """null: of any entry, of any kind of entry, any contact data, any value."""

    id: int
    entry_id: int | None
    kind: str | None
    detector: str | None
    value_hash: str | None
    created_at: Stored | None


class ReleasePage(PageOf[Release]):
    pass


class Released(Answer):
    items: list[Release]


class NewRelease(Body):
    """`release` of a finding; or `entry_id`, `kind` and `detector`, `detector`: null is any contact data."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    entry_id: Annotated[Whole | None, form(**_ID_OR_NONE)] = None
    kind: str | None = Field(None, description="Of entries.")
    detector: Annotated[
        str | None, form(anyOf=[{"type": "string", "enum": list(names())}, {"type": "null"}])
    ] = Field(None, description="`kind` of a finding; null: mail addresses, telephone and network numbers.")
    value_hash: str | None = Field(None, description="Of a finding; with entry_id and detector.")
