"""Wishes of one's own page: its look, its language, which kinds in which order. Never with a key."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from app import clock
from app.entries import page_wishes
from app.web.answers import reply
from app.web.deps import ServerOf, account_of, body_of_account
from app.web.json_bodies import ModelBody
from app.web.models.pages import NewWishes, Wishes
from app.web.operation import ACCOUNT, operation, read_operation, router_of

router = router_of("pages")
NewWishesOf = Annotated[NewWishes, Depends(ModelBody(NewWishes, body_of_account))]


@router.get("/api/v1/me/page", **read_operation("page_wishes", Wishes, who=ACCOUNT))
def get_wishes(request: Request, server: ServerOf) -> Response:
    """Return what one wishes of one's page; null is what a page has by itself."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        found = page_wishes.wishes_of(connection, user.id)
    return reply(request, found.as_json(), is_public=False)


@router.put("/api/v1/me/page", **operation("page_wishes_replace", Wishes, who=ACCOUNT))
def replace_wishes(request: Request, server: ServerOf, body: NewWishesOf) -> Response:
    """Put other wishes in the place of one's own; they hold at the next request."""
    with server.supervisor.writing() as connection:
        user, _actor = account_of(request, server, connection)
        found = page_wishes.wish(connection, user.id, vars(body), clock.now())
    return reply(request, found.as_json(), is_public=False)
