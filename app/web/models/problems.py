"""Models: what does every error look like? RFC 9457, with what a client needs to go on."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.web.models.base import Answer, MayBeMissing, form


class Fault(Answer):
    pointer: str = Field(description="A JSON Pointer into the body, or /query/ and a parameter's name.")
    detail: str


class ItemProblem(Answer):
    index: int = Field(description="Which item, from 0.")
    status: int = Field(description="What a request for it alone would have been answered.")
    code: str
    errors: list[Fault] = Field(description="With pointers into the item.")


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
    items: MayBeMissing[list[ItemProblem]] = Field(
        None, description="Of a request with several items: those that cannot be written; none was."
    )
