"""Cards: a person as a vCard, and their page as a QR code."""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress

from fastapi import Request
from starlette.responses import Response

from app.entries.page_wishes import check_wanted
from app.entries.pictures import Picture
from app.errors import NotFound
from app.server.authenticate import Client
from app.server.person_lookup import look_at_person
from app.server.picture_lookup import avatar_bytes
from app.server.profile_lookup import look_at_profile
from app.server.state import ServerState
from app.web.deps import ServerOf, client_of
from app.web.feeds.card import PNG, SVG, VCARD, code_of, vcard_of
from app.web.models.parameters import Level, Name
from app.web.operation import ANYBODY, file_operation, router_of
from app.web.public_address import References
from app.web.replies import reply_with_address

router = router_of("pages")


@router.get("/@{username}/card.vcf", **file_operation("card_vcard", VCARD, who=ANYBODY))
def vcard(request: Request, server: ServerOf, username: Name, level: Level = None) -> Response:
    """Return a person's card: what the head of their page says."""
    client = client_of(request, server)
    seen = look_at_profile(server, client, username, level)
    check_wanted(seen.wishes, "vcard")
    person = look_at_person(server, client, username)
    to = References(request.scope, server.settings)
    document = vcard_of(seen, person, to, _photo(server, client, seen.shown_avatar, to))
    return reply_with_address(request, server, seen, document)


def _photo(server: ServerState, client: Client, avatar: Picture | None, to: References) -> str | None:
    """Return where the picture of a person is; without PUBLIC_URL its smallest size itself (RFC 2397)."""
    if avatar is None:
        return None
    if server.settings.public_url:
        return to.whole(avatar.size("medium").path)
    with suppress(NotFound):  # it is gone in between
        file = avatar_bytes(server, client, avatar, "small")
        return f"data:{file.media_type};base64,{b64encode(file.content).decode()}"
    return None


@router.get("/@{username}/card.svg", **file_operation("card_svg", SVG, who=ANYBODY))
def svg(request: Request, server: ServerOf, username: Name) -> Response:
    """Return a QR code with the address of a person's page, as SVG."""
    return _code(request, server, username, SVG)


@router.get("/@{username}/card.png", **file_operation("card_png", PNG, who=ANYBODY))
def png(request: Request, server: ServerOf, username: Name) -> Response:
    """Return the same as PNG."""
    return _code(request, server, username, PNG)


def _code(request: Request, server: ServerState, username: str, media_type: str) -> Response:
    seen = look_at_person(server, client_of(request, server), username)
    check_wanted(seen.wishes, "qr")
    document = code_of(seen, media_type, References(request.scope, server.settings))
    return reply_with_address(request, server, seen, document)
