"""Entries over HTTP: read, create, replace, change and delete, one address for every kind."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.entries import write
from app.entries.entry import LIMIT_DEFAULT, Written, parse_body
from app.entries.parts import Part, by_cursor, by_page
from app.entries.question import Question
from app.errors import NotFound, UsageError
from app.server.entry_lookup import look
from app.server.state import ServerState
from app.web.answers import reply
from app.web.bodies import check_is_json
from app.web.conditions import check_match, condition_of
from app.web.deps import ServerOf, body_of_writer, client_of, writer_of
from app.web.errors import allowed_methods
from app.web.parameters import ActiveOnly, is_tracker
from app.web.replies import reply_to

router = APIRouter(prefix="/api/v1", tags=["entries"])

Level = Annotated[str | None, Query(description="The view of a stranger at this privacy level.")]
Limit = Annotated[int | None, Query(description="How many items at most, 1 to 200 (50).")]
Cursor = Annotated[str | None, Query(description="The `next` of the page before.")]
PageNumber = Annotated[
    int | None, Query(description="The older form: which page, from 1; up to entry 10,000.")
]
Size = Annotated[int | None, Query(description="The older form: how many items a page has, 1 to 100 (50).")]
LARGEST_ID = 2**63 - 1
_ID = re.compile(r"[1-9][0-9]{0,18}")


async def _body(request: Request, server: ServerOf) -> bytes:
    refuse_fixed_address(request)
    return await body_of_writer(request, server)


Body = Annotated[bytes, Depends(_body)]


def part_asked_for(
    limit: Limit = None, cursor: Cursor = None, page: PageNumber = None, size: Size = None
) -> Part:
    """Return the part of a list that a request means; raises UsageError."""
    if page is None and size is None:
        return by_cursor(LIMIT_DEFAULT if limit is None else limit, cursor)
    if limit is not None or cursor is not None:
        raise UsageError(
            "limit and cursor are one way to go through a list, page and size the older one.",
            hint="Send limit and cursor.",
        )
    return by_page(1 if page is None else page, LIMIT_DEFAULT if size is None else size)


PartOf = Annotated[Part, Depends(part_asked_for)]


@router.get("/{kind}", operation_id="entries_list")
def list_entries(
    request: Request,
    server: ServerOf,
    kind: str,
    part: PartOf,
    level: Level = None,
    privacy_level: Level = None,
    active_only: ActiveOnly = True,
) -> Response:
    """List the entries of a kind: one's own, or for strangers the public ones of whoever lives here."""
    return _list(request, server, kind, None, asked_level(level, privacy_level), part)


@router.get("/{kind}/users/{username:path}", operation_id="entries_list_of_user")
def list_entries_of_user(
    request: Request,
    server: ServerOf,
    kind: str,
    username: str,
    part: PartOf,
    level: Level = None,
    privacy_level: Level = None,
    active_only: ActiveOnly = True,
) -> Response:
    """List the entries of one person."""
    return _list(request, server, kind, username, asked_level(level, privacy_level), part)


@router.get("/{kind}/{entry_id}", operation_id="entries_get")
def get_entry(
    request: Request,
    server: ServerOf,
    kind: str,
    entry_id: str,
    level: Level = None,
    privacy_level: Level = None,
) -> Response:
    """Return one entry as far as the caller may see it."""
    asked = Question(kind, level=asked_level(level, privacy_level), entry_id=id_of(entry_id))
    found = look(server, client_of(request, server), asked)
    return reply_to(request, server, found.caller, found.generation, found.value)


@router.post("/{kind}", operation_id="entries_create", status_code=201)
def create_entry(request: Request, server: ServerOf, kind: str, body: Body) -> Response:
    """Write a new entry."""
    with server.supervisor.writing() as connection:
        caller = writer_of(request, server, connection)
        check_match(request, None)
        written = write.create(
            connection, caller.viewer, kind, content_of(request, body), origin=caller.origin
        )
    location = f"{quote(kind, safe='')}/{written.id}"  # beside the address of the list
    return _written(request, written, 201, {"Location": location})


@router.put("/{kind}/{entry_id}", operation_id="entries_replace")
def replace_entry(request: Request, server: ServerOf, kind: str, entry_id: str, body: Body) -> Response:
    """Put new content in the place of an entry's; its visibility stays unless the content says another."""
    with server.supervisor.writing() as connection:
        caller = writer_of(request, server, connection)
        content, condition = content_of(request, body), condition_of(request)
        written = write.replace(
            connection,
            caller.viewer,
            kind,
            id_of(entry_id),
            content,
            origin=caller.origin,
            condition=condition,
        )
    return _written(request, written, 200)


@router.patch("/{kind}/{entry_id}", operation_id="entries_change")
def change_entry(request: Request, server: ServerOf, kind: str, entry_id: str, body: Body) -> Response:
    """Change an entry by a JSON merge patch (RFC 7396)."""
    with server.supervisor.writing() as connection:
        caller = writer_of(request, server, connection)
        patch, condition = content_of(request, body), condition_of(request)
        written = write.merge(
            connection,
            caller.viewer,
            kind,
            id_of(entry_id),
            patch,
            origin=caller.origin,
            condition=condition,
        )
    return _written(request, written, 200)


@router.delete("/{kind}/{entry_id}", operation_id="entries_delete", status_code=204)
def delete_entry(request: Request, server: ServerOf, kind: str, entry_id: str) -> Response:
    """Delete an entry; afterwards nobody finds it."""
    refuse_fixed_address(request)
    with server.supervisor.writing() as connection:
        caller = writer_of(request, server, connection)
        condition = condition_of(request)
        write.delete(
            connection, caller.viewer, kind, id_of(entry_id), origin=caller.origin, condition=condition
        )
    return Response(None, 204, {"Cache-Control": "no-store"})


def refuse_fixed_address(request: Request) -> None:
    """Raise the refusal of a method where the address only looks like that of a kind of entries."""
    if request.method not in allowed_methods(request):
        raise HTTPException(405)


def id_of(text: str) -> int:
    """Return the id that an address names; raises NotFound for what can be nobody's id."""
    if not _ID.fullmatch(text) or int(text) > LARGEST_ID:
        raise NotFound("There is nothing at this address.", hint="An id is a whole number from 1.")
    return int(text)


def asked_level(level: str | None, privacy_level: str | None) -> str | None:
    """Return the level asked for, by its name or its older one; raises UsageError where they differ."""
    if level is not None and privacy_level is not None and level != privacy_level:
        raise UsageError("level and privacy_level differ.", hint="Send one of them.")
    return level if level is not None else privacy_level


def content_of(request: Request, body: bytes) -> object:
    """Return the JSON value of the body; raises WrongMediaType and InvalidContent."""
    check_is_json(request)
    return parse_body(body)


def _list(
    request: Request,
    server: ServerState,
    kind: str,
    owner: str | None,
    level: str | None,
    part: Part,
) -> Response:
    found = look(server, client_of(request, server), Question(kind, level=level, owner=owner, part=part))
    link = _link_to_next(request, found.next, part)
    return reply_to(request, server, found.caller, found.generation, found.value, link)


def _link_to_next(request: Request, cursor: str | None, part: Part) -> dict[str, str]:
    if cursor is None:
        return {}
    asked = {name: value for name, value in request.query_params.items() if not is_tracker(name)}
    if part.may_be_cut:
        query = urlencode({**asked, "cursor": cursor})
    else:
        query = urlencode({**asked, "page": part.skipped // part.count + 2})
    return {"Link": f'<?{query}>; rel="next"'}


def _written(
    request: Request, written: Written, status: int, headers: dict[str, str] | None = None
) -> Response:
    return reply(request, written.item, is_public=False, status=status, headers=headers)
