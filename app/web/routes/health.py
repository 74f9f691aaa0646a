"""Is the server well, and may it be asked? What operators and their tools look at."""

from __future__ import annotations

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import DBAPIError
from starlette.responses import Response

from app import __version__
from app.entries.entry import json_bytes
from app.errors import DaemonError
from app.server.authenticate import Client, authenticate, credential_of
from app.server.health import last_selftest, places_of, search_index_of, state_of, text_search_of
from app.server.state import ServerState
from app.web.deps import ServerOf, client_of
from app.web.models.system import Health, Live
from app.web.operation import NOT_ASKED, SEEN_AS_ADMIN, Described, operation, router_of

router = router_of("health")
NO_STORE = {"Cache-Control": "no-store"}
CLOSED = "The database may not be used now; `hint` is the command to type."


def _of_health(name: str) -> Described:
    found = operation(name, Health, who=SEEN_AS_ADMIN)
    found["responses"][503] = {"model": Health, "description": CLOSED}
    return found


@router.get("/health", **_of_health("health"))
async def health(request: Request, server: ServerOf) -> Response:
    """Say how the server stands: 200 when it serves, 503 with the reason and the command when it does not.

    Where it can read and not write (a full disk, a read-only one) it is 200, ``degraded``, not ``writable``.
    """
    return await _answer(request, server)


@router.get("/health/ready", **_of_health("health_ready"))
async def ready(request: Request, server: ServerOf) -> Response:
    """Say whether requests are answered, as /health does, and how the last self-test of privacy ended."""
    return await _answer(request, server, looks_at_selftest=True)


@router.get("/health/live", **operation("health_live", Live, who=NOT_ASKED))
async def live() -> Response:
    """Say that the process runs: always 200, so that no one restarts a server that waits for its upgrade."""
    return Response(
        json_bytes({"status": "alive", "version": __version__}), 200, NO_STORE, "application/json"
    )


async def _answer(request: Request, server: ServerState, *, looks_at_selftest: bool = False) -> Response:
    is_open = server.supervisor.is_open
    headers = dict(NO_STORE) if is_open else {**NO_STORE, "Retry-After": "5"}
    state = state_of(server)
    for_admin = is_open and await is_admin(request, server)
    if for_admin:
        state |= {"places": places_of(server), "text_search": text_search_of(server)}
        state["search_index"] = search_index_of(server)
    if is_open and looks_at_selftest:
        last = await run_in_threadpool(last_selftest, server)
        if last is not None:
            faults = {"faults": list(last.faults)} if for_admin else {}
            state["privacy_selftest"] = last.as_anyone_may_know() | faults
    return Response(json_bytes(state), 200 if is_open else 503, headers, "application/json")


async def is_admin(request: Request, server: ServerState) -> bool:
    """Whether an admin asks. Anyone who is not known, or cannot be known now, is answered as a stranger."""
    try:
        client = client_of(request, server)
        return credential_of(client) is not None and await run_in_threadpool(_asks_admin, client, server)
    except (DaemonError, DBAPIError):
        return False


def _asks_admin(client: Client, server: ServerState) -> bool:
    with server.supervisor.reading() as connection:
        return authenticate(server, connection, client).viewer.is_admin
