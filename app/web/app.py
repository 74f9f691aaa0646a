"""Web application. How is it put together: routes, errors, the middleware around them, start and end?"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.types import Message, Receive, Scope, Send

from app import log, uncaught
from app.server.jobs import Job
from app.server.lifetime import JOB_LOOK_SECONDS, running
from app.server.state import ServerState
from app.settings import Settings
from app.web import errors, openapi
from app.web.admin_mount import AdminMount
from app.web.assistants import Assistants
from app.web.connection_limits import Bounds
from app.web.connections import Arranged, guard
from app.web.deferred_routes import DeferredRoutes
from app.web.direct_route import DirectRoute
from app.web.middleware import OuterMiddleware
from app.web.pages.preview_upkeep import PreviewUpkeep
from app.web.route_index import RouteIndex

# The framework has its own (OpenTelemetry), which the environment could have sent anywhere, stack traces too.
NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
_log = log.get_logger(__name__)


class WebApp:
    """The ASGI application: the frame outside, the framework inside."""

    def __init__(self, settings: Settings, bounds: Bounds) -> None:
        self._bounds = bounds
        self.server = ServerState(settings)
        self.framework = _framework(self.server)
        self._routes = self.framework.state.routes = DeferredRoutes(self.framework)
        self.previews = PreviewUpkeep(self.server)
        drawn = Job("preview images", JOB_LOOK_SECONDS, self.previews.step, is_wanted=self.previews.is_wanted)
        self.server.jobs.add(drawn)
        direct = DirectRoute(self._routes, self.server)
        assistants = self.framework.state.assistants = Assistants(
            AdminMount(direct, self.server), self.server
        )
        self._middleware = OuterMiddleware(assistants, self.server, direct.lists)

    @property
    def addresses(self) -> list[Any]:
        """Every route, those too that are loaded where someone asks for them first."""
        return self._routes.load()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or start and end the server."""
        if scope["type"] == "lifespan":
            self.framework.state.connections = guard(receive, self._bounds, self._middleware.ready)
            send = _failing_in_a_sentence(send)
        await self._middleware(scope, receive, send)


def create_app(settings: Settings, bounds: Bounds = Bounds()) -> WebApp:  # noqa: B008 - it is frozen
    """Return the application for ``settings``; nothing is opened before the server starts it."""
    return WebApp(settings, bounds)


def _framework(server: ServerState) -> FastAPI:
    app = FastAPI(
        title="Daemon",
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        telemetry=NO_TELEMETRY,
    )
    app.state.server = server
    app.state.make = create_app  # for a self-test, on a copy
    errors.install(app)
    app.router.middleware_stack = app.state.route_index = RouteIndex(app.router)
    app.openapi = lambda: openapi.describe(app)  # type: ignore[method-assign]
    return app


def _failing_in_a_sentence(send: Send) -> Send:
    """Where start or end fails, the framework hands the server a trace to print; that is in the log."""

    async def sent(message: Message) -> None:
        error = sys.exc_info()[1]
        if message["type"].endswith(".failed") and error is not None:
            message = {**message, "message": uncaught.fault_in_words(error)}
        await send(message)

    return sent


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    with running(app.state.server):
        # Where uvicorn itself was started, it has a console of its own.
        log.take_traces_of(log.get_logger("uvicorn"), log.get_logger("uvicorn.error"))
        _tell(app.state.connections)
        yield {}
        await app.state.assistants.close()


def _tell(arranged: Arranged) -> None:
    if not arranged.is_guarded:
        _log.warning(
            "This server is not uvicorn: connections that say nothing are its own matter. Use: daemon serve"
        )
        return
    _log.info(
        "The server keeps up to %d connections.",
        arranged.most_connections,
        extra={"open_files": arranged.files_now, "open_files_before": arranged.files_before},
    )
