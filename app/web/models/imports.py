"""Models: what came in from elsewhere."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from app.formats.json_text import CHOICES
from app.web.models.base import Answer, Body, MayBeMissing, PageOf, Stored

Doubled = Literal["first", "last", "both"]
assert set(CHOICES) == {"first", "last", "both"}


class ImportSource(Body):
    name: str = Field(min_length=1, max_length=255, description="The name of the file: its end says a lot.")
    text: MayBeMissing[str] = Field(None, description="The file, where it is a text in UTF-8.")
    base64: MayBeMissing[str] = Field(None, description="The file, or a ZIP of files, in Base64 (RFC 4648).")
    kind: MayBeMissing[str] = Field(None, description="Where it goes, if its format does not say it.")
    columns: MayBeMissing[dict[str, str]] = Field(None, description="What the columns of a CSV file are.")
    encoding: MayBeMissing[str] = Field(None, description="Of texts that are not UTF-8.")
    doubled: MayBeMissing[Doubled] = Field(None, description="What counts where a key stands twice.")
    dry_run: MayBeMissing[bool] = Field(None, description="Only say what would be added.")
    without_unfit: MayBeMissing[bool] = Field(None, description="Leave out what does not fit its kind.")
    passphrase: MayBeMissing[str] = Field(
        None, repr=False, description="Of another Daemon's export: opens the words of its never-list."
    )


class ArchiveWanted(Body):
    passphrase: MayBeMissing[str] = Field(
        None,
        repr=False,
        description="With it the words of the never-list come along, encrypted.",
    )


class LeftOutPart(Answer):
    place: str
    why: str


class ImportItem(Answer):
    place: str = Field(description="Where it is in the source.")
    action: Literal["add", "here", "changed", "unfit", "erased"] = Field(
        description="erased: it was, here and for good, and is left out."
    )
    kind: str
    visibility: str
    id: int | None = Field(description="Of the entry; null where there is none yet.")
    slug: str | None
    why: str | None
    left_out: list[LeftOutPart]
    strangers_see: dict[str, Any] | None = Field(description="By level; null where nothing is added.")


class ImportAnswer(Answer):
    id: int | None = Field(description="Of the import; null where nothing was written.")
    format: str
    username: str
    items: list[ImportItem]
    left_out: list[LeftOutPart]


class Import(Answer):
    id: int
    format: str
    label: str | None
    created_at: Stored
    undone_at: Stored | None
    entries_count: int = Field(description="Of those that are there, deleted ones too.")
    erased_count: int = Field(
        description="Of those that were erased for good since; undoing leaves them out."
    )


ImportPage = PageOf[Import]
