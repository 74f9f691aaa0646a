"""Models: API keys."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.accounts.api_keys import NAME_CHARACTERS
from app.web.models.base import Answer, Body, MayBeMissing, PageOf, SentMoment, Stored, form


class Key(Answer):
    id: int
    name: str
    can_write: bool
    is_active: bool
    expires_at: Stored | None
    last_used: Stored | None
    created_at: Stored | None


class MadeKey(Key):
    key: str = Field(description="Told this once.")


class KeyPage(PageOf[Key]):
    pass


class NewKey(Body):
    name: Annotated[str, form(type="string", minLength=1, maxLength=NAME_CHARACTERS)]
    can_write: bool = False
    expires_at: SentMoment | None = None


class ChangedKey(Body):
    can_write: MayBeMissing[bool] = None
