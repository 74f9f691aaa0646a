"""Cards: a person as a vCard, and their page as a QR code."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from app.entries.page_wishes import check_wanted
from app.server.person_lookup import look_at_person
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
    document = vcard_of(seen, person, References(request.scope, server.settings))
    return reply_with_address(request, server, seen, document)


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
