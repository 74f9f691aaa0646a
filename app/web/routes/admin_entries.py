"""What admins decide of kinds, and which deleted entries they have erased for good. Never with a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Query, Request
from starlette.responses import Response

from app import clock
from app.accounts.operations import Result
from app.entries import all_kinds, cleanup
from app.entries.entry import LIMIT_DEFAULT, check_limit
from app.privacy.viewer import Viewer
from app.web.answers import reply
from app.web.deps import (
    ServerOf,
    admin_of,
    body_of_admin,
    client_of,
    confirmed_admin_account_of,
    confirmed_admin_of,
)
from app.web.json_bodies import ModelBody
from app.web.models import admin as model
from app.web.models.base import form
from app.web.models.operations import Operation
from app.web.models.parameters import Id, IdCursor, Limit
from app.web.operation import ADMIN, operation, read_operation, router_of
from app.web.parameters import id_in_cursor, id_of
from app.web.routes.admin_people import PLACES
from app.web.routes.operations import accepted

if TYPE_CHECKING:
    from app.server.operations import Progress

router = router_of("admin")
ChangedUseOf = Annotated[model.ChangedUse, Depends(ModelBody(model.ChangedUse, body_of_admin))]
Meant = Annotated[
    int | None,
    form(type="integer", minimum=0),
    Query(description="How many are meant: what the GET of this address counted."),
]


def list_kinds(
    request: Request, server: ServerOf, limit: Limit = LIMIT_DEFAULT, cursor: IdCursor = None
) -> Response:
    """List every kind, the installation's and everyone's own, in use or not, by id."""
    most, after = check_limit(limit), 0 if cursor is None else id_in_cursor(cursor)
    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
        found = all_kinds.list_all(connection, after, most + 1)
    following = str(found[most - 1]["id"]) if len(found) > most else None
    return reply(request, {"items": found[:most], "next": following}, is_public=False)


def remove_kind(request: Request, server: ServerOf, endpoint_id: Id) -> Response:
    """Remove a kind that does not come with Daemon, and that no entry is of. Asks for the password again."""
    with server.supervisor.writing() as connection:
        actor = confirmed_admin_of(request, server, connection)
        all_kinds.remove(connection, id_of(endpoint_id, hint=all_kinds.HINT), actor)
    return Response(None, 204, {"Cache-Control": "no-store"})


@router.patch(
    "/api/v1/admin/endpoints/{endpoint_id}",
    **operation("admin_endpoint_change", model.KindOfAnybody, 404, who=ADMIN),
)
def change_kind(request: Request, server: ServerOf, endpoint_id: Id, body: ChangedUseOf) -> Response:
    """Put a kind in use, or take it out: its entries stay, and no stranger is shown them meanwhile."""
    return _use(request, server, endpoint_id, body.is_active)


@router.put(
    "/admin/endpoints/{endpoint_id}/toggle",
    **operation("admin_endpoint_toggle_old", model.KindOfAnybody, 404, who=ADMIN),
    deprecated=True,
)
def toggle_kind(request: Request, server: ServerOf, endpoint_id: Id) -> Response:
    """Put a kind in use that is not, or the other way round."""
    return _use(request, server, endpoint_id, None)


def look_at_cleanup(request: Request, server: ServerOf) -> Response:
    """Count the deleted entries that are past DELETED_DAYS, by kind. Nothing is changed."""
    before = cleanup.limit_of(server.settings, clock.now())
    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
        counts = cleanup.count(connection, before)
    value = {
        "deleted_days": server.settings.deleted_days,
        "deleted_before": None if before is None else clock.rfc3339(before.replace(microsecond=0)),
        "entries": sum(counts.values()),
        "kinds": counts,
    }
    return reply(request, value, is_public=False)


def clean_up(request: Request, server: ServerOf, entries: Meant = None) -> Response:
    """Begin to erase the deleted entries that are past DELETED_DAYS. Asks for the password again.

    Each leaves a receipt for its owner; `entries` has to be the number that the GET of this address counts.
    """
    before = cleanup.limit_of(server.settings, clock.now())
    with server.supervisor.reading() as connection:
        user = confirmed_admin_account_of(request, server, connection)
        total = cleanup.check_count(connection, before, entries)
    viewer, origin = Viewer("admin", user.id, user.username), client_of(request, server).origin

    def work(progress: Progress) -> Result:
        done = 0
        while before is not None:
            progress.note(done, total)
            with server.supervisor.writing() as connection:
                cleared = cleanup.clear_some(connection, viewer, before, origin)
            if not cleared:
                break
            done += cleared
        progress.note(done, total)
        server.scrubbing.scrub()
        return Result()

    return accepted(request, server.operations.start(user.id, "cleanup", work, one_at_all=True))


for at, old in PLACES:
    is_old = bool(old)
    router.get(
        f"{at}/endpoints",
        **read_operation(f"admin_endpoints{old}", model.KindOfAnybodyPage, who=ADMIN),
        deprecated=is_old,
    )(list_kinds)
    router.delete(
        f"{at}/endpoints/{{endpoint_id}}",
        **operation(f"admin_endpoint_remove{old}", None, 404, 409, who=ADMIN, status=204),
        deprecated=is_old,
    )(remove_kind)
    router.get(
        f"{at}/data/cleanup",
        **read_operation(f"admin_cleanup_look{old}", model.Cleanup, who=ADMIN),
        deprecated=is_old,
    )(look_at_cleanup)
    router.delete(
        f"{at}/data/cleanup",
        **operation(f"admin_cleanup{old}", Operation, 409, who=ADMIN, status=202),
        deprecated=is_old,
    )(clean_up)


def _use(request: Request, server: ServerOf, endpoint_id: str, is_active: bool | None) -> Response:
    with server.supervisor.writing() as connection:
        actor = admin_of(request, server, connection)
        wanted = id_of(endpoint_id, hint=all_kinds.HINT)
        changed = all_kinds.set_active(connection, wanted, is_active, actor)
    return reply(request, changed, is_public=False)
