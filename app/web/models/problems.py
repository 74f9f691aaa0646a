"""Models: what does every error look like? RFC 9457, with what a client needs to go on."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.web.models.base import Answer, form


class Fault(Answer):
    pointer: str = Field(description="A JSON Pointer into the body, or /query/ and a parameter's name.")
    detail: str


class Problem(Answer):
    type: Annotated[str, form(type="string", format="uri-reference")]
    title: str
    status: int
    detail: str
    instance: str
    code: str
    hint: str = Field(description="What to do next; may be empty.")
    request_id: str
    errors: list[Fault]
