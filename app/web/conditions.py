"""Conditional requests. Does what a client knew of an entry still hold? If-Match and If-None-Match."""

from __future__ import annotations

import re
from functools import partial

from fastapi import Request

from app.entries.entry import View, json_bytes
from app.entries.write import Condition
from app.errors import DaemonError
from app.web.bodies import etag_of, is_unchanged

_TAG = re.compile(r'(W/)?("[^"]*")')


class PreconditionFailed(DaemonError):
    """The entry is not what the client took it for; nothing was changed."""

    code = "precondition_failed"
    status = 412


def condition_of(request: Request) -> Condition | None:
    """Return what an entry must fulfil to be changed by ``request``; None where anything will do.

    To be asked inside the transaction that writes, so that of two writers who knew the same only one wins.
    """
    if not {"if-match", "if-none-match"} & set(request.headers):
        return None
    return partial(_check, request)


def _check(request: Request, views: tuple[View, ...]) -> None:
    etags = [etag_of(json_bytes(view)) for view in views]  # as a GET by who may change it would have it
    check_match(request, *etags)
    if any(is_unchanged(header_of(request, "if-none-match") or "", etag) for etag in etags):
        raise PreconditionFailed(
            "If-None-Match names what is there; nothing was changed.", hint="Write it without that header."
        )


def is_only_if_absent(request: Request) -> bool:
    """Return whether a request is to make what it names, and to change nothing that is there."""
    return (header_of(request, "if-none-match") or "").strip() == "*"


def check_match(request: Request, *etags: str) -> None:
    """Raise PreconditionFailed where If-Match is there and names none of ``etags``.

    No tag: there is nothing here that a tag could name.
    """
    wanted = header_of(request, "if-match")
    if wanted is None or wanted.strip() == "*":
        return
    strong = [tag for weak, tag in _TAG.findall(wanted) if not weak]
    if not set(etags) & set(strong):
        raise PreconditionFailed(
            "If-Match names another state than the present one; nothing was changed.",
            hint="GET the address, look at what changed, and send the new ETag.",
        )


def header_of(request: Request, name: str) -> str | None:
    """Return a list header as one text, however many lines it came in; None where there is none."""
    lines = request.headers.getlist(name)
    return ", ".join(lines) if lines else None
