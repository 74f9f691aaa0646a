"""What admins see of the installation, and its backups. Never with a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request
from starlette.responses import Response

from app import clock
from app.web.answers import reply
from app.web.deps import ServerOf, admin_of
from app.web.models import admin as model
from app.web.operation import ADMIN, operation, read_operation, router_of
from app.web.routes.admin_people import PLACES

if TYPE_CHECKING:
    from app.backup.catalog import Backup

router = router_of("admin")


def get_statistics(request: Request, server: ServerOf) -> Response:
    """Count entries by kind, and accounts; counted once a minute at most."""
    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
    return reply(request, server.statistics.find(), is_public=False)


def list_backups(request: Request, server: ServerOf) -> Response:
    """List the backups, newest first, without reading them; `daemon backup list` does."""
    from app.backup import catalog
    from app.upgrade.detect.identity import known_of

    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
    identity = known_of(server.settings, serving=True)[0]
    found = catalog.list_backups(server.settings, hashing=False, identity=identity)
    return reply(request, {"backups": [_backup(each) for each in found]}, is_public=False)


def create_backup(request: Request, server: ServerOf) -> Response:
    """Make a verified backup; answered when it is there. Others read and write meanwhile."""
    from app.upgrade.operations.back_up import back_up

    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
    made = back_up(server.settings, "manual", serving=True)
    return reply(request, _backup(made), is_public=False, status=201)


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
    for place in ("stats", "data/stats"):
        name = f"admin_{place.replace('/', '_')}{old}"
        router.get(
            f"{at}/{place}",
            **read_operation(name, model.Statistics, who=ADMIN),
            deprecated=is_old or place != "stats",
        )(get_statistics)
    router.get(
        f"{at}/backups", **read_operation(f"admin_backups{old}", model.Backups, who=ADMIN), deprecated=is_old
    )(list_backups)
    router.post(
        f"{at}/backup",
        **operation(f"admin_backup{old}", model.Backup, who=ADMIN, status=201),
        deprecated=is_old,
    )(create_backup)
    router.delete(
        f"{at}/backup/cleanup",
        **operation(f"admin_backup_cleanup{old}", model.PrunedBackups, who=ADMIN),
        deprecated=is_old,
    )(prune_backups)


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
