"""What admins see of the installation: counts, and the machine that it is on. Never with a key."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from app.server.system_state import system_state
from app.web.answers import reply
from app.web.deps import ServerOf, admin_of
from app.web.models import admin as model
from app.web.operation import ADMIN, read_operation, router_of
from app.web.routes.admin_people import PLACES

router = router_of("admin")


def get_statistics(request: Request, server: ServerOf) -> Response:
    """Count entries by kind, and accounts; counted once a minute at most."""
    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
    return reply(request, server.statistics.find(), is_public=False)


def get_system(request: Request, server: ServerOf) -> Response:
    """Tell of the machine, the program and the database: versions, memory, disk."""
    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
    found = system_state(server.settings, server.supervisor.status.version)
    return reply(request, found, is_public=False)


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
        f"{at}/system",
        **read_operation(f"admin_system{old}", model.SystemState, who=ADMIN),
        deprecated=is_old,
    )(get_system)
