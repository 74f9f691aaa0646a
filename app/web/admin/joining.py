"""Links of one use in the browser: an invitation makes an account, another one a new password.

The link carries its token once: it goes into a cookie, and the browser is led on to an address without it.
Looking at a link uses nothing up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from app.accounts.one_time_links import INVITATION
from app.log_lines import keep_secret
from app.web.admin.language import _
from app.web.admin.routing import ScreenRouter
from app.web.admin.sign_in import begin, plain_http

if TYPE_CHECKING:
    from app.web.admin.api import Answer
    from app.web.admin.visit import Visit

router = ScreenRouter()
COOKIE, SECONDS = "daemon_link", 3_600


@router.get("join", who="anybody")
async def ask(visit: Visit) -> Response:
    """Take the token out of the address; without one there, show what its link is for."""
    if visit.transport == "refused":
        return plain_http(visit)
    offered = visit.query("token")
    if not offered:
        return await _page(visit)
    link = await visit.api.call("POST", "/auth/link", json={"token": offered})
    if not link.is_ok:  # before anything is kept: what anyone sends must hide no words in the log
        return _over(visit, link)
    keep_secret(offered)
    response = visit.go_to("join")
    response.headers["Referrer-Policy"] = "no-referrer"
    visit.set_cookie(response, COOKIE, offered, SECONDS)
    return response


@router.post("join", who="anybody")
async def use(visit: Visit) -> Response:
    """Make the account, or choose the password, and sign in."""
    if visit.transport == "refused":
        return plain_http(visit)
    form, token = visit.form, visit.cookie(COOKIE)
    link = await visit.api.call("POST", "/auth/link", json={"token": token})
    if not link.is_ok:
        return _over(visit, link)
    password = form.text("password")
    if link.body["purpose"] == INVITATION:
        wanted = {"username": form.line("username"), "email": form.line("email"), "password": password}
        more = {"full_name": form.line("full_name") or None, "invitation": token}
        answer = await visit.api.call("POST", "/auth/register", json=wanted | more)
    else:
        sent = {"token": token, "new_password": password}
        answer = await visit.api.call("POST", "/auth/password/reset", json=sent)
    if not answer.is_ok:
        return await _page(visit, answer)
    if link.body["purpose"] == INVITATION:
        response = await begin(visit, form.line("username"), password)
    else:
        response = visit.go_to("sign-in", _("Your password is changed. Sign in with the new one."))
    visit.set_cookie(response, COOKIE, "", 0)
    return response


async def _page(visit: Visit, refusal: Answer | None = None) -> Response:
    link = await visit.api.call("POST", "/auth/link", json={"token": visit.cookie(COOKIE)})
    if not link.is_ok:
        return _over(visit, link)
    is_invitation = link.body["purpose"] == INVITATION
    title = _("You are invited") if is_invitation else _("Choose another password")
    return visit.page("join.html", title=title, refusal=refusal, link=link.body, is_invitation=is_invitation)


def _over(visit: Visit, refusal: Answer) -> Response:
    response = visit.page(
        "refused.html",
        title=_("This link opens nothing"),
        status=refusal.status,
        said=_(
            "It was used, is over, was withdrawn, or never was. Whoever gave it to you can make another one."
        ),
    )
    visit.set_cookie(response, COOKIE, "", 0)
    return response
