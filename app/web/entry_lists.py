"""Lists of entries over HTTP (part, filter, link), and one. What is asked for, and what is answered?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request
from starlette.responses import Response

from app.entries.entry import LIMIT_DEFAULT
from app.entries.list_filter import ListFilter, list_filter
from app.entries.parts import Part, by_cursor, by_page
from app.entries.question import Question
from app.errors import UsageError
from app.formats.entry_forms import without_suffix
from app.server.entry_lookup import look
from app.server.state import ServerState
from app.web.deps import ServerOf, client_of
from app.web.entry_forms import AskedForm, answer_in_form, look_with_suffix
from app.web.entry_writes import named_in_path
from app.web.models.parameters import (
    Cursor,
    Fields,
    Limit,
    PageNumber,
    Since,
    Size,
    Sort,
    Status,
    Tag,
    Until,
    Words,
)
from app.web.parameters import is_tracker


async def part_asked_for(
    request: Request,
    server: ServerOf,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    page: PageNumber = 1,
    size: Size = LIMIT_DEFAULT,
) -> Part:
    """Return the part of a list that a request means; raises UsageError."""
    asked = request.query_params.keys()
    if not {"page", "size"} & asked:
        return by_cursor(limit, cursor, key=server.cursor_key)
    if {"limit", "cursor"} & asked:
        raise UsageError(
            "limit and cursor are one way to go through a list, page and size the older one.",
            hint="Send limit and cursor.",
        )
    return by_page(page, size, key=server.cursor_key)


PartOf = Annotated[Part, Depends(part_asked_for)]


async def filter_asked_for(
    tag: Tag = None,
    status: Status = None,
    since: Since = None,
    until: Until = None,
    q: Words = None,
    sort: Sort = None,
    fields: Fields = None,
) -> ListFilter | None:
    """Return what of a list a request means, None for all of it; raises UsageError."""
    return list_filter(tag=tag, status=status, since=since, until=until, q=q, sort=sort, fields=fields)


FilterOf = Annotated[ListFilter | None, Depends(filter_asked_for)]


def asked_level(level: str | None, privacy_level: str | None) -> str | None:
    """Return the level asked for, by its name or its older one; raises UsageError where they differ."""
    if level is not None and privacy_level is not None and level != privacy_level:
        raise UsageError("level and privacy_level differ.", hint="Send one of them.")
    return level if level is not None else privacy_level


def list_of(
    request: Request,
    server: ServerState,
    kind: str,
    owner: str | None,
    level: str | None,
    part: Part,
    chosen: ListFilter | None = None,
) -> Response:
    """Answer a list; for the framework, and for who answers without it."""
    if chosen is not None:
        part = _filtered_part(part, chosen)
    question = Question(kind, level=level, owner=owner, part=part, filter=chosen)
    found, question, suffix = look_with_suffix(server, client_of(request, server), question)
    asked = {name: value for name, value in request.query_params.items() if not is_tracker(name)}
    link = link_to_next(asked, found.next, part)
    # Of addresses with words that anyone may choose there is no end: they are kept by who asks.
    form = AskedForm(question.kind, suffix, is_list=True)
    return answer_in_form(request, server, found, form, link, is_kept=chosen is None)


def one_of(request: Request, server: ServerState, kind: str, entry_id: str, level: str | None) -> Response:
    """Answer one entry; for the framework, and for who answers without it."""
    name, suffix = without_suffix(entry_id) or (entry_id, None)
    number, slug = named_in_path(name)
    asked = Question(kind, level=level, entry_id=number, slug=slug)
    found = look(server, client_of(request, server), asked)
    return answer_in_form(request, server, found, AskedForm(kind, suffix, is_list=False))


def _filtered_part(part: Part, chosen: ListFilter) -> Part:
    if not part.may_be_cut:
        raise UsageError(
            "page and size go through whole lists.", hint="Send limit and cursor, and follow `next`."
        )
    return replace(part, order=chosen.order)


def link_to_next(asked: Mapping[str, str], cursor: str | None, part: Part | None = None) -> dict[str, str]:
    """Return the header that leads on from a part of a list; ``asked`` is its query without trackers."""
    if cursor is None:
        return {}
    if part is None or part.may_be_cut:
        query = urlencode({**asked, "cursor": cursor})
    else:
        query = urlencode({**asked, "page": part.skipped // part.count + 2})
    return {"Link": f'<?{query}>; rel="next"'}
