"""Well-known addresses (RFC 8615): the catalogue of the API, WebFinger, and whom to tell of a hole."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from app import clock
from app.entries.page_wishes import check_wanted
from app.errors import NotFound, UsageError
from app.server.person_lookup import look_at_person
from app.web.answers import reply
from app.web.deps import ServerOf, client_of
from app.web.feeds.discovery import JRD, LINKSET, api_catalog, descriptor_of, name_in, security_file
from app.web.models.parameters import Text
from app.web.operation import NOT_ASKED, file_operation, router_of
from app.web.public_address import References
from app.web.replies import reply_with_address

router = router_of("discovery", "/.well-known")
Resource = Annotated[Text, Query(description="`acct:NAME@HOST`, or the address of a page; it is needed.")]
Rel = Annotated[Text, Query(description="Only links of this relation; more than once for several.")]


@router.get("/api-catalog", **file_operation("api_catalog", LINKSET, who=NOT_ASKED))
def catalog(request: Request, server: ServerOf) -> Response:
    """Return what programs can ask here, and where it is described (RFC 9727)."""
    to = References(request.scope, server.settings)
    headers = {"Link": f'<{to.whole("/.well-known/api-catalog")}>; rel="api-catalog"'}
    return reply(request, api_catalog(to), is_public=True, headers=headers)


@router.get("/webfinger", **file_operation("webfinger", JRD, who=NOT_ASKED))
def webfinger(request: Request, server: ServerOf, resource: Resource = None, rel: Rel = None) -> Response:
    """Return where a person's page is (RFC 7033), for who has one."""
    if not resource:
        raise UsageError("WebFinger needs a resource.", hint="?resource=acct:NAME@HOST")
    to = References(request.scope, server.settings)
    name = name_in(resource, to)
    if name is None:
        raise NotFound("There is no such person.")
    client = replace(client_of(request, server), authorization=None, api_key=None)  # it is everyone's
    seen = look_at_person(server, client, name)
    check_wanted(seen.wishes, "webfinger")
    rels = request.query_params.getlist("rel") if rel else []
    return reply_with_address(request, server, seen, descriptor_of(seen, rels, to))


@router.get("/security.txt", **file_operation("security_txt", "text/plain", who=NOT_ASKED))
def security(request: Request, server: ServerOf) -> Response:
    """Return whom to tell of a hole in this server (RFC 9116), where its operator has said so."""
    settings = server.settings
    if not settings.security_contact:
        raise NotFound("There is nothing at this address.")
    document = security_file(settings.security_contact, settings.public_url, clock.now())
    return reply(request, document, is_public=True)
