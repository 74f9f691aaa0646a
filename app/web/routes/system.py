"""What is this server? Its name, versions and mode, for anyone; what its problems mean."""

from __future__ import annotations

import inspect
from dataclasses import asdict
from functools import partial

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app import __version__, errors, journal
from app.entries import read
from app.entries.entry import json_bytes
from app.entries.json_safe import presentable
from app.entries.shown_times import time_between
from app.privacy.viewer import STRANGER
from app.server import public_errors
from app.server.authenticate import stranger_of
from app.server.health import progress_of
from app.server.state import ServerState
from app.upgrade.records.history import of_journal, operations_of
from app.upgrade.versions.releases import NEWEST
from app.web.answers import reply
from app.web.deps import ServerOf, client_of
from app.web.errors import REFUSALS
from app.web.models.parameters import Name
from app.web.models.system import Meaning, Object, Root, SystemInfo, UpgradeState
from app.web.operation import (
    NOT_ASKED,
    SEEN_AS_ADMIN,
    file_operation,
    operation,
    page_operation,
    read_operation,
    router_of,
    validated,
)
from app.web.pages.api_reference import page_of_api
from app.web.references import reference_to
from app.web.replies import keep_for_everybody
from app.web.routes.health import is_admin
from app.web.routes.pages import is_page, is_twin, root_page

router = router_of("system")
HISTORY_MOST = 200  # lines of the journal that are read
DESCRIPTION = "A personal API that a person hosts themselves."


@router.get("/", **page_operation("root", Root, who=NOT_ASKED))
def root(request: Request, server: ServerOf) -> Response:
    """Name, version and where to go on; as a page, whoever shows something here."""
    if is_page(request) or is_twin(request):
        return root_page(request, server)
    links = {
        "health": "/health",
        "system": "/api/v1/system/info",
        "endpoints": "/api/v1/endpoints",
        "openapi": "/openapi.json",
        "docs": "/docs",
        "login": "/auth/login",
    }
    value = {"name": "Daemon", "version": __version__, "description": DESCRIPTION, "links": links}
    found = {
        "api-catalog": "/.well-known/api-catalog",
        "service-desc": "/openapi.json",
        "service-doc": "/docs",
    }
    link = ", ".join(f'<{reference_to(request.scope, path)}>; rel="{rel}"' for rel, path in found.items())
    return reply(request, value, is_public=True, headers={"Link": link})


@router.get("/api/v1/system/info", **read_operation("system_info", SystemInfo, who=NOT_ASKED))
def info(request: Request, server: ServerOf) -> Response:
    """Versions, whether one person or several show anything here, and what can be read."""
    generation = server.supervisor.generation()
    with server.supervisor.reading() as connection:
        validity = time_between(connection)
        kinds = read.kinds(connection, STRANGER)
        viewer = stranger_of(client_of(request, server))
        is_single = read.is_single(connection, server.settings.privacy_level, viewer)
    pattern = "/api/v1/{endpoint_name}" + ("" if is_single else "/users/{username}")
    value = {
        "name": "Daemon",
        "version": __version__,
        "database_version": server.supervisor.status.version,
        "mode": "single_user" if is_single else "multi_user",
        "privacy_level": server.settings.privacy_level,
        "endpoint_pattern": pattern,
        "endpoints": [
            {"name": each["name"], "description": each["description"], "url": f"/api/v1/{each['name']}"}
            for each in kinds
        ],
        "total_endpoints": len(kinds),
    }
    response = reply(request, value, is_public=True)
    keep_for_everybody(
        request, server, generation, response, validity
    )  # finding out what `mode` is takes a while
    return response


@router.get("/api/v1/system/upgrade", **operation("system_upgrade", UpgradeState, who=SEEN_AS_ADMIN))
async def upgrade(request: Request, server: ServerOf) -> Response:
    """Say how far an upgrade is, also while the database is closed; to admins, when open, what was done."""
    status, is_open = server.supervisor.status, server.supervisor.is_open
    value: dict[str, object] = {
        "state": status.phase,
        "database_version": public_errors.version_of(status),
        "newest_version": NEWEST,
    }
    if not is_open:
        said = public_errors.of_status(status)
        value |= {"detail": said.sentence, "hint": said.command}
    if progress := progress_of(server):
        value["progress"] = progress
    if is_open and await is_admin(request, server):
        value["history"] = await run_in_threadpool(_history, server)
    return Response(json_bytes(value), 200, {"Cache-Control": "no-store"}, "application/json")


def _history(server: ServerState) -> list[object]:
    """Return the last upgrades, rollbacks and restores that the journal tells of, newest first."""
    lines, _ = journal.read_back(server.settings, HISTORY_MOST)
    told = [of_journal(line) for line in reversed(lines) if line.event not in journal.OF_OPERATORS]
    return [presentable(asdict(one)) for one in reversed(operations_of(told))]


@router.get("/openapi.json", **read_operation("openapi", Object, who=NOT_ASKED))
def openapi(request: Request) -> Response:
    """Describe the API as OpenAPI 3.1."""
    return reply(request, request.app.openapi(), is_public=True)


@router.get("/docs", **validated(file_operation("docs", "text/html", who=NOT_ASKED)))
def docs(request: Request) -> Response:
    """Show the description as a page; nothing of it is loaded from elsewhere."""
    state = request.app.state
    if not hasattr(state, "api_page"):  # made once, as the description is
        state.api_page = page_of_api(request.app.openapi(), partial(reference_to, request.scope))
    return reply(request, state.api_page, is_public=True)


@router.get("/problems/{code}", **read_operation("problem", Meaning, 404, who=NOT_ASKED))
def problem(request: Request, code: Name) -> Response:
    """Say in words what the ``type`` of a problem means."""
    meanings = problem_meanings()
    if code not in meanings:
        raise errors.NotFound("There is no problem of that name.")
    return reply(request, {"code": code, "meaning": meanings[code]}, is_public=True)


def problem_meanings() -> dict[str, str]:
    """Return every code that a problem may carry, with what it means."""
    found = {code: "The request itself was refused." for code, _hint in REFUSALS.values()}
    found["internal"] = "The server failed in a way that it has no name for; its log has the request's id."
    pending: list[type[errors.DaemonError]] = [errors.DaemonError]
    while pending:
        one = pending.pop()
        pending += one.__subclasses__()
        if one.__module__.startswith(
            ("app.errors", "app.server", "app.web")
        ):  # what other parts have of their own stays there
            found.setdefault(one.code, inspect.cleandoc(one.__doc__ or "").partition("\n")[0])
    return found
