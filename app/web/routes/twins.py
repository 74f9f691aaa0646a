"""Markdown twins of the pages, at addresses of their own, and llms.txt, where assistants begin."""

from __future__ import annotations

from dataclasses import replace

from fastapi import Request
from starlette.responses import Response

from app.errors import NotAllowed, NotFound
from app.server.profile_lookup import look_at_people, look_at_profile, people_who_want
from app.web.answers import Document
from app.web.deps import ServerOf, client_of
from app.web.feeds.llms import llms_of_people, llms_of_person
from app.web.forms import MARKDOWN
from app.web.models.entries import Page
from app.web.models.pages import PersonOnPage
from app.web.models.parameters import Cursor, IdOrSlug, Level, Name
from app.web.operation import ANYBODY, NOT_ASKED, file_operation, page_operation, router_of, twin_operation
from app.web.public_address import References
from app.web.replies import Looked, reply_with_address
from app.web.routes.pages import page_of, page_of_entry, page_of_kind, root_page

router = router_of("pages")
ENDING = ".md"


@router.get("/llms.txt", **file_operation("llms", "text/plain", who=NOT_ASKED))
def llms(request: Request, server: ServerOf) -> Response:
    """Return where an assistant begins: who lets assistants in, and their pages as Markdown."""
    asking = replace(client_of(request, server), authorization=None, api_key=None)  # it is everyone's
    client, to = replace(asking, is_assistants_door=True), References(request.scope, server.settings)
    seen: Looked = (people := look_at_people(server, client))
    named = people_who_want(server, client, people.usernames, "markdown")
    if len(named) == 1:
        seen = profile = look_at_profile(server, client, named[0], None)
        document: Document = llms_of_person(profile, to)
    else:
        document = llms_of_people(named, to)
    return reply_with_address(request, server, seen, document, is_alike=True)


@router.get("/index.md", **twin_operation("twin_root", NOT_ASKED))
def root(request: Request, server: ServerOf) -> Response:
    """Return the page `/` as Markdown."""
    return root_page(request, server, MARKDOWN)


@router.get("/@{username}.md", **page_operation("twin_person", PersonOnPage, 404, who=ANYBODY))
def person(request: Request, server: ServerOf, username: Name, level: Level = None) -> Response:
    """Return the page of a person as Markdown; a person whose own name ends so comes first."""
    client = client_of(request, server)
    try:
        return page_of(request, server, client, username + ENDING, level)
    except NotFound:
        return page_of(request, server, client, username, level, MARKDOWN)


@router.get("/@{username}/{kind}.md", **page_operation("twin_kind", Page, 404, who=ANYBODY))
def kind(
    request: Request, server: ServerOf, username: Name, kind: Name, level: Level = None, cursor: Cursor = None
) -> Response:
    """Return the page of a kind as Markdown; a kind whose own name ends so comes first."""
    try:
        return page_of_kind(request, server, (username, kind + ENDING), level, None)
    except (NotFound, NotAllowed):  # a key of some kinds is refused what is no kind, too
        return page_of_kind(request, server, (username, kind), level, cursor, MARKDOWN)


@router.get("/@{username}/{kind}/{entry_id}.md", **twin_operation("twin_entry", ANYBODY))
def entry(
    request: Request, server: ServerOf, username: Name, kind: Name, entry_id: IdOrSlug, level: Level = None
) -> Response:
    """Return the page of one entry as Markdown."""
    return page_of_entry(request, server, (username, kind, entry_id), level, MARKDOWN)
