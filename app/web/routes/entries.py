"""Entries over HTTP: read, create, replace, change and delete, one address for every kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, NoReturn, TypeVar
from urllib.parse import quote, urlencode

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.accounts.key_scope import Verb
from app.entries import read, write
from app.entries.draft import draft_of
from app.entries.entry import LIMIT_DEFAULT, Written, parse_body
from app.entries.list_filter import ListFilter, list_filter
from app.entries.parts import Part, by_cursor, by_page
from app.entries.question import Question
from app.entries.searched_texts import NotSearchedYet, SearchedTexts
from app.entries.slugs import is_slug
from app.errors import DaemonError, UsageError
from app.formats.entry_forms import without_suffix
from app.server.authenticate import Asked, Caller
from app.server.entry_lookup import look
from app.server.state import ServerState
from app.web.answers import reply
from app.web.bodies import check_is_json
from app.web.conditions import PreconditionFailed, check_match, condition_of, is_only_if_absent
from app.web.deps import ServerOf, body_of_writer, client_of, writer_of
from app.web.entry_forms import AskedForm, answer_in_form, look_with_suffix
from app.web.errors import allowed_methods
from app.web.idempotency import carried_out_once, is_keyed
from app.web.json_bodies import RawBody
from app.web.models.entries import Content, Entry, Page
from app.web.models.parameters import (
    ActiveOnly,
    Cursor,
    Fields,
    IdOrSlug,
    Level,
    Limit,
    Name,
    OlderLevel,
    PageNumber,
    Since,
    Size,
    Slug,
    Sort,
    Status,
    Tag,
    Until,
    Words,
)
from app.web.operation import (
    ANYBODY,
    WRITER,
    in_all_forms,
    made_once,
    operation,
    or_made,
    read_operation,
    router_of,
)
from app.web.parameters import id_of, is_tracker

T = TypeVar("T")

router = router_of("entries", "/api/v1")
HINT = "An id is a whole number from 1; a slug begins with a small letter."
_REFUSED = (404, 412)
DONE_HERE_CHARACTERS = 1_024  # so much is searched where all are answered; what is longer in another thread


VERBS: dict[str, Verb] = {"POST": "create", "PUT": "change", "PATCH": "change", "DELETE": "delete"}


async def _read(request: Request, server: ServerState) -> bytes:
    refuse_fixed_address(request)
    say_what_is_done(request, server, request.path_params["kind"])
    return await body_of_writer(request, server)


Body = Annotated[bytes, Depends(RawBody(Content, _read))]


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


@router.get("/{kind}", **in_all_forms(read_operation("entries_list", Page, 404, who=ANYBODY)))
def list_entries(
    request: Request,
    server: ServerOf,
    kind: Name,
    part: PartOf,
    chosen: FilterOf,
    level: Level = None,
    privacy_level: OlderLevel = None,
    active_only: ActiveOnly = True,
) -> Response:
    """List the entries of a kind: one's own, or for strangers the public ones of anyone who lives here."""
    return list_of(request, server, kind, None, asked_level(level, privacy_level), part, chosen)


@router.get(
    "/{kind}/users/{username:path}",
    **in_all_forms(read_operation("entries_list_of_user", Page, 404, who=ANYBODY)),
)
def list_entries_of_user(
    request: Request,
    server: ServerOf,
    kind: Name,
    username: Name,
    part: PartOf,
    chosen: FilterOf,
    level: Level = None,
    privacy_level: OlderLevel = None,
    active_only: ActiveOnly = True,
) -> Response:
    """List the entries of one person."""
    return list_of(request, server, kind, username, asked_level(level, privacy_level), part, chosen)


@router.get("/{kind}/{entry_id}", **in_all_forms(read_operation("entries_get", Entry, 404, who=ANYBODY)))
def get_entry(
    request: Request,
    server: ServerOf,
    kind: Name,
    entry_id: IdOrSlug,
    level: Level = None,
    privacy_level: OlderLevel = None,
) -> Response:
    """Return one entry as far as the caller may see it."""
    name, suffix = without_suffix(entry_id) or (entry_id, None)
    number, slug = named_in_path(name)
    asked = Question(kind, level=asked_level(level, privacy_level), entry_id=number, slug=slug)
    found = look(server, client_of(request, server), asked)
    return answer_in_form(request, server, found, AskedForm(kind, suffix, is_list=False))


@router.post(
    "/{kind}", **made_once(operation("entries_create", Entry, *_REFUSED, 409, who=WRITER, status=201))
)
async def create_entry(
    request: Request, server: ServerOf, kind: Name, body: Body, slug: Slug = None
) -> Response:
    """Write a new entry."""
    return await create(request, server, kind, body, slug)


async def create(
    request: Request, server: ServerState, kind: str, body: bytes, slug: str | None = None
) -> Response:
    """Write a new entry; for the framework, and for who answers without it, after `say_what_is_done`."""
    draft = await _prepared(body, lambda: draft_of(kind, content_of(request, body), is_parsed=True))

    def made(connection: Connection, caller: Caller, texts: SearchedTexts) -> Written:
        check_match(request)
        said, origin = draft(), caller.origin
        return write.create(connection, caller.viewer, kind, said, origin=origin, texts=texts, slug=slug)

    if is_keyed(request):
        return await _created_once(request, server, kind, made)
    written = await _write(request, server, made)
    return await _answer_written(request, written, 201, _beside_list(kind, written))


async def _created_once(
    request: Request,
    server: ServerState,
    kind: str,
    made: Callable[[Connection, Caller, SearchedTexts], Written],
) -> Response:
    """Answer a POST with an idempotency key: the answer is made in the transaction that keeps it."""
    with carried_out_once(request, server) as once:

        def keep(connection: Connection, caller: Caller, texts: SearchedTexts) -> Response:
            user_id = caller.viewer.user_id
            if (kept := once.kept(connection, user_id)) is not None:
                return kept
            written = made(connection, caller, texts)
            answer = _written(request, written, 201, _beside_list(kind, written))
            return once.keep(connection, user_id, answer, [written.id])

        return await _write(request, server, keep)


def _beside_list(kind: str, written: Written) -> dict[str, str]:
    return {"Location": f"{quote(kind, safe='')}/{written.id}"}  # beside the address of the list


@router.put(
    "/{kind}/{entry_id}",
    **or_made(operation("entries_replace", Entry, *_REFUSED, 409, who=WRITER)),
)
async def replace_entry(
    request: Request, server: ServerOf, kind: Name, entry_id: IdOrSlug, body: Body, slug: Slug = None
) -> Response:
    """Put new content in the place of an entry's; its visibility stays unless the content says another.

    With `If-None-Match: *` at the address of a slug it makes a new entry of that slug, or is refused (412).
    """
    if _is_to_be_made(request):
        return await _create_named(request, server, kind, entry_id, body, slug)
    return await _change(write.replace, request, server, kind, entry_id, body, slug)


@router.patch("/{kind}/{entry_id}", **operation("entries_change", Entry, *_REFUSED, 409, who=WRITER))
async def change_entry(
    request: Request, server: ServerOf, kind: Name, entry_id: IdOrSlug, body: Body, slug: Slug = None
) -> Response:
    """Change an entry by a JSON merge patch (RFC 7396)."""
    return await _change(write.merge, request, server, kind, entry_id, body, slug)


@router.delete("/{kind}/{entry_id}", **operation("entries_delete", None, *_REFUSED, who=WRITER, status=204))
async def delete_entry(request: Request, server: ServerOf, kind: Name, entry_id: IdOrSlug) -> Response:
    """Delete an entry; afterwards no one finds it."""
    refuse_fixed_address(request)
    say_what_is_done(request, server, kind)

    def forget(connection: Connection, caller: Caller, _texts: SearchedTexts) -> None:
        number = _number(connection, caller, kind, entry_id)
        condition = condition_of(request)
        write.delete(connection, caller.viewer, kind, number, origin=caller.origin, condition=condition)

    await _write(request, server, forget)
    return Response(None, 204, {"Cache-Control": "no-store"})


async def _change(
    how: Callable[..., Written],
    request: Request,
    server: ServerState,
    kind: str,
    entry_id: str,
    body: bytes,
    slug: str | None,
) -> Response:
    """Answer PUT or PATCH, by `write.replace` or `write.merge`."""
    content = await _prepared(body, lambda: content_of(request, body))

    def keep(connection: Connection, caller: Caller, texts: SearchedTexts) -> Written:
        said, condition = content(), condition_of(request)
        number = _number(connection, caller, kind, entry_id)
        return how(
            connection,
            caller.viewer,
            kind,
            number,
            said,
            origin=caller.origin,
            condition=condition,
            texts=texts,
            slug=slug,
        )

    return await _answer_written(request, await _write(request, server, keep), 200)


def named_in_path(text: str) -> tuple[int | None, str | None]:
    """Return the id, or else the slug, that a path names; raises NotFound for what can be neither."""
    return (None, text) if is_slug(text) else (id_of(text, hint=HINT), None)


def _number(connection: Connection, caller: Caller, kind: str, text: str) -> int:
    """Return the id of the entry that a path names to a caller; raises NotFound."""
    return (
        read.named_entry(connection, caller.viewer, kind, text) if is_slug(text) else id_of(text, hint=HINT)
    )


async def _prepared(body: bytes, prepare: Callable[[], T]) -> Callable[[], T]:
    """Return what gives the value that is prepared of a body, or raises what is wrong with that."""
    if len(body) <= DONE_HERE_CHARACTERS:
        return _outcome(prepare)
    return await run_in_threadpool(_outcome, prepare)


def _outcome(prepare: Callable[[], T]) -> Callable[[], T]:
    try:
        value = prepare()
    except DaemonError as error:
        return partial(_refuse, error)
    return lambda: value


def _refuse(error: DaemonError) -> NoReturn:
    raise error


async def _write(
    request: Request, server: ServerState, keep: Callable[[Connection, Caller, SearchedTexts], T]
) -> T:
    """Return what ``keep`` returns, once it is on the disk. It is called again where it asks for a search."""
    texts = SearchedTexts()

    def work(connection: Connection) -> T:
        return keep(connection, writer_of(request, server, connection), texts)

    while True:
        try:
            return await server.writes.write(work)
        except NotSearchedYet as missing:
            await run_in_threadpool(texts.search, missing)


async def _answer_written(
    request: Request, written: Written, status: int, headers: dict[str, str] | None = None
) -> Response:
    if written.size <= DONE_HERE_CHARACTERS:
        return _written(request, written, status, headers)
    return await run_in_threadpool(_written, request, written, status, headers)


async def _create_named(
    request: Request, server: ServerState, kind: str, name: str, body: bytes, slug: str | None
) -> Response:
    """Answer a PUT that makes the entry of a slug, and changes none."""
    if slug is not None and slug != name:
        raise UsageError("The address and `slug` name two slugs.", hint="Leave `slug` out.")
    draft = await _prepared(body, lambda: draft_of(kind, content_of(request, body), is_parsed=True))

    def keep(connection: Connection, caller: Caller, texts: SearchedTexts) -> Written:
        said, origin = draft(), caller.origin
        if read.find_named_entry(connection, caller.viewer, kind, name) is not None:
            raise PreconditionFailed(
                f"There is an entry of the slug {name!r} already; nothing was changed.",
                hint="Without If-None-Match it is replaced.",
            )
        check_match(request)
        return write.create(connection, caller.viewer, kind, said, origin=origin, texts=texts, slug=name)

    written = await _write(request, server, keep)
    return await _answer_written(request, written, 201, {"Location": str(written.id)})


def _is_to_be_made(request: Request) -> bool:
    """Whether a request is to make the entry of a slug; an id is given by the server only."""
    is_named = request.method == "PUT" and is_slug(request.path_params["entry_id"])
    return is_named and is_only_if_absent(request)


def say_what_is_done(request: Request, server: ServerState, kind: str) -> None:
    """Say what a request does with entries of which kind, for an API key that may not do everything."""
    verb = VERBS[request.method]
    is_made = verb == "change" and "entry_id" in request.path_params and _is_to_be_made(request)
    client_of(request, server).asked = Asked("create" if is_made else verb, kind)


def refuse_fixed_address(request: Request) -> None:
    """Raise the refusal of a method where the address only looks like that of a kind of entries."""
    if request.method not in allowed_methods(request):
        raise HTTPException(405)


def asked_level(level: str | None, privacy_level: str | None) -> str | None:
    """Return the level asked for, by its name or its older one; raises UsageError where they differ."""
    if level is not None and privacy_level is not None and level != privacy_level:
        raise UsageError("level and privacy_level differ.", hint="Send one of them.")
    return level if level is not None else privacy_level


def content_of(request: Request, body: bytes) -> object:
    """Return the JSON value of the body; raises WrongMediaType and InvalidContent."""
    check_is_json(request)
    return parse_body(body)


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


def _written(
    request: Request, written: Written, status: int, headers: dict[str, str] | None = None
) -> Response:
    return reply(request, written.item, is_public=False, status=status, headers=headers)
