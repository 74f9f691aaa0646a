"""Operations over HTTP: how far is what one began, and how did it end? One's own only, never with a key."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from app import clock
from app.accounts import operations
from app.accounts.operations import Operation
from app.errors import NotFound
from app.server import going_back
from app.web.answers import reply
from app.web.deps import ServerOf, account_of
from app.web.models import operations as model
from app.web.models.parameters import Id
from app.web.operation import ACCOUNT, read_operation, router_of
from app.web.parameters import id_of
from app.web.references import reference_to

PLACE = "/api/v1/operations"
HINT = "GET /api/v1/operations lists your operations."
router = router_of("operations", PLACE)


@router.get("", **read_operation("operations_list", model.OperationPage, who=ACCOUNT))
def list_operations(request: Request, server: ServerOf) -> Response:
    """List what one began and what is kept of it, the newest first."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        found = operations.list_own(connection, user.id, clock.now())
    return reply(request, {"items": [each.as_json() for each in found], "next": None}, is_public=False)


@router.get("/{operation_id}", **read_operation("operations_get", model.Operation, 404, who=ACCOUNT))
def get_operation(request: Request, server: ServerOf, operation_id: Id) -> Response:
    """Say how far an operation is, or how it ended; admins of every restore and rollback, too."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        wanted = id_of(operation_id, hint=HINT)
        found = operations.find_own(connection, user.id, wanted, clock.now())
    if found is None and user.is_admin:
        found = going_back.find_operation(server.settings, wanted)
    if found is None:
        raise NotFound(f"There is no operation {operation_id}.", hint=HINT)
    return reply(request, found.as_json(), is_public=False)


def accepted(request: Request, begun: Operation) -> Response:
    """Answer 202 with an operation that was begun, and where to ask how far it is."""
    headers = {"Location": reference_to(request.scope, f"{PLACE}/{begun.id}")}
    return reply(request, begun.as_json(), is_public=False, status=202, headers=headers)
