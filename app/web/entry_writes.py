"""Writing entries over HTTP (body, turn, answer). How is what was sent written, and what is answered?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, NoReturn, TypeVar
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.accounts.key_scope import Verb
from app.entries import read, write
from app.entries.draft import draft_of
from app.entries.entry import Written, parse_body
from app.entries.searched_texts import NotSearchedYet, SearchedTexts
from app.entries.slugs import is_slug
from app.errors import DaemonError, UsageError
from app.server.authenticate import Asked, Caller
from app.server.state import ServerState
from app.web.answers import reply
from app.web.bodies import check_is_json
from app.web.conditions import PreconditionFailed, check_match, condition_of, is_only_if_absent
from app.web.deps import body_of_writer, client_of, writer_of
from app.web.errors import allowed_methods
from app.web.idempotency import carried_out_once, is_keyed
from app.web.json_bodies import RawBody
from app.web.models.entries import Content
from app.web.parameters import id_of

T = TypeVar("T")
HINT = "An id is a whole number from 1; a slug begins with a small letter."
DONE_HERE_CHARACTERS = 1_024  # so much is searched where all are answered; what is longer in another thread
VERBS: dict[str, Verb] = {"POST": "create", "PUT": "change", "PATCH": "change", "DELETE": "delete"}


async def _read(request: Request, server: ServerState) -> bytes:
    refuse_fixed_address(request)
    say_what_is_done(request, server, request.path_params["kind"])
    return await body_of_writer(request, server)


Body = Annotated[bytes, Depends(RawBody(Content, _read))]


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
    written = await write_entry(request, server, made)
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

        return await write_entry(request, server, keep)


def _beside_list(kind: str, written: Written) -> dict[str, str]:
    return {"Location": f"{quote(kind, safe='')}/{written.id}"}  # beside the address of the list


async def change(
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
        number = number_of(connection, caller, kind, entry_id)
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

    return await _answer_written(request, await write_entry(request, server, keep), 200)


async def remove(request: Request, server: ServerState, kind: str, entry_id: str) -> Response:
    """Answer DELETE; after `say_what_is_done`."""

    def forget(connection: Connection, caller: Caller, _texts: SearchedTexts) -> None:
        number = number_of(connection, caller, kind, entry_id)
        condition = condition_of(request)
        write.delete(connection, caller.viewer, kind, number, origin=caller.origin, condition=condition)

    await write_entry(request, server, forget)
    return Response(None, 204, {"Cache-Control": "no-store"})


async def create_named(
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

    written = await write_entry(request, server, keep)
    return await _answer_written(request, written, 201, {"Location": str(written.id)})


def named_in_path(text: str) -> tuple[int | None, str | None]:
    """Return the id, or else the slug, that a path names; raises NotFound for what can be neither."""
    return (None, text) if is_slug(text) else (id_of(text, hint=HINT), None)


def number_of(connection: Connection, caller: Caller, kind: str, text: str) -> int:
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


async def write_entry(
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


def _written(
    request: Request, written: Written, status: int, headers: dict[str, str] | None = None
) -> Response:
    return reply(request, written.item, is_public=False, status=status, headers=headers)


def is_to_be_made(request: Request) -> bool:
    """Whether a request is to make the entry of a slug; an id is given by the server only."""
    is_named = request.method == "PUT" and is_slug(request.path_params["entry_id"])
    return is_named and is_only_if_absent(request)


def say_what_is_done(request: Request, server: ServerState, kind: str) -> None:
    """Say what a request does with entries of which kind, for an API key that may not do everything."""
    verb = VERBS[request.method]
    is_made = verb == "change" and "entry_id" in request.path_params and is_to_be_made(request)
    client_of(request, server).asked = Asked("create" if is_made else verb, kind)


def refuse_fixed_address(request: Request) -> None:
    """Raise the refusal of a method where the address only looks like that of a kind of entries."""
    if request.method not in allowed_methods(request):
        raise HTTPException(405)


def content_of(request: Request, body: bytes) -> object:
    """Return the JSON value of the body; raises WrongMediaType and InvalidContent."""
    check_is_json(request)
    return parse_body(body)
