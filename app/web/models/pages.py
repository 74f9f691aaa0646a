"""Models: what the addresses of pages answer as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from app.entries.page_wishes import ACCENTS, FORMATS, HEAD_LINES, KIND, KINDS_MOST, THEMES
from app.web.models.base import Answer, Body, form


class KindOnPage(Answer):
    name: str
    title: str
    url: str = Field(description="The list of it, relative to the address that was asked.")


class PersonOnPage(Answer):
    username: str
    kinds: list[KindOnPage]


def _names(*known: str) -> WithJsonSchema:
    item: dict[str, object] = {"type": "string", "pattern": f"^{KIND.pattern}$"}
    if known:
        item = {"type": "string", "enum": list(known)}
    return form(type=["array", "null"], items=item, uniqueItems=True, maxItems=KINDS_MOST)


def _word(*known: str) -> WithJsonSchema:
    return form(type=["string", "null"], enum=[*known, None])


class Wishes(Answer):
    theme: str | None
    accent: str | None
    language: str | None
    kinds: list[str] | None = Field(description="In the order of the page; the others follow.")
    kinds_left_out: list[str] | None
    head_lines: list[str] | None
    formats_off: list[str] | None


class NewWishes(Body):
    """Takes the place of what was wished; null, or left out: what a page has by itself."""

    theme: Annotated[Any, _word(*THEMES)] = None
    accent: Annotated[Any, _word(*ACCENTS)] = None
    language: Annotated[
        Any, form(type=["string", "null"], pattern="^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")
    ] = None
    kinds: Annotated[Any, _names()] = None
    kinds_left_out: Annotated[Any, _names()] = None
    head_lines: Annotated[Any, _names(*HEAD_LINES)] = None
    formats_off: Annotated[Any, _names(*FORMATS)] = None
