"""Oneself: everything as one ZIP, and leaving. Never with a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from starlette.responses import FileResponse, Response

from app import clock
from app.accounts import departures, operations
from app.accounts.login import STAY_HINT
from app.backup.holders import find_holders
from app.errors import NotFound
from app.formats.archive import MEDIA_TYPE
from app.server import person_exports
from app.upgrade.detect.identity import identity_of
from app.web.answers import reply
from app.web.deps import ServerOf, body_of_account, confirmed_account_of
from app.web.json_bodies import ModelBody
from app.web.models import accounts
from app.web.models import operations as model
from app.web.models.parameters import Id
from app.web.operation import ACCOUNT, operation, router_of
from app.web.parameters import id_of
from app.web.routes.operations import HINT, accepted

if TYPE_CHECKING:
    from app.accounts.departure_rows import Departure
    from app.erasures import Erasure
    from app.server.state import ServerState

router = router_of("operations", "/api/v1")
LeaveOf = Annotated[accounts.Leave, Depends(ModelBody(accounts.Leave, body_of_account))]
_FILE = operation("operations_file", None, 404, who=ACCOUNT)
_FILE["responses"][200] = {"description": "The file.", "content": {MEDIA_TYPE: {}}}
_FILE["response_class"] = Response  # no JSON


@router.post("/me/export", **operation("me_export", model.Operation, 409, who=ACCOUNT, status=202))
def export_everything(request: Request, server: ServerOf) -> Response:
    """Begin to make one ZIP of everything that is here about oneself. Asks for the password again."""
    with server.supervisor.reading() as connection:
        user, actor = confirmed_account_of(request, server, connection)
    return accepted(request, person_exports.begin(server, user, actor))


@router.post("/me/departure", **operation("me_leave", accounts.Leaving, 409, who=ACCOUNT, status=202))
def leave(request: Request, server: ServerOf, body: LeaveOf) -> Response:
    """Leave: at once nothing of oneself is shown any more, and in seven days, or now, all of it is erased.

    Until then it can be undone with name and password. Asks for the password again.
    """
    with server.supervisor.writing() as connection:
        user, actor = confirmed_account_of(request, server, connection)
        found = departures.leave(connection, user, clock.now(), at_once=body.now, actor=actor)
        line = departures.line_of(connection, found)
    value = leaving_view(server, found, line, undo=None if body.now else STAY_HINT)
    return reply(request, value, is_public=False, status=202)


def leaving_view(
    server: ServerState, found: Departure, line: Erasure, *, undo: str | None
) -> dict[str, object]:
    """Return what is said of someone who leaves: until when it can be undone, and what backups hold."""
    holders = find_holders(server.settings, identity_of(server.settings, serving=True), line)
    return {
        "asked_at": clock.rfc3339(found.asked_at),
        "final_at": clock.rfc3339(found.due_at),
        "undo": undo,
        "backups": [vars(one) for one in holders],
    }


@router.get("/operations/{operation_id}/file", **_FILE)
def fetch_file(request: Request, server: ServerOf, operation_id: Id) -> Response:
    """Fetch the file that one's own operation has left, until it expires. Asks for the password again."""
    with server.supervisor.reading() as connection:
        user, _actor = confirmed_account_of(request, server, connection)
        found = operations.find_own(connection, user.id, id_of(operation_id, hint=HINT), clock.now())
    path = None if found is None else person_exports.find_file(server.settings, found)
    if found is None or path is None:
        raise NotFound("This operation has no file, or not any more.", hint="POST /api/v1/me/export")
    headers = {"Cache-Control": "no-store"}
    return FileResponse(path, headers=headers, media_type=MEDIA_TYPE, filename=found.file_name)
