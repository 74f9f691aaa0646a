"""Site map and robots.txt: which pages there are for search engines, and what programs should leave alone."""

from __future__ import annotations

from dataclasses import replace

from fastapi import Request
from starlette.responses import Response

from app.server.authenticate import Client
from app.server.profile_lookup import look_at_people
from app.server.sitemap_lookup import look_at_entries, look_at_pages, look_at_parts
from app.server.state import ServerState
from app.web.deps import ServerOf, client_of
from app.web.feeds.sitemap import MEDIA_TYPE, map_of_pages, map_of_parts
from app.web.models.parameters import Name
from app.web.operation import ANYBODY, NOT_ASKED, file_operation, router_of
from app.web.pages.robots import robots_file
from app.web.public_address import References
from app.web.replies import reply_with_address

router = router_of("pages")


@router.get("/sitemap.xml", **file_operation("sitemap", MEDIA_TYPE, who=NOT_ASKED))
def parts(request: Request, server: ServerOf) -> Response:
    """Return which parts the map of the pages here has."""
    seen = look_at_parts(server, _everyone(request, server))
    document = map_of_parts(seen, References(request.scope, server.settings))
    return reply_with_address(request, server, seen, document)


@router.get("/@{username}/sitemap.xml", **file_operation("sitemap_person", MEDIA_TYPE, who=ANYBODY))
def pages(request: Request, server: ServerOf, username: Name) -> Response:
    """Return the part with the pages of a person and of their kinds."""
    seen = look_at_pages(server, client_of(request, server), username)
    document = map_of_pages(seen, References(request.scope, server.settings))
    return reply_with_address(request, server, seen, document)


@router.get("/@{username}/{kind}/sitemap.xml", **file_operation("sitemap_kind", MEDIA_TYPE, who=ANYBODY))
def entries(request: Request, server: ServerOf, username: Name, kind: Name) -> Response:
    """Return the part with the pages of a person's entries of one kind."""
    seen = look_at_entries(server, client_of(request, server), username, kind)
    document = map_of_pages(seen, References(request.scope, server.settings))
    return reply_with_address(request, server, seen, document)


@router.get("/robots.txt", **file_operation("robots", "text/plain", who=NOT_ASKED))
def robots(request: Request, server: ServerOf) -> Response:
    """Return what people here ask programs to leave alone; the same for every program."""
    seen = look_at_people(server, _everyone(request, server))
    sitemap = References(request.scope, server.settings).whole("/sitemap.xml")
    document = robots_file(seen.everyone, seen.for_assistants, sitemap)
    return reply_with_address(request, server, seen, document, is_alike=True)


def _everyone(request: Request, server: ServerState) -> Client:
    """Who asks, without a credential: these addresses are everyone's."""
    return replace(client_of(request, server), authorization=None, api_key=None)
