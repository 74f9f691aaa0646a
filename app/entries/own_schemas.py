"""JSON Schema (2020-12) that a person wrote. May it be the schema of a kind, and does content fit it?

Someone else's schema runs here, so it is bounded before it is used: its size and depth, the keywords it may
have, no reference but within itself and none that leads back to where it stands, patterns for RE2 alone. What
is left costs at most its number of values times that of the content, which is bounded too. Whatever does not
fit is named by a JSON Pointer (RFC 6901), without the value that was sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from app.entries.bounded_keywords import CHECKED_FORMATS, TAKEN, bounded_validator, is_fast_pattern
from app.entries.compiled_schema import Fits, compiled
from app.entries.entry import check_json, pointer_of
from app.entries.reasons_of_schema import in_words
from app.errors import InvalidContent

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

DIALECT = "https://json-schema.org/draft/2020-12/schema"
BYTES_MOST = 65_536
DEPTH_MOST = 24
EXPANDED_DEPTH_MOST = 48
PATTERNS_MOST = 20
VALUES_MOST = 2_000
"""In a schema, with each part that is referred to counted wherever it is."""

LIST_MOST = 500
STEPS_MOST = 400_000
"""Values of a schema times values of what is held to it; a few seconds of a thread."""

STEPS_AT_ONCE = 20_000  # more are not done while others wait for their turn to write
ERRORS_MOST = 20
_LOOKED_AT = 200
_ENVELOPE = ("meta", "visibility")

Fault = dict[str, str]


def check_schema(schema: object) -> None:
    """Raise InvalidContent, with pointers below /schema, where this cannot be the schema of a kind."""
    faults = list(islice(_faults(schema), ERRORS_MOST))
    if faults:
        raise unfit("The schema cannot be used", faults)


def check_content(schema_text: str, content: object, kind: str) -> None:
    """Raise InvalidContent, with pointers, where content does not fit the schema of an own kind."""
    refuse(content_faults(schema_text, content), kind)


def refuse(faults: list[Fault], kind: str) -> None:
    """Raise InvalidContent for what of content does not fit an own kind, if there is anything."""
    if faults:
        raise unfit(
            f"The content does not fit {kind}", faults, f"GET /api/v1/endpoints/{kind} shows the schema."
        )


def content_faults(schema_text: str, content: Any) -> list[Fault]:
    """Return what of content does not fit the schema of an own kind: a ``pointer`` and a ``detail`` each."""
    held: Any = _without_envelope(schema_text, content)
    if _surely_fits(schema_text)(held):
        return []
    if steps_of(schema_text, held) > STEPS_MOST:
        detail = "has too many values to be held to the schema of its kind"
        return [{"pointer": "", "detail": detail}]
    found = islice(_validator(schema_text).iter_errors(held), _LOOKED_AT)
    errors = sorted(found, key=lambda error: list(map(str, error.absolute_path)))
    return [
        {"pointer": pointer_of(error.absolute_path), "detail": in_words(error)}
        for error in errors[:ERRORS_MOST]
    ]


def steps_of(schema_text: str, content: object) -> int:
    """Return how many steps it takes at most to hold content to a schema."""
    return _size_of(schema_text) * _count(content)


def is_quick(schema_text: str, content: object) -> bool:
    """Whether content is held to a schema in no time that others would notice."""
    return steps_of(schema_text, content) <= STEPS_AT_ONCE


def unfit(what: str, faults: list[Fault], hint: str = "") -> InvalidContent:
    """Return the error that names what does not fit, and where."""
    first = faults[0]
    sentence = f"{what}: {first['pointer'] or 'the whole'}: {first['detail']}."
    return InvalidContent(sentence, hint=hint, errors=faults)


def _without_envelope(schema_text: str, content: object) -> object:
    """What says who may see an entry, and its meta, are taken whether or not a schema speaks of them."""
    if not isinstance(content, dict):
        return content
    declared = _declared(schema_text)
    return {name: value for name, value in content.items() if name in declared or name not in _ENVELOPE}


@lru_cache(maxsize=128)
def _declared(schema_text: str) -> frozenset[str]:
    return frozenset(_parsed(schema_text).get("properties", {}))


@lru_cache(maxsize=128)
def _surely_fits(schema_text: str) -> Fits:
    return compiled(_parsed(schema_text))


@lru_cache(maxsize=128)
def _validator(schema_text: str) -> Validator:
    return bounded_validator(_parsed(schema_text))


@lru_cache(maxsize=128)
def _size_of(schema_text: str) -> int:
    schema = _parsed(schema_text)
    return _expanded(schema, schema, ())


def _parsed(schema_text: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(schema_text)
    return schema


def _count(value: object) -> int:
    counted, pending = 0, [value]
    while pending:
        here = pending.pop()
        counted += 1
        if isinstance(here, dict):
            pending.extend(here.values())
        elif isinstance(here, list):
            pending.extend(here)
    return counted


# -- what may stand in a schema


def _faults(schema: object) -> Iterator[Fault]:
    if not isinstance(schema, dict):
        yield _fault((), "must be an object")
        return
    try:
        check_json(schema)
    except InvalidContent as error:
        yield _fault((), error.message)
        return
    if len(json.dumps(schema)) > BYTES_MOST:
        yield _fault((), f"has more than {BYTES_MOST} bytes")
        return
    if schema.get("$schema", DIALECT) != DIALECT:
        yield _fault(("$schema",), f"must be {DIALECT}")
    if schema.get("type") != "object":
        yield _fault(("type",), "must be object: an entry is one")
    if json.dumps(schema).count('"pattern":') > PATTERNS_MOST:
        yield _fault((), f"has more than {PATTERNS_MOST} patterns")
    bounds = [*_out_of_bounds(schema, (), 1)] or [*_of_keywords(schema, ())] or [*_of_metaschema(schema)]
    yield from bounds or _of_references(schema)


def _fault(path: tuple[str | int, ...], detail: str) -> Fault:
    return {"pointer": pointer_of(("schema", *path)), "detail": detail}


def _out_of_bounds(value: object, path: tuple[str | int, ...], depth: int) -> Iterator[Fault]:
    if not isinstance(value, dict | list):
        return
    if depth > DEPTH_MOST:
        yield _fault(path, f"nested more than {DEPTH_MOST} levels deep")
        return
    if len(value) > LIST_MOST:
        yield _fault(path, f"has more than {LIST_MOST} members")
        return
    for name, child in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _out_of_bounds(child, (*path, name), depth + 1)


def _of_keywords(schema: object, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """Yield what is wrong with the keywords of a schema and of those within it."""
    if not isinstance(schema, dict):
        return
    for name, value in schema.items():
        here = (*path, name)
        way = TAKEN.get(name)
        if name.startswith("x-"):
            continue
        if way is None or (name in ("$schema", "$id") and path):
            yield _fault(here, "is no keyword that is taken here")
        elif way == "pattern" and isinstance(value, str) and not is_fast_pattern(value):
            yield _fault(here, "is no pattern that RE2 takes in bounded time")
        elif way == "reference" and not (isinstance(value, str) and _is_within(value)):
            yield _fault(here, "must point into this schema: #/$defs/NAME")
        elif way == "format" and value not in CHECKED_FORMATS:
            yield _fault(here, f"must be one of {', '.join(sorted(CHECKED_FORMATS))}")
        elif way == "schema":
            yield from _of_keywords(value, here)
        elif way == "schemas" and isinstance(value, list):
            for number, child in enumerate(value):
                yield from _of_keywords(child, (*here, number))
        elif way == "named" and isinstance(value, dict):
            for key, child in value.items():
                yield from _of_keywords(child, (*here, key))


def _of_metaschema(schema: dict[str, Any]) -> Iterator[Fault]:
    from jsonschema import Draft202012Validator  # heavy, and needed by who makes a kind only

    meta = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    for error in islice(meta.iter_errors(schema), _LOOKED_AT):
        yield _fault(tuple(error.absolute_path), in_words(error))


def _of_references(schema: dict[str, Any]) -> Iterator[Fault]:
    try:
        if _expanded(schema, schema, ()) > VALUES_MOST:
            yield _fault((), f"has more than {VALUES_MOST} values, with what it refers to")
    except _Unresolved as error:
        yield _fault((), str(error))


class _Unresolved(Exception):
    """A reference leads nowhere, or back to where it stands."""


def _is_within(reference: str) -> bool:
    return reference.startswith("#/$defs/") and "%" not in reference


def _expanded(value: object, root: dict[str, Any], above: tuple[str, ...], depth: int = 0) -> int:
    """Count the values of a schema, with what is referred to as often as it is; raises _Unresolved."""
    if depth > EXPANDED_DEPTH_MOST:
        raise _Unresolved(f"nested more than {EXPANDED_DEPTH_MOST} levels deep, with what it refers to")
    if not isinstance(value, dict | list):
        return 1
    counted = 1
    if isinstance(value, dict) and isinstance(reference := value.get("$ref"), str):
        if reference in above:
            raise _Unresolved(f"{reference} refers to itself")
        counted += _expanded(_target(reference, root), root, (*above, reference), depth + 1)
    for child in value.values() if isinstance(value, dict) else value:
        counted += _expanded(child, root, above, depth + 1)
        if counted > VALUES_MOST:
            break
    return counted


def _target(reference: str, root: dict[str, Any]) -> object:
    found: Any = root
    for part in reference.removeprefix("#/").split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or name not in found:
            raise _Unresolved(f"{reference} leads nowhere")
        found = found[name]
    if not isinstance(found, dict | bool):
        raise _Unresolved(f"{reference} is no schema")
    return found
