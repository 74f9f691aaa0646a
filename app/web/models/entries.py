"""Models: entries and their kinds. What the content of a kind must hold says the schema of the kind."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, RootModel

from app.web.models.base import Answer, MayBeMissing, PageOf, Stored

Visibility = Literal["public", "unlisted", "private"]


class FindingRelease(Answer):
    entry_id: int
    detector: str
    value_hash: str


class Finding(Answer):
    pointer: str = Field(description="JSON Pointer of the text, the number, or the member with the name.")
    in_name: bool = Field(description="Whether it is in the name of the member.")
    kind: str = Field(description="What was found: mail, phone, card, secret and so on.")
    start: int = Field(description="In code points.")
    end: int
    value_hash: str = Field(description="Names the value that was found, and can be told from nothing else.")
    levels: dict[str, Literal["shown", "hidden", "left out"]] = Field(
        description="What strangers are shown of it at each level; left out: with its whole field."
    )
    released: int | None = Field(description="The release because of which it is shown.")
    release: FindingRelease | None = Field(description="What to POST to /api/v1/privacy/releases.")
    hint: str


class Warning(Answer):
    pointer: str = Field(description="JSON Pointer of the member; of several elements that of the first.")
    detail: str


class Entry(Answer):
    id: int
    content: Any = None
    meta: Any = None
    data: Any = Field(description="The whole entry, as far as the caller may see it.")
    created_at: Stored | None
    updated_at: Stored | None
    visibility: MayBeMissing[Visibility] = Field(None, description="For its owner and admins.")
    owner: str | None = Field(None, description="For its owner and admins.")
    slug: MayBeMissing[str] = Field(None, description="For its owner and admins, if it has one.")
    findings: MayBeMissing[list[Finding]] = Field(
        None, description="For its owner: what was found in its texts, and who is shown it."
    )
    warnings: MayBeMissing[list[Warning]] = Field(
        None, description="For its owner: members that no stranger sees at any level."
    )
    stored_text: MayBeMissing[str] = Field(
        None, description="For its owner and admins, where what an older server stored is not JSON."
    )


class Page(PageOf[Entry]):
    pass


class Kind(Answer):
    name: str
    title: str | None
    description: str | None
    json_schema: Any = Field(alias="schema", description="The JSON Schema of what can be written.")
    is_public: bool
    is_active: bool
    is_builtin: bool
    created_at: Stored | None


class KindPage(PageOf[Kind]):
    pass


class Content(RootModel[dict[str, Any]]):
    """What it must hold is in the schema of its kind: GET /api/v1/endpoints/{name}."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"content": "# An idea", "meta": {"title": "An idea"}}]}
    )
