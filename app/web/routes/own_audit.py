"""One's own part of the audit: what one did, and what was done about one. Never with a key."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from app.accounts import audit_reading
from app.accounts.audit_reading import Wanted
from app.entries.cursors import make_own_cursor, read_own_cursor
from app.entries.entry import LIMIT_DEFAULT, check_limit
from app.entries.own_audit import own_audit_view
from app.web.answers import reply
from app.web.deps import ServerOf, account_of
from app.web.models.admin import OwnAuditPage
from app.web.models.parameters import Cursor, Limit
from app.web.operation import ACCOUNT, read_operation, router_of

AUDIT = "audit"
router = router_of("accounts", "/auth")


@router.get("/audit", **read_operation("own_audit", OwnAuditPage, who=ACCOUNT))
def list_own_audit(
    request: Request, server: ServerOf, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """List what one did, and what others did about one: an admin who read what is private, for example."""
    most, key = check_limit(limit), server.cursor_key
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        before = None if cursor is None else read_own_cursor(key, AUDIT, user.id, cursor)
        found = audit_reading.look(connection, Wanted(user_id=user.id), most, before)
        items = [own_audit_view(row, user.id) for row in audit_reading.rows_of(connection, found.ids)]
    # The place is an id that counts what everyone does: no one is told that.
    following = None if found.next is None else make_own_cursor(key, AUDIT, user.id, found.next)
    return reply(request, {"items": items, "next": following}, is_public=False)
