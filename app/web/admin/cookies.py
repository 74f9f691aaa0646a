"""Session cookie. What is it called, who keeps it, and may anyone sign in over this connection?

Over TLS, and by a name that is this machine's own, it is a `__Host-` cookie: Secure, of this host alone.
WebKit (Safari) takes no Secure cookie from this machine over HTTP, so there, and nowhere else, it gets one
without: what never leaves the machine is read by no one on the way. On plain HTTP from elsewhere anyone could
read password and cookie: signing in is refused there, unless ADMIN_OVER_HTTP allows it.
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from app.server.client_address import FORWARDED_BY, LOCAL_NAMES, OWN_HTTP_VERSIONS, scheme_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from app.settings import Settings

Transport = Literal["tls", "loopback", "unmarked", "plain", "refused"]
_ANY_PROXY = FORWARDED_BY | {b"via"}
_OF_CHROMIUM = ("Chrome/", "Chromium/")
SESSION, CLAIM, NOTICE, LANGUAGE = "daemon_session", "daemon_claim", "daemon_notice", "daemon_language"
REPLACED = (
    "daemon_replaced"  # for who has put another state in the place of the database: why a session ended
)
LONGEST_COOKIES = 16_384


def transport_of(request: Request, settings: Settings) -> Transport:
    """Return how a browser's words come here.

    "unmarked": from this machine, by a browser that keeps no Secure cookie of it; "plain": they can be read
    on the way, and that is allowed.
    """
    if scheme_of(request.scope, settings.trusted_proxies) == "https":
        return "tls"
    if _hostname(request) in LOCAL_NAMES:
        return "unmarked" if _is_webkit(request) and not _is_passed_on(request) else "loopback"
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
        secure=is_secure(transport),
        httponly=True,
        samesite="lax",
    )


def is_secure(transport: Transport) -> bool:
    """Whether cookies are Secure there, and so may be named as such."""
    return transport not in ("unmarked", "plain")


def _full_name(transport: Transport, name: str) -> str:
    return f"__Host-{name}" if is_secure(transport) else name


def _is_webkit(request: Request) -> bool:
    """Whether it is Safari, or another browser of its engine; all that is not known to be is not."""
    agent = request.headers.get("user-agent", "")
    return "AppleWebKit/" in agent and not any(each in agent for each in _OF_CHROMIUM)


def _is_passed_on(request: Request) -> bool:
    """Whether a proxy tells that it is one: the name of this machine may be its word, not the browser's."""
    names = {name for name, _value in request.scope["headers"]}
    return bool(names & _ANY_PROXY) or request.scope.get("http_version") not in OWN_HTTP_VERSIONS


def _hostname(request: Request) -> str | None:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname
    except ValueError:
        return None
