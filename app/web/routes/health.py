"""Is the server well, and may it be asked? What operators and their tools look at."""

from __future__ import annotations

import time
from collections.abc import Mapping

from fastapi import APIRouter
from starlette.responses import Response

from app import __version__, clock
from app.web.bodies import json_bytes
from app.web.deps import HouseOf
from app.web.house import House

router = APIRouter(tags=["health"])
NO_STORE = {"Cache-Control": "no-store"}


@router.get("/health", operation_id="health")
async def health(house: HouseOf) -> Response:
    """Say how the server stands: 200 when it serves, 503 with the reason and the command when it does not."""
    return _answer(house)


@router.get("/health/ready", operation_id="health_ready")
async def ready(house: HouseOf) -> Response:
    """Say whether requests are answered, as /health does."""
    return _answer(house)


@router.get("/health/live", operation_id="health_live")
async def live() -> Response:
    """Say that the process runs: always 200, so that nobody restarts a server that waits for its upgrade."""
    return Response(
        json_bytes({"status": "alive", "version": __version__}), 200, NO_STORE, "application/json"
    )


def _answer(house: House) -> Response:
    is_open = house.keeper.is_open
    headers = dict(NO_STORE) if is_open else {**NO_STORE, "Retry-After": "5"}
    return Response(json_bytes(state_of(house)), 200 if is_open else 503, headers, "application/json")


def state_of(house: House) -> Mapping[str, object]:
    """Return what /health says; ``hint`` is the command to type."""
    standing = house.keeper.standing
    state: dict[str, object] = {
        "status": "healthy" if house.keeper.is_open else standing.phase,
        "version": __version__,
        "database": {"state": standing.gate.lower(), "version": standing.version},
        "timestamp": clock.rfc3339(clock.now()),
        "uptime_seconds": round(time.monotonic() - house.started_seconds, 3),
    }
    if not house.keeper.is_open:
        state |= {"detail": standing.sentence, "hint": standing.command}
    if standing.progress:
        state["progress"] = dict(standing.progress)
    return state
