"""Models: what do all of them have in common? Bodies are checked by theirs, answers are described by theirs.

An answer is bytes that rooms made: its model describes it, tests hold it to that, and while someone waits
for it nothing is validated. A body that does not fit its model is InvalidContent with a JSON Pointer, in the
sentences of this file.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, ErrorDetails

from app import clock
from app.entries.entry import invalid, pointer_of
from app.errors import InvalidContent

T = TypeVar("T")
B = TypeVar("B", bound="Body")

SENTENCES: Mapping[str, str] = {
    "bool_type": "true or false is needed here",
    "dict_type": "an object is needed here",
    "extra_forbidden": "this member is not known here",
    "int_from_float": "a whole number is needed here",
    "int_type": "a whole number is needed here",
    "list_type": "a list is needed here",
    "missing": "it is missing",
    "string_type": "a text is needed here",
}
"""What is wrong with a member, by Pydantic's name for it."""


class Answer(BaseModel):
    model_config = ConfigDict(defer_build=True)


class Body(BaseModel):
    model_config = ConfigDict(defer_build=True, extra="forbid", strict=True, frozen=True)


class PageOf(Answer, Generic[T]):
    items: list[T]
    next: str | None = Field(description="The `cursor` of the rest; null: that is all.")


def sent(body: Body) -> dict[str, Any]:
    """Return the members that were sent, by name: one that is null is another thing than one left out."""
    return {name: getattr(body, name) for name in body.model_fields_set}


# -- forms of members


class _WithoutNull:
    """Takes the null of "may be missing" out of what is validated and described."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        kinds = [each for each in get_args(source) if each is not type(None)]
        return handler(functools.reduce(operator.or_, kinds))


MayBeMissing = Annotated[T | None, _WithoutNull()]
"""A member that may be left out, and that is never null where it is there."""

Stored = Annotated[str, WithJsonSchema({"type": "string", "examples": ["2026-03-04T05:06:07Z"]})]
"""A stored moment in RFC 3339; text of an old database that is no moment is answered as it is."""

Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


def form(**schema: Any) -> WithJsonSchema:
    """Return what is described where a room checks more than the model does."""
    return WithJsonSchema(schema)


def _moment(value: object) -> datetime:
    moment = clock.parse_stored(value)
    if moment is None or datetime.fromisoformat(str(value).strip()).tzinfo is None:
        raise ValueError("a moment with its zone is needed here, as 2030-01-31T12:00:00Z")
    return moment


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


IS_WHOLE = BeforeValidator(_whole)
"""Takes 18.0 for a whole number, too (JSON Schema 2020-12, validation, 6.1.1); stands after the bounds."""

Whole = Annotated[int, IS_WHOLE]


SentMoment = Annotated[datetime, PlainValidator(_moment), form(type="string", format="date-time")]
"""A moment with its zone in a body."""


# -- bodies


def checked(model: type[B], value: Mapping[str, object]) -> B:
    """Return ``value`` as ``model``; raises InvalidContent, which names the first fault."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _first_fault(model, value, error) from None


def _first_fault(model: type[Body], value: Mapping[str, object], error: ValidationError) -> InvalidContent:
    faults = error.errors(include_url=False, include_input=False)
    unknown = sorted(pointer_of(fault["loc"]) for fault in faults if fault["type"] == "extra_forbidden")
    if unknown:
        return invalid(unknown[0], SENTENCES["extra_forbidden"])
    first = faults[0]
    return invalid(pointer_of(first["loc"]), _sentence(model, value, first))


def _sentence(model: type[Body], value: Mapping[str, object], fault: ErrorDetails) -> str:
    """Return what is wrong in words of ours; of a missing member, what is needed in its place."""
    if fault["type"] == "missing" and len(fault["loc"]) == 1:
        fault = _fault_of_null(model, value, str(fault["loc"][0])) or fault
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    return SENTENCES.get(fault["type"], fault["msg"])


def _fault_of_null(model: type[Body], value: Mapping[str, object], name: str) -> ErrorDetails | None:
    try:
        model.model_validate({**value, name: None})
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return next((each for each in found if each["loc"][:1] == (name,)), None)
    return None
