"""Models: the self-test of privacy."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.web.models.base import Answer, MayBeMissing, Stored


class LastSelftest(Answer):
    outcome: Literal["passed", "failed"]
    finished_at: Stored | None
    faults: MayBeMissing[list[str]] = Field(None, description="For admins.")


class Selftest(LastSelftest):
    started_at: Stored | None
    faults: MayBeMissing[list[str]] = None


class SelftestState(Answer):
    running: bool
    last: Selftest | None
