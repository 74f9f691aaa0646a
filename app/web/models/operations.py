"""Models: what one is told of operations that one began."""

from __future__ import annotations

from pydantic import Field

from app.web.models.base import Answer, Moment, PageOf


class OperationFile(Answer):
    name: str
    size_bytes: int | None
    sha256: str | None


class Operation(Answer):
    id: int
    name: str = Field(description="What is done: backup, and the like.")
    state: str = Field(description="running, done or failed.")
    done_count: int | None = Field(description="So many steps are done.")
    total_count: int | None = Field(description="Of so many; null: not known.")
    created_at: Moment | None
    finished_at: Moment | None
    expires_at: Moment | None = Field(description="So long it can be asked about.")
    file: OperationFile | None = Field(description="What it left; null: no file.")
    fault: str | None = Field(description="Why it failed.")


class OperationPage(PageOf[Operation]):
    pass


class LossPreview(Answer):
    state: str = Field(description="running, done or failed.")
    began_at: Moment
    backup: str | None = Field(description="What would be put back; null: an upgrade would be taken back.")
    lines: list[str] = Field(description="What would change, in sentences; of a failed one, why.")
    word: str = Field(description="What people are asked to type to confirm it; empty: it cannot be done.")
