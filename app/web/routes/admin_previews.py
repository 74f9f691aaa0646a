"""Previews for admins who have logged in: what would a restore or a rollback change? Never with a key."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from app.errors import NotFound
from app.server.looks import Look, Sort
from app.server.state import ServerState
from app.web.answers import reply
from app.web.deps import ServerOf, admin_of
from app.web.models.operations import LossPreview
from app.web.operation import ADMIN, operation, read_operation, router_of
from app.web.references import reference_to
from app.web.routes.admin_backups import BackupName

router = router_of("admin")
OF_ROLLBACK = "/api/v1/admin/rollback/preview"
OF_BACKUP = "/api/v1/admin/backups/{backup}/preview"


@router.post(OF_ROLLBACK, **operation("admin_rollback_preview_begin", LossPreview, who=ADMIN, status=202))
def begin_preview_of_rollback(request: Request, server: ServerOf) -> Response:
    """Begin to find out what taking the last upgrade back would change. Nothing is written."""
    _check(request, server)
    return _accepted(request, server.looks.begin("rollback"), OF_ROLLBACK)


@router.get(OF_ROLLBACK, **read_operation("admin_rollback_preview", LossPreview, 404, who=ADMIN))
def preview_of_rollback(request: Request, server: ServerOf) -> Response:
    """Say what was found out, or that it is still looked at."""
    _check(request, server)
    return reply(request, _found(server, "rollback", None), is_public=False)


@router.post(OF_BACKUP, **operation("admin_backup_preview_begin", LossPreview, 404, who=ADMIN, status=202))
def begin_preview_of_restore(request: Request, server: ServerOf, backup: BackupName) -> Response:
    """Begin to find out what putting a backup back would change. Nothing is written."""
    from app.backup.catalog import find_backup

    _check(request, server)
    name = find_backup(server.settings, backup).name
    return _accepted(request, server.looks.begin("restore", name), OF_BACKUP.replace("{backup}", name))


@router.get(OF_BACKUP, **read_operation("admin_backup_preview", LossPreview, 404, who=ADMIN))
def preview_of_restore(request: Request, server: ServerOf, backup: BackupName) -> Response:
    """Say what was found out, or that it is still looked at."""
    _check(request, server)
    return reply(request, _found(server, "restore", backup), is_public=False)


def _check(request: Request, server: ServerState) -> None:
    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)


def _accepted(request: Request, look: Look, place: str) -> Response:
    headers = {"Location": reference_to(request.scope, place)}
    return reply(request, look.as_json(), is_public=False, status=202, headers=headers)


def _found(server: ServerState, sort: Sort, backup: str | None) -> dict[str, object]:
    found = server.looks.find(sort, backup)
    if found is None:
        raise NotFound("No one has asked this server for that preview yet.", hint="POST here begins it.")
    return found.as_json()
