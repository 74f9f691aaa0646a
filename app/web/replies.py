"""Cached replies. Whose answer may be kept? Strangers', by anyone; everyone else's, by no one."""

from __future__ import annotations

from typing import Protocol

from fastapi import Request
from starlette.responses import Response

from app.entries.validity import ALWAYS, Validity
from app.server.authenticate import Caller
from app.server.state import ServerState
from app.web.answers import Document, as_cached, reply
from app.web.parameters import address_kept


def reply_to(
    request: Request,
    server: ServerState,
    caller: Caller,
    generation: int,
    value: object,
    headers: dict[str, str] | None = None,
    *,
    depends_on_agent: bool = False,
    validity: Validity = ALWAYS,
    is_kept: bool = True,
    content_type: str | None = None,
) -> Response:
    """Return ``value`` for ``caller``; a stranger's answer is kept for the next one who asks the same.

    ``generation`` is the database's from before the value was read. While no one has claimed the installation
    a caller at the machine itself sees more at the same address, so that nothing is kept; nor is what
    ``depends_on_agent``, because no cache between asks who reads from it. ``validity``: when it holds.
    ``is_kept``: whether this server keeps it at all.
    """
    is_public = caller.viewer.is_stranger and server.is_claimed and not depends_on_agent
    response = reply(request, value, is_public=is_public, headers=headers, content_type=content_type)
    if is_public and is_kept:
        keep_for_everybody(request, server, generation, response, validity)
    return response


class Looked(Protocol):
    """What was looked up, as far as it decides who may keep the answer."""

    @property
    def caller(self) -> Caller: ...
    @property
    def generation(self) -> int: ...
    @property
    def depends_on_agent(self) -> bool: ...
    @property
    def validity(self) -> Validity: ...


def reply_with_address(
    request: Request,
    server: ServerState,
    seen: Looked,
    document: Document,
    headers: dict[str, str] | None = None,
    *,
    is_alike: bool = False,
) -> Response:
    """Return a document that holds the whole address of this server, for whoever ``seen`` was looked up.

    It is kept here only where the operator said that address (PUBLIC_URL): never with the Host of a request.
    ``is_alike``: it says the same to assistants, whatever else ``seen`` would.
    """
    return reply_to(
        request,
        server,
        seen.caller,
        seen.generation,
        document,
        headers,
        depends_on_agent=seen.depends_on_agent and not is_alike,
        validity=seen.validity,
        is_kept=bool(server.settings.public_url),
    )


def keep_for_everybody(
    request: Request,
    server: ServerState,
    generation: int,
    response: Response,
    validity: Validity = ALWAYS,
) -> None:
    """Keep an answer that is alike for every caller, if it is whole and the installation claimed."""
    if server.is_claimed and response.status_code == 200:
        server.response_cache.keep(address_kept(request.scope), generation, as_cached(response), validity)
