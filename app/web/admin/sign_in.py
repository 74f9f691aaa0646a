"""Signing in and out in the browser, and the choice of a language. Who is it?"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.responses import Response

from app.accounts import claim
from app.entries.entry import Origin
from app.errors import NotAuthenticated, SecondFactorNeeded
from app.server import login as logins
from app.server.client_address import address_of
from app.upgrade.records.auto_upgrade_block import find_hold
from app.web import words
from app.web.admin import cookies
from app.web.admin.api import Answer
from app.web.admin.language import _
from app.web.admin.routing import ScreenRouter
from app.web.deps import intake_of
from app.web.forms import MANAGE_PREFIX, is_managing

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

router = ScreenRouter()
LANGUAGE_SECONDS = 365 * 86_400


@router.get("sign-in", who="anybody")
async def ask(visit: Visit) -> Response:
    """Show the form; where nothing may be typed over this connection, why, and what to do."""
    if visit.transport == "refused":
        return plain_http(visit)
    if visit.signed_in is not None:
        return visit.go_to(_next(visit.query("next")))
    return _form(visit, is_lost=visit.query("after") == "sign-in")


@router.post("sign-in", who="anybody")
async def sign_in(visit: Visit) -> Response:
    """Begin a session, as `POST /auth/login` does: the same tries, waits and audit."""
    if visit.transport == "refused":
        return plain_http(visit)
    form = visit.form
    try:
        return await begin(visit, form.line("username"), form.text("password"), form.line("otp"))
    except SecondFactorNeeded:
        detail = _("This account has a second factor: type its code, and the password again.")
    except NotAuthenticated as error:
        detail = error.message
    return _form(visit, refusal=Answer(401, {"detail": detail}, {}))


@router.post("sign-out")
async def sign_out(visit: Visit) -> Response:
    """End this session."""
    await visit.api.call("POST", "/auth/logout")
    response = visit.go_to("sign-in", _("You are signed out."))
    visit.set_cookie(response, cookies.SESSION, "", 0)
    return response


@router.post("language", who="anybody")
async def choose_language(visit: Visit) -> Response:
    """Have this browser be spoken to in another language."""
    chosen = visit.form.text("language")
    response = visit.go_to(_next(visit.form.text("back")))
    if chosen in words.NAMES:
        visit.set_cookie(response, cookies.LANGUAGE, chosen, LANGUAGE_SECONDS)
    return response


async def begin(visit: Visit, username: str, password: str, otp: str = "") -> Response:
    """Sign someone in, and lead them to where they were going; raises what `login.log_in` raises."""
    intake_of(visit.request).let_go()  # who waits for a turn holds nothing that others need
    request, server = visit.request, visit.server
    address = address_of(request.scope, server.settings.trusted_proxies)
    origin = Origin(address, request.headers.get("user-agent"))
    token = await logins.log_in(server, username, password, origin, otp=otp, with_refresh=True)
    wanted = _next(visit.form.text("next"))
    response = visit.go_to(f"sign-in?after=sign-in&next={wanted}")
    visit.begin_session(response, token.refresh_text or "")
    if visit.cookie(cookies.REPLACED):
        visit.set_cookie(response, cookies.REPLACED, "", 0)
    return response


def plain_http(visit: Visit) -> Response:
    """Return the page that says why no one signs in over this connection, and what to do."""
    host = urlsplit(f"//{visit.request.headers.get('host', '')}").hostname or "HOST"
    port = visit.server.settings.port
    return visit.page("plain_http.html", title=_("Not over plain HTTP"), status=403, host=host, port=port)


def _form(visit: Visit, *, is_lost: bool = False, refusal: Answer | None = None) -> Response:
    wanted = visit.form.text("next") or visit.query("next")
    return visit.page(
        "sign_in.html",
        title=_("Sign in"),
        refusal=refusal,
        is_lost=is_lost,
        replaced=_replaced(visit),
        is_claimed=is_claimed(visit),
        next=_next(wanted),
    )


def _replaced(visit: Visit) -> str:
    """Return what this browser had put in the place of the database: "rollback" only while it is still so."""
    how = visit.cookie(cookies.REPLACED)
    if how == "rollback" and find_hold(visit.server.settings) is None:
        return ""  # it was upgraded again, or nothing was changed at all
    return how


def is_claimed(visit: Visit) -> bool:
    """Whether the installation has an account."""
    with visit.server.supervisor.reading() as connection:
        return visit.server.is_claimed or claim.is_claimed(connection)


def _next(wanted: str) -> str:
    """Return where to go on: an address of the admin, and no other one."""
    is_ours = is_managing(wanted) and not any(mark in wanted for mark in ("..", "//", "\\", "?", "#"))
    return wanted if is_ours and wanted.isprintable() else MANAGE_PREFIX
