"""Models: share links."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.entries.share_links import LABEL_CHARACTERS, MOST_TARGETS, MOST_VIEWS
from app.privacy.levels import NAMES
from app.web.models.base import IS_WHOLE, Answer, Body, PageOf, SentMoment, Stored, form
from app.web.models.entries import Entry
from app.web.models.parameters import LARGEST_ID

_EntryId = Annotated[int, Field(ge=1, le=LARGEST_ID), IS_WHOLE]
_LEVEL = {"anyOf": [{"type": "string", "enum": list(NAMES)}, {"type": "null"}]}


class Link(Answer):
    id: int
    label: str | None
    kinds: list[str]
    entries: list[int]
    level: str | None
    views_most: int | None
    views_count: int
    expires_at: Stored | None
    created_at: Stored
    is_over: bool = Field(description="Whether it answers as a link that never was.")


class MadeLink(Link):
    url: str = Field(description="The path of what it shows; told this once.")


class LinkPage(PageOf[Link]):
    pass


class SharedEntry(Entry):
    kind: str


class SharedPage(PageOf[SharedEntry]):
    pass


class NewLink(Body):
    kinds: Annotated[list[str], Field(max_length=MOST_TARGETS)] = Field(default_factory=list)
    entries: Annotated[list[_EntryId], Field(max_length=MOST_TARGETS)] = Field(default_factory=list)
    level: Annotated[str | None, form(**_LEVEL)] = None
    expires_at: SentMoment | None = None
    views_most: Annotated[int, Field(ge=1, le=MOST_VIEWS), IS_WHOLE] | None = None
    label: Annotated[str, Field(min_length=1, max_length=LABEL_CHARACTERS)] | None = None
