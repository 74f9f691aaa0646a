"""Feeds: the newest entries of a person, or of one of their kinds, as Atom and as JSON Feed."""

from __future__ import annotations

from dataclasses import replace

from fastapi import Request
from starlette.responses import Response

from app.formats import atom, json_feed
from app.server.authenticate import Asked
from app.server.feed_lookup import SeenFeed, look_at_feed, look_at_feed_of_kind, primary_person
from app.server.state import ServerState
from app.web.deps import ServerOf, client_of
from app.web.feeds.composing import ATOM, JSON_FEED, feed_document
from app.web.models.parameters import Level, Name
from app.web.operation import ANYBODY, NOT_ASKED, Described, Who, file_operation, router_of
from app.web.public_address import References
from app.web.replies import reply_with_address

router = router_of("feeds")


def _described(name: str, form: str, who: Who = ANYBODY) -> Described:
    media_type = atom.MEDIA_TYPE if form == ATOM else json_feed.MEDIA_TYPE
    return file_operation(name, media_type, who=who)


@router.get("/feed.atom", **_described("feed_atom", ATOM, NOT_ASKED))
def site_atom(request: Request, server: ServerOf, level: Level = None) -> Response:
    """Return the Atom feed of whoever the page `/` is of, or else of the default person."""
    return _of_site(request, server, ATOM, level)


@router.get("/feed.json", **_described("feed_json", JSON_FEED, NOT_ASKED))
def site_json(request: Request, server: ServerOf, level: Level = None) -> Response:
    """Return the same as JSON Feed."""
    return _of_site(request, server, JSON_FEED, level)


@router.get("/@{username}/feed.atom", **_described("feed_person_atom", ATOM))
def person_atom(request: Request, server: ServerOf, username: Name, level: Level = None) -> Response:
    """Return the Atom feed of a person: the newest entries of the kinds that their page has."""
    seen = look_at_feed(server, client_of(request, server), username, level)
    return _answer(request, server, seen, ATOM, level)


@router.get("/@{username}/feed.json", **_described("feed_person_json", JSON_FEED))
def person_json(request: Request, server: ServerOf, username: Name, level: Level = None) -> Response:
    """Return the same as JSON Feed."""
    seen = look_at_feed(server, client_of(request, server), username, level)
    return _answer(request, server, seen, JSON_FEED, level)


@router.get("/@{username}/{kind}/feed.atom", **_described("feed_kind_atom", ATOM))
def kind_atom(
    request: Request, server: ServerOf, username: Name, kind: Name, level: Level = None
) -> Response:
    """Return the Atom feed of a person's entries of one kind."""
    return _of_kind(request, server, (username, kind), ATOM, level)


@router.get("/@{username}/{kind}/feed.json", **_described("feed_kind_json", JSON_FEED))
def kind_json(
    request: Request, server: ServerOf, username: Name, kind: Name, level: Level = None
) -> Response:
    """Return the same as JSON Feed."""
    return _of_kind(request, server, (username, kind), JSON_FEED, level)


def _of_site(request: Request, server: ServerState, form: str, level: str | None) -> Response:
    client = replace(client_of(request, server), authorization=None, api_key=None)  # it is everyone's
    username, depends_on_agent = primary_person(server, client)
    seen = look_at_feed(server, client, username, level)
    seen = replace(seen, depends_on_agent=seen.depends_on_agent or depends_on_agent)
    return _answer(request, server, seen, form, level)


def _of_kind(
    request: Request, server: ServerState, named: tuple[str, str], form: str, level: str | None
) -> Response:
    client = client_of(request, server)
    client.asked = Asked("read", named[1])
    return _answer(request, server, look_at_feed_of_kind(server, client, *named, level), form, level)


def _answer(request: Request, server: ServerState, seen: SeenFeed, form: str, level: str | None) -> Response:
    document = feed_document(seen, form, References(request.scope, server.settings), level)
    return reply_with_address(request, server, seen, document)
