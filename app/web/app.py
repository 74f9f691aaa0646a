"""Web application. How is it put together: routes, errors, the middleware around them, start and end?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app import log
from app.server.lifetime import running
from app.server.state import ServerState
from app.settings import Settings
from app.web import errors, openapi
from app.web.admin_mount import AdminMount
from app.web.assistants import Assistants
from app.web.connection_limits import Bounds
from app.web.connections import Arranged, guard
from app.web.direct_route import DirectRoute
from app.web.middleware import OuterMiddleware
from app.web.routes import (
    admin,
    admin_backups,
    admin_departures,
    admin_entries,
    admin_installation,
    admin_people,
    admin_previews,
    admin_rules,
    admin_system,
    audience,
    auth,
    bulk,
    cards,
    claim,
    endpoints,
    entries,
    feeds,
    health,
    imports,
    keys,
    links,
    me,
    message_form,
    messages,
    never_list,
    oidc,
    operations,
    own_audit,
    own_history,
    page_wishes,
    pages,
    paper,
    people,
    pictures,
    preview_images,
    privacy,
    privacy_findings,
    privacy_rules,
    privacy_selftest,
    privacy_views,
    revisions,
    search,
    second_factor,
    sessions,
    shares,
    sitemap,
    storage,
    system,
    twins,
    webhooks,
    well_known,
)

_log = log.get_logger(__name__)
PRIVACY = (
    privacy.router,
    privacy_rules.router,
    never_list.router,
    privacy_findings.router,
    privacy_views.router,
    audience.router,
    privacy_selftest.router,
)


MINE = (own_history.router, me.router, operations.router, messages.router, message_form.router)
ENTRIES = (bulk.router, entries.router, revisions.router)  # found only where no other address is


class WebApp:
    """The ASGI application: the frame outside, the framework inside."""

    def __init__(self, settings: Settings, bounds: Bounds) -> None:
        self._bounds = bounds
        self.server = ServerState(settings)
        self.framework = _framework(self.server)
        direct = DirectRoute(self.framework, self.server)
        assistants = self.framework.state.assistants = Assistants(
            AdminMount(direct, self.server), self.server
        )
        self._middleware = OuterMiddleware(assistants, self.server, direct.lists)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or start and end the server."""
        if scope["type"] == "lifespan":
            self.framework.state.connections = guard(receive, self._bounds, self._middleware.ready)
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
    )
    app.state.server = server
    app.state.make = create_app  # for a self-test, on a copy
    errors.install(app)
    accounts = (
        auth.router,
        sessions.router,
        second_factor.router,
        oidc.router,
        links.router,
        own_audit.router,
        keys.router,
        claim.router,
    )
    admins = (
        admin.router,
        admin_people.router,
        admin_system.router,
        admin_backups.router,
        admin_previews.router,
        admin_entries.router,
        admin_rules.router,
        admin_installation.router,
        admin_departures.router,
        people.old_router,
        people.router,
        storage.router,
    )
    others = (
        *accounts,
        *admins,
        *PRIVACY,
        imports.router,
        shares.router,
        webhooks.router,
        search.router,
        *MINE,
    )
    routers = (
        health.router,
        system.router,
        feeds.router,
        sitemap.router,
        cards.router,
        well_known.router,
        twins.router,
        paper.router,
        preview_images.router,
        pages.router,
        page_wishes.router,
        pictures.router,
        *others,
        endpoints.router,
        *ENTRIES,
    )
    for router in routers:
        app.router.routes += router.routes  # flat: an included router is asked as a whole, at each request
    app.state.addresses = app.router.routes
    app.openapi = lambda: openapi.describe(app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    with running(app.state.server):
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
