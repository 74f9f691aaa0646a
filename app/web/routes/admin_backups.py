"""Backups over HTTP, for admins who have logged in: list, make, prove, clear away. Never with a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Path, Request
from starlette.responses import Response

from app import clock
from app.accounts.operations import Result
from app.web.answers import reply
from app.web.deps import ServerOf, admin_of, confirmed_admin_account_of
from app.web.models import admin as model
from app.web.models.operations import Operation
from app.web.operation import ADMIN, operation, read_operation, router_of
from app.web.routes.admin_people import PLACES
from app.web.routes.operations import accepted

if TYPE_CHECKING:
    from app.accounts.audit import Actor
    from app.backup.catalog import Backup
    from app.server.operations import Progress

router = router_of("admin")
BackupName = Annotated[
    str, Path(json_schema_extra={"minLength": 1}, description="Of a backup, as it is listed.")
]


def list_backups(request: Request, server: ServerOf) -> Response:
    """List the backups, newest first, without reading them; `daemon backup list` does."""
    from app.backup import catalog
    from app.upgrade.detect.identity import known_of

    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
    identity = known_of(server.settings, serving=True)[0]
    found = catalog.list_backups(server.settings, hashing=False, identity=identity)
    return reply(request, {"backups": [_backup(each) for each in found]}, is_public=False)


@router.post(
    "/api/v1/admin/backups", **operation("admin_backup_begin", Operation, 409, who=ADMIN, status=202)
)
def begin_backup(request: Request, server: ServerOf) -> Response:
    """Begin to make a verified backup. Others read and write meanwhile."""
    from app.upgrade.operations.back_up import back_up

    def work(_progress: Progress) -> Result:
        made = back_up(server.settings, "manual", serving=True)
        digest = None if made.manifest is None else made.manifest.sha256
        return Result(made.name, made.size_bytes, digest)

    with server.supervisor.reading() as connection:
        actor = admin_of(request, server, connection)
    return accepted(request, server.operations.start(_id_of(actor), "backup", work, one_at_all=True))


@router.post(
    "/api/v1/admin/backups/{backup}/prove",
    **operation("admin_backup_prove", Operation, 404, 409, who=ADMIN, status=202),
)
def begin_proof(request: Request, server: ServerOf, backup: BackupName) -> Response:
    """Begin to check that a backup can be restored: a scratch copy of it is opened, checked and counted."""
    from app.backup.catalog import find_backup
    from app.backup.verify import prove_backup
    from app.upgrade.detect.recognise import describe

    def work(_progress: Progress) -> Result:
        proof = prove_backup(server.settings, backup, describe=describe)
        return Result(proof.name, proof.path.stat().st_size)

    with server.supervisor.reading() as connection:
        actor = admin_of(request, server, connection)
    find_backup(server.settings, backup)
    return accepted(request, server.operations.start(_id_of(actor), "prove", work))


def create_backup(request: Request, server: ServerOf) -> Response:
    """Make a verified backup; answered when it is there. Others read and write meanwhile."""
    from app.upgrade.operations.back_up import back_up

    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
    made = back_up(server.settings, "manual", serving=True)
    return reply(request, _backup(made), is_public=False, status=201)


def begin_restore(request: Request, server: ServerOf, backup: BackupName) -> Response:
    """Begin to put a backup in the place of the database. The state before it is kept as a backup, too.

    The server answers 503 meanwhile, and everyone logs in again afterwards.
    """
    with server.supervisor.reading() as connection:
        user = confirmed_admin_account_of(request, server, connection)
    return accepted(request, server.going_back.restore(backup, user.username))


@router.post(
    "/api/v1/admin/rollback",
    **operation("admin_rollback", Operation, 404, who=ADMIN, status=202),
)
def begin_rollback(request: Request, server: ServerOf) -> Response:
    """Begin to take the last upgrade back. What was written since goes with it, or is kept for the next one.

    The server answers 503 from then on, until the older version serves, or `daemon upgrade run`.
    """
    with server.supervisor.reading() as connection:
        user = confirmed_admin_account_of(request, server, connection)
    return accepted(request, server.going_back.roll_back(user.username))


def prune_backups(request: Request, server: ServerOf) -> Response:
    """Clear away this installation's backups that are past their time."""
    from app.upgrade.operations.back_up import clear_away

    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
    pruned = clear_away(server.settings, serving=True)
    value = {
        "deleted_count": len(pruned.removed),
        "removed": [each.name for each in pruned.removed],
        "stays": [{"filename": each.name, "reason": reason} for each, reason in pruned.stays],
    }
    return reply(request, value, is_public=False)


for at, old in PLACES:
    is_old = bool(old)
    router.post(
        f"{at}/restore/{{backup}}",
        **operation(f"admin_restore{old}", Operation, 404, 409, who=ADMIN, status=202),
        deprecated=is_old,
    )(begin_restore)
    router.get(
        f"{at}/backups",
        **read_operation(f"admin_backups{old}", model.BackupPage, who=ADMIN),
        deprecated=is_old,
    )(list_backups)
    router.post(
        f"{at}/backup",
        **operation(f"admin_backup{old}", model.Backup, who=ADMIN, status=201),
        deprecated=True,
    )(create_backup)
    router.delete(
        f"{at}/backup/cleanup",
        **operation(f"admin_backup_cleanup{old}", model.PrunedBackups, who=ADMIN),
        deprecated=is_old,
    )(prune_backups)


def _id_of(actor: Actor) -> int:
    assert actor.user_id is not None
    return actor.user_id


def _backup(found: Backup) -> dict[str, object]:
    return {
        "filename": found.name,
        "created_at": clock.rfc3339(clock.stored(found.created_at)),
        "size_bytes": found.size_bytes,
        "state": found.state,
        "version": found.version,
        "purpose": found.purpose,
        "whose": found.whose,
    }
