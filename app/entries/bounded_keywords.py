"""JSON Schema keywords in bounded time. Which may a person's own schema have, and how is each judged?

The library judges by Python's patterns, which one of thirty letters keeps busy for years, and compares each
member of a list with each other one. What is judged otherwise here takes time in proportion to what is sent.
Not taken is what would have to be judged several times over (unevaluated...), by patterns of names, or by a
schema that is elsewhere.
"""

from __future__ import annotations

import datetime
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.privacy import patterns

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

PATTERN_CHARACTERS_MOST = 200
TEXT_CHARACTERS_MOST = 10_000  # a longer text matches no pattern
_MEMORY_BYTES, _SIZE_MOST = 1 << 20, 1_000

TAKEN: Mapping[str, str] = {
    **dict.fromkeys(("$schema", "$id", "$comment", "title", "description", "default", "examples"), "said"),
    **dict.fromkeys(("deprecated", "readOnly", "writeOnly", "contentEncoding", "contentMediaType"), "said"),
    **dict.fromkeys(("type", "enum", "const", "required", "uniqueItems", "dependentRequired"), "said"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), "said"),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minContains"), "said"),
    **dict.fromkeys(("maxContains", "minProperties", "maxProperties"), "said"),
    "format": "format",
    "pattern": "pattern",
    "$ref": "reference",
    **dict.fromkeys(("additionalProperties", "propertyNames", "items", "contains", "not"), "schema"),
    **dict.fromkeys(("if", "then", "else"), "schema"),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), "schemas"),
    **dict.fromkeys(("properties", "$defs", "dependentSchemas"), "named"),
}
"""The keywords, and what stands in each: a schema, several in a list or by name, a pattern, a reference..."""


def is_fast_pattern(text: str) -> bool:
    """Whether RE2 takes a pattern, so that no text can keep it busy."""
    return len(text) <= PATTERN_CHARACTERS_MOST and _pattern(text) is not None


def bounded_validator(schema: Mapping[str, Any]) -> Validator:
    """Return what holds values to a schema that was checked before (`own_schemas`)."""
    from jsonschema import Draft202012Validator, FormatChecker, validators  # heavy, and rarely needed

    formats = FormatChecker(formats=())
    for name, is_one in CHECKED_FORMATS.items():
        formats.checks(name)(is_one)
    ours = {"pattern": _judge_pattern, "uniqueItems": _judge_unique, "multipleOf": _judge_multiple}
    bounded = validators.extend(Draft202012Validator, ours)  # type: ignore[no-untyped-call]
    alone = {name: value for name, value in schema.items() if name != "$id"}
    made: Validator = bounded(alone, format_checker=formats)
    return made


# -- keywords


@lru_cache(maxsize=256)
def _pattern(text: str) -> Any:
    """Return a pattern ready to search, None where RE2 is missing or does not take it."""
    re2 = patterns.library()
    if re2 is None:
        return None
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    try:
        found = re2.compile(text, options)
    except re2.error:
        return None
    return found if found.programsize <= _SIZE_MOST else None


@lru_cache(maxsize=512)  # several parts of a schema may search the same text
def _matches(pattern: str, text: str) -> bool:
    found = _pattern(pattern)
    return found is not None and len(text) <= TEXT_CHARACTERS_MOST and found.search(text) is not None


def _judge_pattern(_validator: object, wanted: str, value: object, _schema: object) -> Iterator[Any]:
    if isinstance(value, str) and not _matches(wanted, value):
        yield _error("does not match the pattern")


def _judge_unique(_validator: object, wanted: bool, value: object, _schema: object) -> Iterator[Any]:
    if wanted and isinstance(value, list) and len({*map(_canonical, value)}) < len(value):
        yield _error("is not unique")


def _judge_multiple(_validator: object, wanted: float, value: object, _schema: object) -> Iterator[Any]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    if Fraction(str(value)) % Fraction(str(wanted)):
        yield _error("is no multiple")


def _error(message: str) -> Any:
    from jsonschema import ValidationError

    return ValidationError(message)


def _canonical(value: Any) -> str:
    """The same text for what JSON Schema calls equal: 1 and 1.0 are, 1 and true are not."""
    return json.dumps(_even(value), sort_keys=True)


def _even(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _even(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_even(child) for child in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


# -- formats


def _parsed_by(parse: Callable[[str], object]) -> Callable[[object], bool]:
    def is_one(value: object) -> bool:
        if not isinstance(value, str):
            return True
        try:
            parse(value)
        except ValueError:
            return False
        return True

    return is_one


def _date(text: str) -> None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise ValueError
    datetime.date.fromisoformat(text)


def _moment(text: str) -> None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", text, re.ASCII):
        raise ValueError
    datetime.datetime.fromisoformat(re.sub(r"\.\d+", "", text).upper())


def _time(text: str) -> None:
    if not re.fullmatch(r"\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", text, re.ASCII):
        raise ValueError
    datetime.time.fromisoformat(re.sub(r"\.\d+", "", text).upper())


def _address(text: str) -> None:
    if len(text) > 320 or not re.fullmatch(r"[^@\s]+@[^@\s]+", text):
        raise ValueError


def _uri(text: str) -> None:
    if not text.isascii() or any(char.isspace() for char in text) or not urlsplit(text).scheme:
        raise ValueError


CHECKED_FORMATS: Mapping[str, Callable[[object], bool]] = {
    "date": _parsed_by(_date),
    "date-time": _parsed_by(_moment),
    "time": _parsed_by(_time),
    "email": _parsed_by(_address),
    "uri": _parsed_by(_uri),
    "uuid": _parsed_by(uuid.UUID),
}
