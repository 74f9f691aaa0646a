"""Models: how the server stands, what it is, what its problems mean."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, RootModel

from app.web.models.base import Answer, MayBeMissing, Moment
from app.web.models.privacy_selftest import LastSelftest

Closed = Literal["starting", "maintenance", "upgrading", "yielding", "stopping"]


class DatabaseState(Answer):
    state: str
    version: str


class Places(Answer):
    database: str
    backups: str
    logs: str


class TextSearch(Answer):
    looked_at: int = Field(description="So many entries were looked at in this round.")
    entries: int
    is_done: bool = Field(description="Whether all texts were searched with these detectors once.")


class SearchIndex(Answer):
    looked_at: int = Field(description="So many entries were looked at in this round.")
    entries: int
    waiting: int = Field(description="So many were written and are not found as they are now yet.")
    is_done: bool = Field(description="Whether every entry was looked at once since the server began.")


class Health(Answer):
    status: Literal["healthy", "degraded"] | Closed
    version: str
    database: DatabaseState
    timestamp: Moment
    uptime_seconds: float = Field(ge=0)
    writable: bool
    detail: MayBeMissing[str] = None
    hint: MayBeMissing[str] = Field(None, description="The command to type.")
    progress: MayBeMissing[dict[str, Any]] = None
    places: MayBeMissing[Places] = Field(None, description="For admins.")
    text_search: MayBeMissing[TextSearch] = Field(None, description="For admins.")
    search_index: MayBeMissing[SearchIndex] = Field(None, description="For admins.")
    privacy_selftest: MayBeMissing[LastSelftest] = Field(
        None, description="How the last self-test of privacy ended; at /health/ready."
    )


class Live(Answer):
    status: Literal["alive"]
    version: str


class Root(Answer):
    name: str
    version: str
    description: str
    links: dict[str, str]


class Readable(Answer):
    name: str
    description: str | None
    url: str


class SystemInfo(Answer):
    name: str
    version: str
    database_version: str
    mode: Literal["single_user", "multi_user"]
    privacy_level: str
    endpoint_pattern: str
    endpoints: list[Readable]
    total_endpoints: int


class Done(Answer):
    at: str
    what: str
    version: str | None
    from_version: str | None
    backup: str | None
    by: str
    hidden: dict[str, int] = Field(description="How many entries it hid from strangers, by kind.")


class UpgradeState(Answer):
    state: Literal["ready"] | Closed
    database_version: str
    newest_version: str
    detail: MayBeMissing[str] = None
    hint: MayBeMissing[str] = Field(None, description="The command to type.")
    progress: MayBeMissing[dict[str, Any]] = None
    history: MayBeMissing[list[Done]] = Field(None, description="For admins: what was done, newest first.")


class Meaning(Answer):
    code: str
    meaning: str


class Object(RootModel[dict[str, Any]]):
    pass
