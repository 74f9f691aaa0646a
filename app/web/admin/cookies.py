"""Session cookie. What is it called, who keeps it, and may anyone sign in over this connection?

Over TLS, and by a name that is this machine's own, it is a `__Host-` cookie: Secure, of this host alone. On
plain HTTP from elsewhere anyone on the way could read password and cookie: signing in is refused there,
unless ADMIN_OVER_HTTP allows it.
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from app.server.client_address import LOCAL_NAMES, scheme_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from app.settings import Settings

Transport = Literal["tls", "loopback", "plain", "refused"]
SESSION, CLAIM, NOTICE, LANGUAGE = "daemon_session", "daemon_claim", "daemon_notice", "daemon_language"
REPLACED = (
    "daemon_replaced"  # for who has put another state in the place of the database: why a session ended
)
LONGEST_COOKIES = 16_384


def transport_of(request: Request, settings: Settings) -> Transport:
    """Return how a browser's words come here; "plain": they can be read on the way, and that is allowed."""
    if scheme_of(request.scope, settings.trusted_proxies) == "https":
        return "tls"
    if _hostname(request) in LOCAL_NAMES:
        return "loopback"
    return "plain" if settings.admin_over_http else "refused"


def cookie_of(request: Request, transport: Transport, name: str) -> str:
    """Return the value of a cookie that was set here, empty where there is none."""
    return named_cookie_of(request, _full_name(transport, name))


def named_cookie_of(request: Request, full_name: str) -> str:
    """The same, by the name that the browser knows."""
    text = request.headers.get("cookie", "")
    try:
        found = SimpleCookie(text if len(text) <= LONGEST_COOKIES else "")
    except CookieError:
        return ""
    morsel = found.get(full_name)
    return "" if morsel is None else morsel.value


def set_cookie(response: Response, transport: Transport, name: str, value: str, seconds: int) -> None:
    """Have the browser keep a value, out of reach of scripts; ``seconds`` 0 takes it away."""
    response.set_cookie(
        _full_name(transport, name),
        value,
        max_age=seconds,
        path="/",
        secure=transport != "plain",
        httponly=True,
        samesite="lax",
    )


def _full_name(transport: Transport, name: str) -> str:
    return name if transport == "plain" else f"__Host-{name}"


def _hostname(request: Request) -> str | None:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname
    except ValueError:
        return None
