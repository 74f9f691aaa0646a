"""Bodies and ETags. How do values become bytes, and how does a client learn that it has them already?"""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from urllib.parse import parse_qsl

from fastapi import Request

from app.entries.entry import invalid, parse_body
from app.errors import DaemonError

BODY_SECONDS = 30
MOST_FIELDS = 20
JSON_LINES = ("application/x-ndjson", "application/jsonl")


class TooSlow(DaemonError):
    """The body did not come in time."""

    code = "too_slow"
    status = 408


class WrongMediaType(DaemonError):
    """The body is not of a form that this address takes."""

    code = "unsupported_media_type"
    status = 415


def etag_of(body: bytes) -> str:
    """Return a strong validator: equal exactly when the bytes are, or what stands for them."""
    return f'"{blake2b(body, digest_size=16).hexdigest()}"'


def is_unchanged(if_none_match: str, etag: str) -> bool:
    """Return whether a client that sent ``if_none_match`` has the representation ``etag`` already."""
    wanted = if_none_match.strip()
    if wanted == "*":
        return True
    return any(part.strip().removeprefix("W/") == etag for part in wanted.split(","))


def parse_object(body: bytes) -> dict[str, object]:
    """Return the JSON object that ``body`` is; raises InvalidContent for anything else."""
    value = parse_body(body)
    if not isinstance(value, dict):
        raise invalid("", "it must be a JSON object")
    return value


def text_member(body: dict[str, object], name: str) -> str:
    """Return the text under ``name``; raises InvalidContent where there is none."""
    value = body.get(name)
    if not isinstance(value, str):
        raise invalid(f"/{name}", "a text is needed here")
    return value


def optional_text_member(body: dict[str, object], name: str) -> str | None:
    """Return the text under ``name``, None where it is null or missing; raises InvalidContent otherwise."""
    return None if body.get(name) is None else text_member(body, name)


async def body_of(request: Request) -> bytes:
    """Return the whole body; raises TooLarge, and TooSlow for one that does not end."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await request.body()
    except TimeoutError:
        raise TooSlow(f"The body did not come within {BODY_SECONDS} seconds.") from None
    request.state.body = body
    return body


def whole_body(request: Request) -> bytes:
    """Return the body that was read of a request; empty where none was."""
    return getattr(request.state, "body", b"")


def check_is_json(request: Request) -> None:
    """Raise WrongMediaType where the body says that it is something else than JSON."""
    media_type = media_type_of(request)
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise WrongMediaType("The body must be JSON.", hint="Send the header Content-Type: application/json")


def is_json_lines(request: Request) -> bool:
    """Return whether the body says that it is lines of JSON (NDJSON); raises WrongMediaType for no JSON."""
    if media_type_of(request) in JSON_LINES:
        return True
    check_is_json(request)
    return False


def media_type_of(request: Request) -> str:
    """Return what the body says it is, without parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def form_fields(request: Request, body: bytes) -> dict[str, object] | None:
    """Return the text fields of a form, the last of each name, or None where the body says it is none.

    Raises InvalidContent for a form that cannot be read.
    """
    media_type = media_type_of(request)
    if media_type == "application/x-www-form-urlencoded":
        return _urlencoded_fields(body)
    if media_type == "multipart/form-data":
        form = await request.form(max_files=0, max_fields=MOST_FIELDS)
        return dict(form.multi_items())
    return None


def _urlencoded_fields(body: bytes) -> dict[str, object]:
    # Not by the framework: it takes what is not percent-encoded for Latin-1, and curl sends UTF-8 as it is.
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise invalid("", "the form cannot be read") from None
    return dict(pairs)
