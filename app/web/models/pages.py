"""Models: what the addresses of pages answer as JSON."""

from __future__ import annotations

from pydantic import Field

from app.web.models.base import Answer


class KindOnPage(Answer):
    name: str
    title: str
    url: str = Field(description="The list of it, relative to the address that was asked.")


class PersonOnPage(Answer):
    username: str
    kinds: list[KindOnPage]
