"""Models: what a search finds."""

from __future__ import annotations

from pydantic import Field

from app.web.models.base import Answer, MayBeMissing, PageOf, Stored
from app.web.models.entries import Visibility


class Snippet(Answer):
    pointer: str = Field(description="JSON Pointer of the text in `data`.")
    text: str = Field(description="A part of it, as plain text.")
    hits: list[list[int]] = Field(description="Where in `text` a hit begins and ends, in code points.")
    is_begin: bool = Field(description="Whether nothing is before it.")
    is_end: bool = Field(description="Whether nothing is behind it.")


class Hit(Answer):
    id: int
    kind: str = Field(description="The whole entry is at /api/v1/{kind}/{id}.")
    title: str | None
    date: str | None = Field(description="The date that the entry says it is of, as it says it.")
    snippets: list[Snippet]
    created_at: Stored | None
    updated_at: Stored | None
    visibility: MayBeMissing[Visibility] = Field(None, description="For its owner and admins.")
    owner: str | None = Field(None, description="For its owner and admins.")
    slug: MayBeMissing[str] = Field(None, description="For its owner and admins, if it has one.")


class HitPage(PageOf[Hit]):
    pending: bool = Field(
        description="Whether the index is being made for the first time, so that there may be more."
    )
