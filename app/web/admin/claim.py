"""Claim in the browser. How does the first person make an installation theirs, by the link that was printed?

The link is good once: what it carries is exchanged for another token, in a cookie of an hour, and the browser
is led on to an address without it. The file beside the database holds the other token then, for whoever lost
that browser.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from starlette.responses import Response

from app.accounts import claim
from app.accounts.throttle import network_of
from app.errors import Conflict, InvalidContent, NotAllowed
from app.log_lines import keep_secret
from app.server import login as logins
from app.server.client_address import address_of
from app.server.login import WantedAccount
from app.web.admin import cookies
from app.web.admin.api import Answer
from app.web.admin.language import _
from app.web.admin.routing import ScreenRouter
from app.web.admin.sign_in import begin, is_claimed, plain_http
from app.web.deps import intake_of

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

router = ScreenRouter()
CLAIM_SECONDS = 3_600


@router.get("claim", who="anybody")
async def ask(visit: Visit) -> Response:
    """Exchange the token of the link; without one, show the form to the browser that has exchanged it."""
    if visit.transport == "refused":
        return plain_http(visit)
    if is_claimed(visit):
        return visit.go_to("sign-in", _("This installation has been claimed already."), "bad")
    offered = visit.query("token")
    return await _exchange(visit, offered) if offered else _form(visit)


@router.post("claim", who="anybody")
async def make_theirs(visit: Visit) -> Response:
    """Make the first account, and sign it in."""
    if visit.transport == "refused":
        return plain_http(visit)
    form, token = visit.form, visit.cookie(cookies.CLAIM)
    wanted = WantedAccount(
        form.line("username"), form.line("email"), form.text("password"), form.line("full_name") or None
    )
    intake_of(visit.request).let_go()
    await _check(visit, token)
    try:
        await logins.register(visit.server, token, wanted)
    except (InvalidContent, Conflict) as error:
        errors = error.details.get("errors", ())
        return _form(visit, Answer(error.status, {"detail": error.message, "errors": errors}, {}))
    response = await begin(visit, wanted.username, wanted.password)
    visit.set_cookie(response, cookies.CLAIM, "", 0)
    return response


async def _exchange(visit: Visit, offered: str) -> Response:
    if "prefetch" in visit.request.headers.get("sec-purpose", ""):
        raise NotAllowed("This link is not for looking ahead.")
    await _check(visit, offered)
    token = await asyncio.to_thread(partial(claim.exchange_token, visit.server.settings, offered))
    keep_secret(token)
    response = visit.go_to("claim")
    response.headers["Referrer-Policy"] = "no-referrer"
    visit.set_cookie(response, cookies.CLAIM, token, CLAIM_SECONDS)
    return response


async def _check(visit: Visit, offered: str) -> None:
    """Raise where this is not the token; guesses are counted as those over the API are."""
    server = visit.server
    address = address_of(visit.request.scope, server.settings.trusted_proxies)
    await asyncio.to_thread(claim.check_token, server.settings, server.throttle, offered, network_of(address))


def _form(visit: Visit, refusal: Answer | None = None) -> Response:
    if not visit.cookie(cookies.CLAIM):
        return visit.page(
            "refused.html",
            title=_("Claim this installation"),
            status=403,
            said=_("Open the link that the server printed when it started: it carries the token for this."),
            hint=_(
                "If it was used already: the file beside the database, %(name)s, holds another token.",
                name=visit.server.settings.claim_path.name,
            ),
        )
    return visit.page("claim.html", title=_("Claim this installation"), refusal=refusal)
