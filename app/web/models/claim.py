"""Models: what came in before the claim, and what its owner decides."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from app.entries.entry import invalid, pointer_of
from app.web.models.base import Answer, Body, PageOf, Stored, form
from app.web.models.entries import Visibility

ALL = "all"
_IDS = {"type": "array", "items": {"type": "integer", "minimum": 1}}


class Waiting(Answer):
    id: int
    kind: str
    received_at: Stored | None
    size_bytes: int = Field(ge=0)
    publishes_as: Visibility
    excerpt: str = Field(description="The beginning of its JSON text.")


class WaitingPage(PageOf[Waiting]):
    pass


class Decided(Answer):
    published: list[Waiting]
    deleted: list[int]
    left: int = Field(ge=0)


def _id(value: object) -> int:
    if not isinstance(value, int | float) or isinstance(value, bool) or value < 1 or value % 1:
        raise ValueError("must be the id of an entry")
    return int(value)


def _ids(value: object, inner: ValidatorFunctionWrapHandler) -> Any:
    if not isinstance(value, list):
        raise ValueError("must be a list of ids")
    return inner(value)


def _ids_or_all(value: object, inner: ValidatorFunctionWrapHandler) -> Any:
    if value == ALL:
        return None
    if not isinstance(value, list):
        raise ValueError('must be a list of ids or "all"')
    return inner(value)


_Id = Annotated[int, BeforeValidator(_id)]


class Decision(Body):
    """What to publish ("all": whatever is left) and what to delete."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    publish: Annotated[list[_Id] | None, WrapValidator(_ids_or_all), form(anyOf=[{"const": ALL}, _IDS])] = (
        Field(default_factory=list)
    )
    delete: Annotated[list[_Id], WrapValidator(_ids), form(**_IDS)] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _says_something(cls, value: dict[str, object]) -> dict[str, object]:
        unknown = sorted(set(value) - set(cls.model_fields))
        if unknown or not value:
            raise invalid(pointer_of(unknown[:1]), "publish and delete are what may be said here")
        return value
