"""Share links: one's own, to make, list and revoke; and what a link shows, as JSON or a page."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from app import clock
from app.entries import share_links, shared
from app.entries.entry import LIMIT_DEFAULT
from app.entries.page_wishes import wishes_of
from app.entries.parts import by_cursor
from app.entries.share_links import Link, NewLink
from app.privacy.viewer import Viewer
from app.server.authenticate import stranger_of
from app.server.entry_lookup import Encoded
from app.web.answers import reply
from app.web.deps import ServerOf, account_of, author_of, body_of_account, client_of
from app.web.forms import HTML, form_of
from app.web.idempotency import carried_out_once
from app.web.json_bodies import ModelBody
from app.web.models import shares as model
from app.web.models.parameters import Cursor, Id, IdCursor, Limit, Name
from app.web.operation import (
    ACCOUNT,
    NOT_ASKED,
    made_once,
    operation,
    page_operation,
    read_operation,
    router_of,
)
from app.web.pages.shared import page_of_shared
from app.web.parameters import id_in_cursor, id_of
from app.web.public_address import References

router = router_of("shares", "/api/v1")
ITEMS = 100
HINT = "GET /api/v1/links lists your links."

NewLinkOf = Annotated[model.NewLink, Depends(ModelBody(model.NewLink, body_of_account))]


@router.get("/links", **read_operation("shares_list", model.LinkPage, who=ACCOUNT))
def list_links(request: Request, server: ServerOf, cursor: IdCursor = None) -> Response:
    """List one's own share links, those that are over too."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        after_id = 0 if cursor is None else id_in_cursor(cursor)
        now = clock.now()
        found = share_links.list_links(connection, user.id, now, after_id=after_id, most=ITEMS + 1)
    following = str(found[ITEMS - 1].id) if len(found) > ITEMS else None
    value = {"items": [as_json(each) for each in found[:ITEMS]], "next": following}
    return reply(request, value, is_public=False)


@router.post("/links", **made_once(operation("shares_create", model.MadeLink, 409, who=ACCOUNT, status=201)))
def create_link(request: Request, server: ServerOf, body: NewLinkOf) -> Response:
    """Make a share link. Its address, ``url``, is told in this answer only."""
    new = NewLink(
        tuple(body.kinds), tuple(body.entries), body.level, body.expires_at, body.views_most, body.label
    )
    with carried_out_once(request, server) as once, server.supervisor.writing() as connection:
        user, actor = author_of(request, server, connection)
        if (kept := once.kept(connection, user.id)) is not None:
            return kept
        viewer = Viewer("person", user.id, user.username)
        made, token = share_links.make(connection, viewer, new, clock.now(), actor)
        location = {"Location": f"links/{made.id}"}  # beside the address of the list
        value = {**as_json(made), "url": f"/api/v1/shared/{token}"}
        answer = reply(request, value, is_public=False, status=201, headers=location)
        return once.keep(connection, user.id, answer, made.entries)


@router.get("/links/{link_id}", **read_operation("shares_get", model.Link, 404, who=ACCOUNT))
def get_link(request: Request, server: ServerOf, link_id: Id) -> Response:
    """Return one of one's own links, without its address."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        found = share_links.get(connection, user.id, id_of(link_id, hint=HINT), clock.now())
    return reply(request, as_json(found), is_public=False)


@router.delete("/links/{link_id}", **operation("shares_revoke", None, 404, who=ACCOUNT, status=204))
def revoke_link(request: Request, server: ServerOf, link_id: Id) -> Response:
    """Revoke a link: it answers as one that never was."""
    with server.supervisor.writing() as connection:
        user, actor = author_of(request, server, connection)
        share_links.revoke(connection, user.id, id_of(link_id, hint=HINT), clock.now(), actor)
    return Response(None, 204, {"Cache-Control": "no-store"})


@router.get(
    "/shared/{token}",
    **page_operation("shared_get", model.SharedPage, 404, who=NOT_ASKED, has_twin=False),
)
def get_shared(
    request: Request, server: ServerOf, token: Name, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """Return what a share link shows, and count it where the link has a number of views."""
    part, now = by_cursor(limit, cursor, key=server.cursor_key), clock.now()
    viewer, ceiling = stranger_of(client_of(request, server)), server.settings.privacy_level
    with server.supervisor.reading() as connection:
        link = shared.open_link(connection, token, now)
        page = shared.page(connection, viewer, link, part, ceiling)
        wishes = wishes_of(connection, link.user_id)
    if link.is_counted:
        with server.supervisor.writing() as connection:
            if not share_links.count_view(connection, link, now):
                raise shared.no_such_link()
    following = "" if page.next is None else f"?limit={limit}&cursor={page.next}"
    value: object = Encoded(page.body, page.tag_source)
    if form_of(request.scope["path"], request.scope["headers"]) == HTML:
        to = References(request.scope, server.settings)
        value = page_of_shared(json.loads(page.body)["items"], wishes, to, following)
    headers = {"Link": f'<{following}>; rel="next"'} if following else {}
    return reply(request, value, is_public=False, headers=headers)


def as_json(link: Link) -> dict[str, object]:
    """Return what its owner is told of a link."""
    return {
        "id": link.id,
        "label": link.label,
        "kinds": list(link.kinds),
        "entries": list(link.entries),
        "level": link.level,
        "views_most": link.views_most,
        "views_count": link.views_count,
        "expires_at": None if link.expires_at is None else clock.rfc3339(link.expires_at),
        "created_at": clock.rfc3339(link.created_at),
        "is_over": link.is_over,
    }
