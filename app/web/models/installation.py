"""Models: how an installation is set up, and what of it is old or dangerous."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.web.models.base import Answer, PageOf


class Setting(Answer):
    name: str
    value: str | None = Field(description="As it is obeyed; null: none, or a secret, which is not told.")
    source: Literal["environment", ".env", "default"] = Field(description="Where it is said.")
    default: str
    unit: str
    allowed: str
    help: str
    is_secret: bool


class SettingPage(PageOf[Setting]):
    pass


class FoundByDoctor(Answer):
    code: str
    severity: Literal["danger", "old", "advice"]
    message: str
    hint: str = Field(description="What to type, on the machine.")
    can_be_fixed: bool = Field(description="Whether `daemon doctor --fix` mends it.")


class FoundPage(PageOf[FoundByDoctor]):
    pass
