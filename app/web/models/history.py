"""Models: earlier states of entries, what was deleted and erased."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from app.web.models.base import Answer, MayBeMissing, PageOf, Stored
from app.web.models.entries import Visibility


class Revision(Answer):
    number: int = Field(description="From 1 on; the highest one is the present state.")
    is_current: bool
    is_deleted: bool = Field(description="Whether the entry was deleted in this state.")
    written_at: Stored | None
    ended_at: Stored | None = Field(
        description="When another state took its place; null: it is the present one."
    )
    visibility: Visibility
    slug: str | None
    size_bytes: int


class RevisionPage(PageOf[Revision]):
    pass


class WholeRevision(Revision):
    data: Any
    stored_text: MayBeMissing[str] = Field(None, description="Where what was stored is not JSON.")


class Difference(Answer):
    pointer: str = Field(description="JSON Pointer into `data`.")
    change: Literal["added", "removed", "changed"]
    before: Any = None
    after: Any = None
    lines: MayBeMissing[list[str]] = Field(
        None, description="Of two texts of several lines: a unified difference."
    )


class Beside(Answer):
    name: Literal["visibility", "slug", "is_deleted"]
    before: Any
    after: Any


class Compared(Answer):
    earlier: int = Field(alias="from")
    later: int = Field(alias="to")
    differences: list[Difference]
    beside: list[Beside]


class DeletedEntry(Answer):
    id: int
    kind: str
    excerpt: str = Field(description="How what is stored begins.")
    size_bytes: int
    created_at: Stored | None
    deleted_at: Stored | None


class DeletedPage(PageOf[DeletedEntry]):
    pass


class OwnEntry(Answer):
    id: int
    kind: str
    title: str | None
    excerpt: str = Field(description="How its text begins, for one that has no title.")
    visibility: Visibility
    is_shown_now: bool = Field(description="Public, no draft, and within its times.")
    unheard: list[Literal["status", "publish_at", "expires_at"]] = Field(
        description="Words of `meta`, from before 0.7.0, that would hide it once it is written again."
    )
    created_at: Stored | None
    updated_at: Stored | None


class OwnEntryPage(PageOf[OwnEntry]):
    pass


class Holder(Answer):
    name: str
    made_at: str
    until: str | None = Field(description="When retention removes it; null: it does not.")
    note: str = Field(description="Why it may stay for longer; empty: it does not.")


class Receipt(Answer):
    entry_id: int
    created_at: Stored | None
    erased_at: str
    is_scrubbed: bool = Field(
        description="Whether the database was written anew since, so that no free page holds anything of it."
    )
    backups: list[Holder] = Field(description="Which backups may hold it, and until when.")
    files: list[str] = Field(
        description="Which files beside the database may hold it: for an admin to look at."
    )


class ReceiptPage(PageOf[Receipt]):
    pass


class AiRead(Answer):
    read_at: Stored
    client: str | None = Field(description="What the program that asked calls itself.")
    client_version: str | None
    key_id: int | None = Field(description="The API key that it had; null: it asked as anyone may.")
    tool: str
    kind: str | None
    fields: list[str] = Field(description="Names of the members that it was answered; never a value.")
    entry_count: int
    hidden_count: int = Field(description="How many parts of texts it was not shown.")


class AiReadPage(PageOf[AiRead]):
    pass
