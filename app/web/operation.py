"""Operation (OpenAPI). What does a route say of itself: who may ask, what it answers, how it may refuse?

Said in the decorator of the route, in the framework's own words; `openapi` adds what follows by itself, and
real requests are held to all of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.responses import Response

from app.entries.idempotency import CHARACTERS_MOST
from app.formats.entry_forms import FORMS
from app.web.errors import MEDIA_TYPE
from app.web.parameters import only_known

Described = dict[str, Any]

IDEMPOTENCY_KEY = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEY_FORM = f'^("[!#-~]{{1,{CHARACTERS_MOST}}}"|[!#-~]{{1,{CHARACTERS_MOST}}})$'
_KEY_PARAMETER: Described = {
    "name": IDEMPOTENCY_KEY,
    "in": "header",
    "required": False,
    "description": "A new random text for each request; the same one again has the first answer again.",
    "schema": {"type": "string", "pattern": KEY_FORM},
}
_REPLAYED_HEADER: Described = {
    "description": "`true`: the request was carried out before, and this is its first answer.",
    "schema": {"type": "string", "const": "true"},
}

PROBLEM: Described = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


PAGE: Described = {"text/html": {"schema": {"type": "string"}}}
TWIN: Described = {"text/markdown": {"schema": {"type": "string"}}}


def router_of(tag: str, prefix: str = "") -> APIRouter:
    """Return the router of a noun: its addresses refuse parameters that they do not know."""
    return APIRouter(prefix=prefix, tags=[tag], dependencies=[Depends(only_known)], responses=EVERYWHERE)


@dataclass(frozen=True)
class Who:
    """Which credentials an address looks at, each as OpenAPI names it, and how it refuses the others."""

    credentials: tuple[str, ...]
    is_needed: bool = False
    problems: tuple[int, ...] = ()

    @property
    def security(self) -> list[dict[str, list[str]]]:
        """The requirement of OpenAPI: one of them suffices; an empty one is no one's."""
        wanted: list[dict[str, list[str]]] = [{name: []} for name in self.credentials]
        return wanted if self.is_needed else [{}, *wanted]


NOT_ASKED = Who(())
ANYBODY = Who(("bearer", "api_key"), problems=(401, 403))
WRITER = Who(("bearer", "api_key"), is_needed=True, problems=(401, 403))
ACCOUNT = Who(("bearer",), is_needed=True, problems=(401, 403))
ADMIN = ACCOUNT
SEEN_AS_ADMIN = Who(("bearer",))  # more is shown to admins, and no one is refused


def operation(
    name: str, answer: type[BaseModel] | None, *problems: int, who: Who, status: int = 200
) -> Described:
    """Return what the decorator of a route hands to the framework: ``@router.post("", **operation(...))``.

    ``problems`` are the statuses of refusals that do not follow from ``who``, a body or a parameter.
    """
    return {
        "operation_id": name,
        "status_code": status,
        "response_model": answer,
        "responses": {each: problem(each) for each in sorted({*who.problems, *problems})},
        "openapi_extra": {"security": who.security},
    }


def read_operation(name: str, answer: type[BaseModel], *problems: int, who: Who) -> Described:
    """Return the same for a GET that `answers.reply` answers: as JSON or not at all, with a validator."""
    found = operation(name, answer, 406, 412, *problems, who=who)
    found["responses"][304] = {"description": "The client has it already (If-None-Match)."}
    return found


def in_all_forms(operation: Described) -> Described:
    """Return the description of a GET whose answer has other forms than JSON, too."""
    content = _files(form.media_type for form in FORMS)
    operation["responses"][200] = {"description": "Successful Response", "content": content}
    return operation


def page_operation(
    name: str, answer: type[BaseModel], *problems: int, who: Who, has_twin: bool = True
) -> Described:
    """Return the same for a GET that answers a page (HTML) to who asks for one, its refusals too.

    ``has_twin``: it answers it as Markdown, too.
    """
    found = read_operation(name, answer, *problems, who=who)
    found["responses"] = {**EVERYWHERE, **found["responses"], 200: {}}
    del found["responses"]["default"]
    found["responses"] = {
        status: {"description": _phrase(status), **said, "content": {**said.get("content", {}), **PAGE}}
        for status, said in found["responses"].items()
        if status != 304
    } | {304: found["responses"][304]}
    if has_twin:
        found["responses"][200]["content"] |= TWIN
    return found


def twin_operation(name: str, who: Who) -> Described:
    """Return the same for a GET that answers the twin of a page; it refuses as pages do."""
    found = file_operation(name, *TWIN, who=who)
    refusals = {**EVERYWHERE, **found["responses"]}
    found["responses"] |= {
        status: {**said, "content": {**said["content"], **PAGE}}
        for status, said in refusals.items()
        if isinstance(status, int) and status >= 400
    }
    return found


def file_operation(name: str, *media_types: str, who: Who) -> Described:
    """Return the same for a GET that answers a file of one of these types."""
    found = operation(name, None, 404, 412, who=who)
    content = _files(media_types)
    found["responses"][200] = {"description": "The file.", "content": content}
    found["responses"][304] = {"description": "The client has it already (If-None-Match)."}
    return {**found, "response_class": Response}


def _files(media_types: Iterable[str]) -> Described:
    """Return what is described of files of these types: text, or an object where it is JSON."""
    forms = {each: "object" if each.endswith("json") else "string" for each in media_types}
    return {each: {"schema": {"type": form}} for each, form in forms.items()}


def validated(described: Described) -> Described:
    """Return the description of a GET that obeys If-Match, too."""
    return {**described, "responses": {**described["responses"], 412: problem(412)}}


def _phrase(status: int | str) -> str:
    return HTTPStatus(int(status)).phrase


def or_made(described: Described) -> Described:
    """Return the description of an operation that may also make what it names (201)."""
    made = {"description": "It was not there, and was made.", "model": described["response_model"]}
    return {**described, "responses": {**described["responses"], 201: made}}


def made_once(described: Described) -> Described:
    """Return the description of an operation that obeys an idempotency key (`idempotency`)."""
    status, extra = described["status_code"], described["openapi_extra"]
    responses = {
        **described["responses"],
        409: problem(409),
        422: problem(422),
        status: {"headers": {REPLAYED: _REPLAYED_HEADER}},
    }
    return {**described, "responses": responses, "openapi_extra": {**extra, "parameters": [_KEY_PARAMETER]}}


def problem(status: int) -> Described:
    """Return the description of one refusal."""
    return {"description": HTTPStatus(status).phrase, "content": PROBLEM}


# Whatever is asked: what the middleware around the routes refuses, and what no route can help.
EVERYWHERE: dict[int | str, Described] = {
    **{status: problem(status) for status in (400, 408, 413, 414, 415, 429, 431, 500, 503)},
    "default": {"description": "What went wrong (RFC 9457).", "content": PROBLEM},
}
