"""Pages: what strangers are shown of a person, for browsers (HTML), and as JSON for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from app.entries.page_wishes import Wishes, check_wanted
from app.server.authenticate import Asked, Client
from app.server.profile_lookup import (
    Section,
    look_around,
    look_at_entry,
    look_at_kind,
    look_at_people,
    look_at_profile,
    people_who_want,
    pictures_of,
)
from app.server.state import ServerState
from app.web.answers import VARY, NotAcceptable
from app.web.assets import find_asset
from app.web.bodies import etag_of, is_unchanged
from app.web.deps import ServerOf, client_of
from app.web.entry_writes import named_in_path
from app.web.feeds import twins
from app.web.forms import HTML, MARKDOWN, form_of
from app.web.models.entries import Entry, Page
from app.web.models.pages import PersonOnPage
from app.web.models.parameters import Cursor, IdOrSlug, Level, Name
from app.web.operation import ANYBODY, NOT_ASKED, file_operation, page_operation, router_of
from app.web.pages import composing
from app.web.parameters import is_tracker
from app.web.public_address import References
from app.web.references import reference_to
from app.web.replies import Looked, reply_to
from app.web.words import language_of_browser

router = router_of("pages")
FOR_EVER = "public, max-age=31536000, immutable"
"""Of a file whose name has a hash of it."""


@router.get("/@{username}", **page_operation("page_person", PersonOnPage, 404, who=ANYBODY))
def person(request: Request, server: ServerOf, username: Name, level: Level = None) -> Response:
    """Return the page of a person; as JSON, which kinds it has."""
    return page_of(request, server, client_of(request, server), username, level)


def page_of(
    request: Request,
    server: ServerState,
    client: Client,
    username: str,
    level: str | None,
    form: bytes | None = None,
) -> Response:
    """Answer with the page of a person, in the form that is asked for, or in ``form``."""
    seen = look_at_profile(server, client, username, level)
    to = References(request.scope, server.settings)
    headers: dict[str, str] = {}
    if is_page(request, form):
        value: object = composing.page_of_person(seen, to)
    elif is_twin(request, form):
        _check_twin(seen.wishes, form)
        value = twins.twin_of_person(seen, to)
        headers = _canonical(to, composing.address_of(seen.username))
    else:
        value = {
            "username": seen.username,
            "kinds": [_kind(request, seen.username, each) for each in seen.sections],
        }
    return _reply(request, server, seen, value, headers)


def _kind(request: Request, username: str, section: Section) -> dict[str, str]:
    address = composing.address_of(username, section.kind.name)
    return {
        "name": section.kind.name,
        "title": section.kind.title,
        "url": reference_to(request.scope, address),
    }


@router.get("/@{username}/{kind}", **page_operation("page_kind", Page, 404, who=ANYBODY))
def kind(
    request: Request, server: ServerOf, username: Name, kind: Name, level: Level = None, cursor: Cursor = None
) -> Response:
    """Return a page with entries of a person and kind as strangers see them, the newest first."""
    return page_of_kind(request, server, (username, kind), level, cursor)


def page_of_kind(
    request: Request,
    server: ServerState,
    named: tuple[str, str],
    level: str | None,
    cursor: str | None,
    form: bytes | None = None,
) -> Response:
    """Answer with the page of a kind of a person, in the form that is asked for, or in ``form``."""
    client, (username, kind) = client_of(request, server), named
    client.asked = Asked("read", kind)
    seen = look_at_kind(server, client, username, kind, level, cursor)
    asked = {name: value for name, value in request.query_params.items() if not is_tracker(name)}
    following = "" if seen.next is None else "?" + urlencode({**asked, "cursor": seen.next})
    value: object = seen.value
    links = [f'<{following}>; rel="next"'] if following else []
    if is_page(request, form) or is_twin(request, form):
        around, to = look_around(server, client, username, kind), References(request.scope, server.settings)
        page = json.loads(seen.value.body)
        if is_page(request, form):
            value = composing.page_of_kind(around, page, to, following, is_further=cursor is not None)
        else:
            _check_twin(around.wishes, form)
            value = twins.twin_of_kind(around, page, to, following)
            links += _canonical(to, composing.address_of(around.username, kind)).values()
    return _reply(request, server, seen, value, {"Link": ", ".join(links)} if links else {})


@router.get("/@{username}/{kind}/{entry_id}", **page_operation("page_entry", Entry, 404, who=ANYBODY))
def entry(
    request: Request, server: ServerOf, username: Name, kind: Name, entry_id: IdOrSlug, level: Level = None
) -> Response:
    """Return the page of one entry of a person, as strangers see it."""
    return page_of_entry(request, server, (username, kind, entry_id), level)


def page_of_entry(
    request: Request,
    server: ServerState,
    named: tuple[str, str, str],
    level: str | None,
    form: bytes | None = None,
) -> Response:
    """Answer with the page of an entry, in the form that is asked for, or in ``form``."""
    client, (username, kind, entry_id) = client_of(request, server), named
    seen = look_at_entry(server, client, username, kind, level, named_in_path(entry_id))
    value: object = seen.value
    headers: dict[str, str] = {}
    if is_page(request, form) or is_twin(request, form):
        around, to = look_around(server, client, username, kind), References(request.scope, server.settings)
        view, found = json.loads(seen.value.body), pictures_of(server, seen)
        if is_page(request, form):
            value = composing.page_of_entry(around, view, to, found)
        else:
            _check_twin(around.wishes, form)
            value = twins.twin_of_entry(around, view, to, found)
            headers = _canonical(to, composing.address_of(around.username, kind, str(view["id"])))
    return _reply(request, server, seen, value, headers)


@router.get(
    "/assets/{name}", **file_operation("asset", "text/css", "text/javascript", "image/svg+xml", who=NOT_ASKED)
)
def asset(request: Request, name: Name) -> Response:
    """Return a file that pages load; its name changes with what is in it."""
    found = find_asset(name)
    tag = etag_of(found.body)
    headers = {"ETag": tag, "Cache-Control": FOR_EVER, "Access-Control-Allow-Origin": "*"}
    if is_unchanged(request.headers.get("if-none-match", ""), tag):
        return Response(None, 304, headers)
    return Response(found.body, 200, headers, found.media_type)


def root_page(request: Request, server: ServerState, form: bytes | None = None) -> Response:
    """Answer with the beginning: the page of whoever shows something here, or all of them by name."""
    client = replace(client_of(request, server), authorization=None, api_key=None)  # it is everyone's
    seen = look_at_people(server, client)
    if len(seen.usernames) == 1 and not seen.depends_on_agent:
        return page_of(request, server, client, seen.usernames[0], None, form)
    to = References(request.scope, server.settings)
    if is_twin(request, form):
        named = people_who_want(server, client, seen.usernames, "markdown")
        return _reply(request, server, seen, twins.twin_of_people(named, to))
    page = composing.page_of_people(seen.usernames, to, language_of_browser(request.scope))
    return _reply(request, server, seen, page, {"Vary": f"{VARY}, Accept-Language"})


def is_page(request: Request, form: bytes | None = None) -> bool:
    """Whether a page is asked for; ``form``: that of the address, whatever a client says."""
    return (form_of(request.scope["path"], request.scope["headers"]) if form is None else form) == HTML


def is_twin(request: Request, form: bytes | None = None) -> bool:
    """Whether the twin of a page is asked for, as Markdown."""
    return (form_of(request.scope["path"], request.scope["headers"]) if form is None else form) == MARKDOWN


def _check_twin(wishes: Wishes, form: bytes | None) -> None:
    """Raise where a person wants no twin: nothing is at its address, and its page has no such form."""
    if form is not None:
        check_wanted(wishes, "markdown")
    elif not wishes.has("markdown"):
        raise NotAcceptable("This address has no Markdown.", hint="Accept: application/json, or text/html")


def _canonical(to: References, path: str) -> dict[str, str]:
    return {"Link": f'<{to.canonical(path)}>; rel="canonical"'}


def _reply(
    request: Request, server: ServerState, seen: Looked, value: object, headers: dict[str, str] | None = None
) -> Response:
    return reply_to(
        request,
        server,
        seen.caller,
        seen.generation,
        value,
        headers,
        depends_on_agent=seen.depends_on_agent,
        validity=seen.validity,
    )
