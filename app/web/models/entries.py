"""Models: entries and their kinds. What the content of a kind must hold says the schema of the kind."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, RootModel

from app.web.models.base import Answer, MayBeMissing, PageOf, Stored

Visibility = Literal["public", "unlisted", "private"]


class Entry(Answer):
    id: int
    content: Any = None
    meta: Any = None
    data: Any = Field(description="The whole entry, as far as the caller may see it.")
    created_at: Stored | None
    updated_at: Stored | None
    visibility: MayBeMissing[Visibility] = Field(None, description="For its owner and admins.")
    owner: str | None = Field(None, description="For its owner and admins.")
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
