"""API reference (OpenAPI as a page). What does the description say, as a person reads it?

Made of the description on this server, with no script and nothing from elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.web.answers import Document
from app.web.pages.rendering import Frame, rendered

Described = Mapping[str, Any]
_REFERENCE = "#/components/schemas/"
_NO_ONE_ASKED = "anyone"


@dataclass(frozen=True)
class Word:
    """A part of the name of a type; ``schema`` is which one it leads to, if any."""

    text: str
    schema: str = ""


@dataclass(frozen=True)
class Member:
    """A parameter or a member of an object. ``place``: path, query or header; "" for a member."""

    name: str
    type: tuple[Word, ...]
    is_needed: bool
    about: str
    place: str = ""


@dataclass(frozen=True)
class Answer:
    """What is answered with a status, in which form."""

    status: str
    about: str
    type: tuple[Word, ...]


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    id: str
    method: str
    path: str
    title: str
    about: str
    who: str
    is_deprecated: bool
    parameters: tuple[Member, ...]
    body: tuple[Word, ...]
    media_type: str
    example: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Schema:
    """The form of a body or an answer. ``type`` where it is no object."""

    name: str
    about: str
    members: tuple[Member, ...]
    type: tuple[Word, ...]


def page_of_api(described: Described, to: Callable[[str], str]) -> Document:
    """Return the page of what a description (OpenAPI 3.1) says."""
    schemas: Described = described["components"]["schemas"]
    groups: dict[str, list[Operation]] = {}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(_operation(method, path, operation, schemas))
    info = described["info"]
    frame = Frame(title=f"{info['title']} API {info['version']}", to=to, description=info["summary"])
    return rendered(
        "api.html",
        frame,
        groups=groups,
        schemas=[_schema(name, schema) for name, schema in sorted(schemas.items())],
    )


def _operation(method: str, path: str, said: Described, schemas: Described) -> Operation:
    title, _, more = said.get("description", said["summary"]).partition("\n")
    content: dict[str, Any] = said.get("requestBody", {}).get("content", {})
    media_type = next(iter(content), "")
    body: Described = content.get(media_type, {})
    schema = body.get("schema", {})
    return Operation(
        id=said["operationId"],
        method=method.upper(),
        path=path,
        title=title,
        about=more.strip(),
        who=_who(said["security"]),
        is_deprecated=bool(said.get("deprecated")),
        parameters=tuple(map(_parameter, said.get("parameters", ()))),
        body=tuple(_type(schema)) if body else (),
        media_type=media_type,
        example=_example(schema, schemas),
        answers=tuple(_answers(said["responses"])),
    )


def _parameter(said: Described) -> Member:
    about = said.get("description", "") + (" (deprecated)" if said.get("deprecated") else "")
    return Member(said["name"], tuple(_type(said["schema"])), said["required"], about, said["in"])


def _answers(responses: Described) -> Iterator[Answer]:
    for status, said in sorted(responses.items()):
        content = said.get("content", {})
        words = tuple(word for form in content.values() for word in _type(form.get("schema", {})))
        if not status.isdigit() or int(status) < 400:
            yield Answer(status, said["description"], words[:1] if len(set(words)) == 1 else words)


def _who(security: Sequence[Described]) -> str:
    names = {"bearer": "a login", "api_key": "an API key"}
    found = [names[name] for each in security for name in each]
    if not found:
        return _NO_ONE_ASKED
    words = " or ".join(found)
    return f"{_NO_ONE_ASKED}; more for {words}" if {} in security else words


def _schema(name: str, said: Described) -> Schema:
    members = said.get("properties", {})
    needed = said.get("required", ())
    found = tuple(
        Member(each, tuple(_type(schema)), each in needed, schema.get("description", ""))
        for each, schema in members.items()
    )
    return Schema(name, said.get("description", ""), found, () if members else tuple(_type(said)))


def _type(said: Described) -> Iterator[Word]:
    """Yield the words for the type of a schema; those of other schemas lead to them."""
    if "$ref" in said:
        name = said["$ref"].removeprefix(_REFERENCE)
        yield Word(name, name)
    elif "anyOf" in said:
        for number, each in enumerate(said["anyOf"]):
            yield from [Word(" or ")] if number else []
            yield from _type(each)
    elif "enum" in said or "const" in said:
        yield Word(" | ".join(json.dumps(each) for each in said.get("enum", [said.get("const")])))
    elif said.get("type") == "array":
        yield Word("list of ")
        yield from _type(said.get("items", {}))
    else:
        kinds = said.get("type", "anything")
        form = said.get("format") or said.get("pattern")
        yield Word(" or ".join([kinds] if isinstance(kinds, str) else kinds) + (f" ({form})" if form else ""))


def _example(schema: Described, schemas: Described) -> str:
    """Return an example of a body as JSON; "" where the description has none."""
    named = schemas.get(schema.get("$ref", "").removeprefix(_REFERENCE), {})
    examples = named.get("examples", ())
    return json.dumps(examples[0], indent=2, ensure_ascii=False) if examples else ""
