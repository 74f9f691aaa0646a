"""Models: the audit and the journal."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from app.web.models.base import Answer, PageOf, Stored


class AuditRow(Answer):
    id: int
    created_at: Stored | None
    action: str
    table_name: str
    record_id: Any = Field(description="Of that table; 0: no one's.")
    user_id: int | None = Field(description="Who did it.")
    username: str | None
    api_key_id: int | None
    ip_address: str | None
    user_agent: str | None
    old_values: Any
    new_values: Any


class AuditPage(PageOf[AuditRow]):
    pass


class JournalLine(Answer):
    event: str
    at: str
    database: str
    tool_version: str
    from_version: str | None
    to_version: str | None
    backup: str | None
    message: str
    details: dict[str, Any]
    by: dict[str, Any] = Field(description="Who ran it: user, uid, sudo_user.")


class JournalPage(PageOf[JournalLine]):
    pass
