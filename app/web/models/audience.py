"""Models: what each level shows of one's own kinds, and what settings would change of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.entries.audience import COUNTED_MOST
from app.web.models.base import Answer, PageOf
from app.web.models.privacy import Explained

Fate = Literal["shown", "masked", "hidden"]


class KindAtLevel(Answer):
    entries: int = Field(description="That strangers find at this level.")
    shows: Literal["nothing", "some", "all"] = Field(description="Of the fields that the kind can show.")
    fields: int
    fields_most: int


class KindAudience(Answer):
    kind: str
    title: str
    is_open: bool = Field(description="Whether strangers may know of the kind.")
    entries: int = Field(description=f"One's own; {COUNTED_MOST} are counted at most.")
    public: int = Field(description="Of these, what strangers may find.")
    levels: dict[str, KindAtLevel]


class AudiencePage(PageOf[KindAudience]):
    pass


class KindField(Answer):
    path: str = Field(description="As rules name it.")
    levels: dict[str, Explained]


class FieldPage(PageOf[KindField]):
    pass


class FateChange(Answer):
    before: Fate = Field(alias="from")
    after: Fate = Field(alias="to")


class FieldChange(Answer):
    kind: str
    path: str
    levels: dict[str, FateChange] = Field(description="Those at which it would be another.")


class ChangePage(PageOf[FieldChange]):
    pass
