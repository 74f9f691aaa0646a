"""Models: logins at a provider (OpenID Connect)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.web.models.base import Answer, Body, MayBeMissing, Stored


class Identity(Answer):
    issuer: str
    subject: str
    created_at: Stored
    last_used_at: Stored | None


class Identities(Answer):
    issuer: str | None = Field(description="The provider that is set up here; null: none is.")
    items: list[Identity]


class ProviderLogin(Answer):
    authorization_url: str = Field(description="Where the browser that got this answer's cookie goes.")


class ProviderOutcome(Answer):
    purpose: Literal["login", "link", "join", "confirm"]
    needs_code: bool = Field(description="A code of the second factor is waited for.")
    access_token: MayBeMissing[str] = None
    token_type: MayBeMissing[Literal["bearer"]] = None
    expires_in: MayBeMissing[int] = Field(None, description="Seconds.")
    refresh_token: MayBeMissing[str] = Field(None, description="Good for one use.")


class ProviderLogout(Answer):
    end_session_url: str | None = Field(description="Null: the provider names none.")


class ProviderJoin(Body):
    invitation: str
    username: str
    email: str
    full_name: str | None = None


class ProviderCode(Body):
    otp: str
