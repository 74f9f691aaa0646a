"""Self-test of privacy over HTTP, for admins: begin one, and see how the last one ended. Never with a key."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from fastapi import Request
from starlette.responses import Response

from app.entries import selftests
from app.web.answers import reply
from app.web.deps import ServerOf, admin_of
from app.web.models.privacy_selftest import SelftestState
from app.web.operation import ADMIN, operation, read_operation, router_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.server.selftest.run import Served
    from app.server.state import ServerState
    from app.settings import Settings

router = router_of("admin", "/api/v1/privacy/selftest")


@router.get("", **read_operation("privacy_selftest", SelftestState, who=ADMIN))
def get_selftest(request: Request, server: ServerOf) -> Response:
    """Say whether a self-test runs, and how the last one ended."""
    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
        state = _state(server, connection)
    return reply(request, state, is_public=False)


@router.post("", **operation("privacy_selftest_start", SelftestState, who=ADMIN, status=202))
def start_selftest(request: Request, server: ServerOf) -> Response:
    """Begin a self-test, unless one is running: does anything hidden leave by any door? Seen with GET."""
    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
        server.selftest.start(partial(_faults, server, request.app.state.make))
        state = _state(server, connection)
    return reply(request, state, is_public=False, status=202, headers={"Location": "selftest"})


def _faults(server: ServerState, make: Callable[[Settings], Served]) -> tuple[str, ...]:
    from app.server.selftest.run import run_selftest  # it knows upgrades, which a start does not need

    return run_selftest(server.settings, make).faults


def _state(server: ServerState, connection: Connection) -> dict[str, object]:
    last = selftests.find_last(connection)
    return {"running": server.selftest.is_running, "last": None if last is None else last.as_json()}
