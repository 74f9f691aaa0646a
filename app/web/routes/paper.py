"""Paper over HTTP: the resume of a person as a PDF, for anyone who may see their page."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from app.errors import NotFound, UsageError
from app.server.authenticate import Client
from app.server.profile_lookup import look_at_people, look_at_profile
from app.server.state import ServerState
from app.web.answers import Document
from app.web.content_security import NOTHING
from app.web.deps import ServerOf, client_of
from app.web.models.base import form
from app.web.models.parameters import Level, Name
from app.web.operation import ANYBODY, NOT_ASKED, file_operation, problem, router_of
from app.web.pages import paper
from app.web.public_address import References
from app.web.replies import reply_to

router = router_of("pages")
MEDIA_TYPE = "application/pdf"
LARGEST_KEPT_BYTES = 500_000
_REFUSED = {400: problem(400), 501: problem(501), 503: problem(503)}

PageSize = Annotated[str, form(type="string", enum=list(paper.PAGES)), Query(description="Of the sheets.")]
OnePage = Annotated[
    str | None,
    form(type="string", enum=["1", "0"]),
    Query(description="1: on one sheet, or not at all; 400 says what takes most room."),
]

_OF_PERSON = file_operation("resume_person", MEDIA_TYPE, who=ANYBODY)
_OF_PERSON["responses"] |= _REFUSED
_OF_SERVER = file_operation("resume", MEDIA_TYPE, who=NOT_ASKED)
_OF_SERVER["responses"] |= _REFUSED


@router.get("/@{username}/resume.pdf", **_OF_PERSON)
def resume_of_person(
    request: Request,
    server: ServerOf,
    username: Name,
    level: Level = None,
    page: PageSize = "a4",
    one_page: OnePage = None,
) -> Response:
    """Return the resume of a person as a tagged PDF; at the level business_card a card with a QR code."""
    return _reply(request, server, client_of(request, server), username, level, page, one_page)


@router.get("/resume.pdf", **_OF_SERVER)
def resume(
    request: Request,
    server: ServerOf,
    level: Level = None,
    page: PageSize = "a4",
    one_page: OnePage = None,
) -> Response:
    """Return the resume of whoever shows something here, if that is one person."""
    client = replace(client_of(request, server), authorization=None, api_key=None)
    seen = look_at_people(server, client)
    if len(seen.usernames) != 1 or seen.depends_on_agent:
        raise NotFound("There is not one person here.", hint="/@NAME/resume.pdf is that of a person.")
    return _reply(request, server, client, seen.usernames[0], level, page, one_page)


def _reply(
    request: Request,
    server: ServerState,
    client: Client,
    username: str,
    level: str | None,
    page: str,
    one_page: str | None,
) -> Response:
    if page not in paper.PAGES or one_page not in (None, "0", "1"):
        raise UsageError("page is a4 or letter, one_page is 1 or 0.")
    seen = look_at_profile(server, client, username, level)
    if not seen.wishes.has("pdf"):
        raise NotFound("There is nothing at this address.")
    to = References(request.scope, server.settings)
    if level == paper.CARD_LEVEL:
        html, styles = paper.card_of(seen, to)
        content, _sheets = server.pdfs.pdf_of(html.body, styles)
    else:
        found = paper.resume_of(seen)
        if not found.sections:
            raise NotFound("There is no resume at this address.")
        one_sheet = one_page == "1"
        html, styles = paper.html_of(found, to), paper.styles_of(page, one_sheet=one_sheet)
        content, sheets = server.pdfs.pdf_of(html.body, styles)
        if one_sheet:
            paper.check_fits(found, sheets)
    document = Document(content, MEDIA_TYPE, NOTHING)
    return reply_to(
        request,
        server,
        seen.caller,
        seen.generation,
        document,
        depends_on_agent=seen.depends_on_agent,
        validity=seen.validity,
        is_kept=len(content) <= LARGEST_KEPT_BYTES,
    )
