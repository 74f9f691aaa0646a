"""Revisions over HTTP: list, read, compare, restore; undelete and erase. Never with a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Query, Request
from sqlalchemy import Connection, Row
from starlette.responses import Response

from app.backup.holders import find_holders, receipt
from app.entries import erase, history, read, undo
from app.entries.endpoints import Endpoint
from app.entries.entry import LIMIT_DEFAULT, Written, check_limit
from app.entries.searched_texts import NotSearchedYet, SearchedTexts
from app.entries.slugs import is_slug
from app.errors import UsageError
from app.server.authenticate import Caller, check_account, check_confirmed, check_writer
from app.server.state import ServerState
from app.upgrade.detect.identity import identity_of
from app.upgrade.records.data_folder import files_that_may_hold_erased
from app.web.answers import reply
from app.web.deps import ServerOf, caller_of
from app.web.models import history as model
from app.web.models.base import form
from app.web.models.entries import Entry
from app.web.models.parameters import LARGEST_ID, Id, IdCursor, IdOrSlug, Limit, Name
from app.web.operation import ACCOUNT, operation, read_operation, router_of
from app.web.parameters import id_in_cursor, id_of

router = router_of("revisions", "/api/v1")
HINT = "An id is a whole number from 1; a slug begins with a small letter."
REVISION_HINT = "GET the revisions of the entry: it lists their numbers."

_Number = Annotated[str | None, form(type="integer", minimum=1, maximum=LARGEST_ID)]
From = Annotated[_Number, Query(alias="from", description="A revision; without it the one before `to`.")]
To = Annotated[_Number, Query(description="A revision; without it the present one.")]


@router.get(
    "/{kind}/{entry_id}/revisions", **read_operation("revisions_list", model.RevisionPage, 404, who=ACCOUNT)
)
def list_revisions(
    request: Request,
    server: ServerOf,
    kind: Name,
    entry_id: IdOrSlug,
    limit: Limit = LIMIT_DEFAULT,
    cursor: IdCursor = None,
) -> Response:
    """List the states of one's own entry, the present one first; of a deleted one too."""
    most, below = check_limit(limit), None if cursor is None else id_in_cursor(cursor)
    with server.supervisor.reading() as connection:
        row = _kept(request, server, connection, kind, entry_id)
        found = history.states(connection, row, below=below, most=most)
    following = None if found.next is None else str(found.next)
    return reply(request, {"items": found.items, "next": following}, is_public=False)


@router.get(
    "/{kind}/{entry_id}/revisions/{number}",
    **read_operation("revisions_get", model.WholeRevision, 404, who=ACCOUNT),
)
def get_revision(request: Request, server: ServerOf, kind: Name, entry_id: IdOrSlug, number: Id) -> Response:
    """Return one state of one's own entry, with what was in it."""
    with server.supervisor.reading() as connection:
        row = _kept(request, server, connection, kind, entry_id)
        found = history.state_view(history.state(connection, row, id_of(number, hint=REVISION_HINT)))
    return reply(request, found, is_public=False)


@router.get(
    "/{kind}/{entry_id}/difference", **read_operation("revisions_compare", model.Compared, 404, who=ACCOUNT)
)
def compare(
    request: Request,
    server: ServerOf,
    kind: Name,
    entry_id: IdOrSlug,
    before: From = None,
    to: To = None,
) -> Response:
    """Return how two states of one's own entry differ, by JSON Pointer."""
    earlier, later = _number(before), _number(to)
    with server.supervisor.reading() as connection:
        row = _kept(request, server, connection, kind, entry_id)
        found = history.difference(connection, row, earlier, later)
    return reply(request, found, is_public=False)


@router.post(
    "/{kind}/{entry_id}/revisions/{number}/restore",
    **operation("revisions_restore", Entry, 404, 409, who=ACCOUNT),
)
def restore(request: Request, server: ServerOf, kind: Name, entry_id: IdOrSlug, number: Id) -> Response:
    """Give one's own entry the content back that it had. It is shown to no one who does not see it now."""

    def work(connection: Connection, caller: Caller, endpoint: Endpoint, texts: SearchedTexts) -> Written:
        wanted = id_of(number, hint=REVISION_HINT)
        entry = _id(connection, caller, endpoint, entry_id)
        return undo.restore(
            connection, caller.viewer, endpoint, entry, wanted, origin=caller.origin, texts=texts
        )

    return reply(request, _written(request, server, kind, work).item, is_public=False)


@router.post("/{kind}/{entry_id}/undelete", **operation("entries_undelete", Entry, 404, 409, who=ACCOUNT))
def undelete(request: Request, server: ServerOf, kind: Name, entry_id: IdOrSlug) -> Response:
    """Bring one's own deleted entry back as it was."""

    def work(connection: Connection, caller: Caller, endpoint: Endpoint, texts: SearchedTexts) -> Written:
        entry = _id(connection, caller, endpoint, entry_id)
        return undo.undelete(connection, caller.viewer, endpoint, entry, origin=caller.origin, texts=texts)

    return reply(request, _written(request, server, kind, work).item, is_public=False)


@router.post("/{kind}/{entry_id}/erase", **operation("entries_erase", model.Receipt, 404, who=ACCOUNT))
def erase_entry(request: Request, server: ServerOf, kind: Name, entry_id: IdOrSlug) -> Response:
    """Erase one's own entry, deleted or not: nothing of it stays, and no one can bring it back.

    Asks for the password again.
    """
    with server.supervisor.writing() as connection:
        caller, endpoint = _asked(request, server, connection, kind)
        check_confirmed(caller)
        entry = _id(connection, caller, endpoint, entry_id)
        line = erase.erase(connection, caller.viewer, endpoint, entry, origin=caller.origin)
    is_scrubbed = server.scrubbing.scrub()
    identity = identity_of(server.settings, serving=True)
    files = files_that_may_hold_erased(server.settings)
    told = receipt(line, find_holders(server.settings, identity, line), files, is_scrubbed=is_scrubbed)
    return reply(request, told, is_public=False)


# -- inside


def _asked(
    request: Request, server: ServerState, connection: Connection, kind: str
) -> tuple[Caller, Endpoint]:
    """Return who is asking, logged in as a person, and the kind; raises what `check_account` raises.

    A key that reads is told first that it does not write.
    """
    caller = caller_of(request, server, connection)
    if request.method != "GET":
        check_writer(server, connection, caller)
    check_account(caller)
    return caller, read.known_endpoint(connection, caller.viewer, kind)


def _id(connection: Connection, caller: Caller, endpoint: Endpoint, text: str) -> int:
    if is_slug(text):
        return read.named_entry(connection, caller.viewer, endpoint.name, text)
    return id_of(text, hint=HINT)


def _kept(
    request: Request, server: ServerState, connection: Connection, kind: str, entry_id: str
) -> Row[Any]:
    """Return the row of an entry whose history may be seen by who asks; an admin's look is noted."""
    caller, endpoint = _asked(request, server, connection, kind)
    viewer = caller.viewer
    row = history.kept_entry(connection, viewer, endpoint, _id(connection, caller, endpoint, entry_id))
    if row.created_by_id is not None and not viewer.owns(row.created_by_id):
        server.pending_audit.saw_read(viewer, caller.origin, row.created_by_id, endpoint.name)
    return row


def _written(
    request: Request,
    server: ServerState,
    kind: str,
    work: Callable[[Connection, Caller, Endpoint, SearchedTexts], Written],
) -> Written:
    """Return what ``work`` wrote. Long texts are searched outside of the transaction."""
    texts = SearchedTexts()
    while True:
        try:
            with server.supervisor.writing() as connection:
                caller, endpoint = _asked(request, server, connection, kind)
                return work(connection, caller, endpoint, texts)
        except NotSearchedYet as missing:
            texts.search(missing)


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:20]) <= LARGEST_ID:
        raise UsageError("from and to are numbers of revisions.", hint=REVISION_HINT)
    return int(text)
