"""Models: API keys."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.accounts.api_keys import NAME_CHARACTERS
from app.accounts.key_scope import Verb
from app.web.models.base import Answer, Body, MayBeMissing, PageOf, SentMoment, Stored, form


class Key(Answer):
    id: int
    name: str
    prefix: str | None = Field(description="How its text begins; null for a key of an older version.")
    can_write: bool
    verbs: list[Verb]
    kinds: list[str] | None = Field(description="Of which kinds; null: of every kind.")
    privacy_level: str | None = Field(
        description="It sees what strangers see at this level at most; null: what its owner sees."
    )
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
    verbs: MayBeMissing[list[Verb]] = None
    kinds: list[str] | None = None
    privacy_level: str | None = None
    expires_at: SentMoment | None = None


class ChangedKey(Body):
    can_write: MayBeMissing[bool] = None
