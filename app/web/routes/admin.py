"""What happened here? The audit and the journal, for admins who have logged in. Never with a key."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Query, Request
from starlette.responses import Response

from app import clock, journal
from app.accounts import audit_reading, users
from app.accounts.audit_reading import Wanted
from app.entries.entry import LIMIT_DEFAULT, check_limit, json_bytes
from app.entries.json_safe import presentable
from app.entries.parts import MOST_BYTES
from app.entries.shown_audit import audit_view
from app.errors import UsageError
from app.web.answers import reply
from app.web.deps import ServerOf, admin_of
from app.web.models.admin import AuditPage, JournalPage
from app.web.models.parameters import IdCursor, Limit, Text, Timestamp
from app.web.operation import ADMIN, read_operation, router_of
from app.web.parameters import id_in_cursor

if TYPE_CHECKING:
    from sqlalchemy import Connection

router = router_of("admin")

Username = Annotated[Text, Query(alias="user", description="By or about this account.")]
Action = Annotated[Text, Query(description="Rows of this action only.")]
Since = Annotated[Timestamp, Query(description="From this moment on, with its zone.")]


async def wanted_of(
    user: Username = None, action: Action = None, since: Since = None
) -> tuple[str | None, Wanted]:
    """Return whose rows, by name, and which else; raises UsageError."""
    if action == "":
        raise UsageError("action is empty.", hint="docs/audit.md lists the actions, as in action=LOGIN")
    return user, Wanted(action=action, since=None if since is None else _moment(since))


WantedOf = Annotated[tuple[str | None, Wanted], Depends(wanted_of)]


@router.get("/api/v1/admin/audit", **read_operation("admin_audit", AuditPage, 404, who=ADMIN))
def list_audit(
    request: Request,
    server: ServerOf,
    wanted: WantedOf,
    limit: Limit = LIMIT_DEFAULT,
    cursor: IdCursor = None,
) -> Response:
    """List what is in the audit, newest first."""
    most, before = _part(limit, cursor)
    with server.supervisor.reading() as connection:
        actor = admin_of(request, server, connection)
        username, which = wanted
        if username is not None:
            which = dataclasses.replace(which, user_id=users.get_user(connection, username).id)
        found = audit_reading.look(connection, which, most, before)
        items = _filled(connection, found.ids)
    following = found.next if len(items) == len(found.ids) else items[-1]["id"]
    server.pending_audit.saw_audit(actor)
    return _page(request, items, following)


router.get("/admin/audit", **read_operation("admin_audit_old", AuditPage, 404, who=ADMIN), deprecated=True)(
    list_audit
)


@router.get("/api/v1/admin/journal", **read_operation("admin_journal", JournalPage, who=ADMIN))
def list_journal(
    request: Request, server: ServerOf, limit: Limit = LIMIT_DEFAULT, cursor: IdCursor = None
) -> Response:
    """List what the journal tells of upgrades, backups and restores, newest first."""
    most, before = _part(limit, cursor)
    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
    lines, following = journal.read_back(server.settings, most, before)
    return _page(request, [presentable(dataclasses.asdict(line)) for line in lines], following)


def _part(limit: int, cursor: str | None) -> tuple[int, int | None]:
    return check_limit(limit), None if cursor is None else id_in_cursor(cursor)


def _page(request: Request, items: list[dict[str, Any]], following: int | None) -> Response:
    value = {"items": items, "next": None if following is None else str(following)}
    return reply(request, value, is_public=False)


def _filled(connection: Connection, ids: tuple[int, ...]) -> list[dict[str, Any]]:
    """Return rows as long as they fit into about a megabyte, one at least."""
    items: list[dict[str, Any]] = []
    room = 0
    for row in audit_reading.rows_of(connection, ids):
        item = audit_view(row)
        room += len(json_bytes(item))
        if items and room > MOST_BYTES:
            break
        items.append(item)
    return items


def _moment(text: str) -> datetime:
    moment = clock.parse_stored(text)
    if moment is None or datetime.fromisoformat(text.strip()).tzinfo is None:
        raise UsageError("since is a moment with its zone.", hint="As in since=2030-01-31T12:00:00Z")
    return moment
