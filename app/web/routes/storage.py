"""Storage of members: how much one uses and may; what admins let each store. Never with a key."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from app import clock
from app.accounts import audit
from app.entries import storage_use
from app.web.answers import reply
from app.web.deps import ServerOf, account_of, admin_of, body_of_admin
from app.web.json_bodies import ModelBody
from app.web.models.admin import ChangedStorage, Storage
from app.web.models.parameters import Id
from app.web.operation import ACCOUNT, ADMIN, operation, read_operation, router_of
from app.web.routes.admin_people import person

router = router_of("accounts")
PLACE = "/api/v1/admin/users/{user_id}/storage"
ChangedStorageOf = Annotated[ChangedStorage, Depends(ModelBody(ChangedStorage, body_of_admin))]


@router.get("/auth/storage", **read_operation("own_storage", Storage, who=ACCOUNT))
def get_own_storage(request: Request, server: ServerOf) -> Response:
    """Return how much one has stored here, and how much one may."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        found = storage_use.as_json(connection, user.id)
    return reply(request, found, is_public=False)


@router.get(PLACE, **read_operation("admin_storage", Storage, 404, who=ADMIN))
def get_storage(request: Request, server: ServerOf, user_id: Id) -> Response:
    """Return how much a person has stored here, and how much they may."""
    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
        found = storage_use.as_json(connection, person(connection, user_id).id)
    return reply(request, found, is_public=False)


@router.put(PLACE, **operation("admin_storage_change", Storage, 404, who=ADMIN))
def change_storage(request: Request, server: ServerOf, user_id: Id, body: ChangedStorageOf) -> Response:
    """Let a person store so much; null, or left out: what everyone may."""
    said = {"most_entries": body.most_entries, "most_bytes": body.most_bytes}
    with server.supervisor.writing() as connection:
        actor = admin_of(request, server, connection)
        found = person(connection, user_id)
        storage_use.set_limits(connection, found.id, **said)
        audit.record(
            connection, audit.STORAGE, "users", found.id, now=clock.now(), new_values=said, **vars(actor)
        )
        value = storage_use.as_json(connection, found.id)
    return reply(request, value, is_public=False)
