"""What is mine, and what became of it? What was deleted, erased, read by assistants. Never with a key."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Query, Request
from sqlalchemy import Row
from starlette.responses import Response

from app import clock, erasures
from app.accounts import ai_reads
from app.backup.holders import find_holders, receipt
from app.entries import undo
from app.entries.cursors import make_own_cursor, read_own_cursor
from app.entries.entry import LIMIT_DEFAULT, check_limit
from app.entries.json_safe import stored_text, whole_text
from app.entries.own_entries import IDS_MOST, Wanted, own_entries
from app.entries.visibility import WORDS
from app.erasures import OfToday
from app.errors import UsageError
from app.upgrade.detect.identity import identity_of
from app.upgrade.records.data_folder import files_that_may_hold_erased
from app.web.answers import reply
from app.web.deps import ServerOf, account_of
from app.web.models import history as model
from app.web.models.base import form
from app.web.models.parameters import Cursor, IdCursor, Limit
from app.web.operation import ACCOUNT, read_operation, router_of
from app.web.parameters import id_in_cursor

AI_READS = "ai-reads"
router = router_of("me", "/api/v1/me")
_ID = "[1-9][0-9]{0,17}"
_IDS = re.compile(f"{_ID}(,{_ID}){{0,{IDS_MOST - 1}}}")
Ids = Annotated[
    str | None,
    form(type="string", pattern=f"^{_IDS.pattern}$"),
    Query(description=f"These only: up to {IDS_MOST} ids with commas between."),
]
OfVisibility = Annotated[
    str | None, form(type="string", enum=list(WORDS)), Query(description="Those that may be seen so.")
]
Unheard = Annotated[
    bool,
    Query(description="Those that are shown though words of theirs, from before 0.7.0, would hide them."),
]


@router.get("/entries", **read_operation("own_entries", model.OwnEntryPage, who=ACCOUNT))
def list_own(
    request: Request,
    server: ServerOf,
    visibility: OfVisibility = None,
    unheard: Unheard = False,
    ids: Ids = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: IdCursor = None,
) -> Response:
    """List one's own entries of every kind, by id: what each is called, and who may see it."""
    if visibility is not None and visibility not in WORDS:
        raise UsageError("There is no such visibility.", hint=f"Known: {', '.join(WORDS)}.")
    wanted = Wanted(visibility, unheard, None if ids is None else _ids_in(ids))
    most, below = check_limit(limit), None if cursor is None else id_in_cursor(cursor)
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        found, following = own_entries(connection, user.id, wanted, below, most, clock.now())
    value = {"items": found, "next": None if following is None else str(following)}
    return reply(request, value, is_public=False)


def _ids_in(text: str) -> tuple[int, ...]:
    if not _IDS.fullmatch(text):
        raise UsageError(f"ids are up to {IDS_MOST} ids with commas between.", hint="ids=1,2,3")
    return tuple(map(int, text.split(",")))


@router.get("/deleted", **read_operation("deleted_list", model.DeletedPage, who=ACCOUNT))
def list_deleted(
    request: Request, server: ServerOf, limit: Limit = LIMIT_DEFAULT, cursor: IdCursor = None
) -> Response:
    """List one's own deleted entries, which can be undeleted or erased."""
    most, below = check_limit(limit), None if cursor is None else id_in_cursor(cursor)
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        found = undo.deleted(connection, user.id, below, most + 1)
    items = [_deleted_view(row) for row in found[:most]]
    following = str(found[most - 1].id) if len(found) > most else None
    return reply(request, {"items": items, "next": following}, is_public=False)


@router.get("/erasures", **read_operation("erasures_list", model.ReceiptPage, who=ACCOUNT))
def list_erasures(
    request: Request, server: ServerOf, limit: Limit = LIMIT_DEFAULT, cursor: IdCursor = None
) -> Response:
    """List the receipts of what one has had erased, as they are now: which backups may still hold it."""
    most, after_id = check_limit(limit), 0 if cursor is None else id_in_cursor(cursor)
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        database = OfToday(connection)
        found = erasures.of_person(database, user.id, after_id, most + 1)
        since = erasures.scrubbed_at(database)
    identity = identity_of(server.settings, serving=True) if found else None
    files = files_that_may_hold_erased(server.settings) if found else []
    items = [
        receipt(
            line, find_holders(server.settings, identity, line), files, is_scrubbed=line.erased_at < since
        )
        for line in found[:most]
    ]
    following = str(found[most - 1].record_id) if len(found) > most else None
    return reply(request, {"items": items, "next": following}, is_public=False)


@router.get("/ai-reads", **read_operation("ai_reads_list", model.AiReadPage, who=ACCOUNT))
def list_ai_reads(
    request: Request, server: ServerOf, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """List what assistants have read of one's own entries in the last thirty days, the newest first."""
    most, key = check_limit(limit), server.cursor_key
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        before = None if cursor is None else read_own_cursor(key, AI_READS, user.id, cursor)
        items, following = ai_reads.listed(connection, user.id, most, before)
    # The place is an id that counts what is read of everyone: no one is told that.
    token = None if following is None else make_own_cursor(key, AI_READS, user.id, following)
    return reply(request, {"items": items, "next": token}, is_public=False)


def _deleted_view(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": whole_text(row.kind),
        "excerpt": whole_text(stored_text(row.beginning)),
        "size_bytes": row.size_bytes,
        "created_at": _time(row.created_at),
        "deleted_at": _time(row.updated_at),
    }


def _time(stored: object) -> str | None:
    return None if stored is None else whole_text(clock.rfc3339(str(stored)))
