"""Cross-site request forgery (CSRF). Was a form sent by a page of ours, in this session?

Three things, and each of them must hold: Fetch Metadata where the browser sends it (`Sec-Fetch-Site`), the
`Origin`, and the form's own token, which only a page of the same session could know. Before there is a
session the browser must say where the form was: without Origin and Fetch Metadata it is refused.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from app.errors import NotAllowed
from app.server.client_address import scheme_of

if TYPE_CHECKING:
    from starlette.requests import Request

FIELD = "form_token"


def check_sender(request: Request, trusted_proxies: tuple[str, ...], *, has_session: bool) -> None:
    """Raise NotAllowed for a form that a page of another origin has sent, as far as the browser says so."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site != "same-origin":
        raise _refused()
    if origin is not None and not _is_own(origin, request, trusted_proxies):
        raise _refused()
    if site is None and origin is None and not has_session:
        raise _refused()


def check_token(expected: str, offered: str) -> None:
    """Raise NotAllowed where the token of a form is not that of the session."""
    if not hmac.compare_digest(expected.encode(), offered.encode(errors="replace")):
        raise _refused()


def _is_own(origin: str, request: Request, trusted_proxies: tuple[str, ...]) -> bool:
    scheme, _, place = origin.partition("://")
    if place.lower() != request.headers.get("host", "").lower():
        return False
    # behind a proxy that ends TLS and is not listed, what comes looks like plain HTTP
    return scheme == "https" or scheme == scheme_of(request.scope, trusted_proxies)


def _refused() -> NotAllowed:
    return NotAllowed(
        "This form was not sent by a page of this session; nothing was changed.",
        hint="Open the page again, and send its form from there.",
    )
