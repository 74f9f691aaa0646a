"""Application of the admin (ASGI). Whose request is it, may it be answered, by which screen, and what if not?

Nothing here knows entries or accounts: a screen asks the API. What is decided here is what only a browser
needs: the cookie, where a form comes from, and that a refusal is a page.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import DaemonError, NotFound
from app.server import browser_sessions
from app.server.public_errors import of_error
from app.web import words
from app.web.admin import cookies, same_origin, screens
from app.web.admin.api import Api
from app.web.admin.form_data import Form, form_of_request
from app.web.admin.routing import Found, ScreenRouter
from app.web.admin.visit import PageRefused, Visit
from app.web.deps import intake_of
from app.web.forms import MANAGE_PREFIX

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.server.browser_sessions import SignedIn
    from app.server.state import ServerState

SIGN_IN = MANAGE_PREFIX + "sign-in"


class Admin:
    """Answers whatever is below /manage/; ``api`` is the application that answers for the API."""

    def __init__(self, api: ASGIApp, server: ServerState) -> None:
        self._api = api
        self._server = server
        self._routers: list[ScreenRouter] = [import_module(name).router for name in screens.MODULES]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._answered(Request(scope, receive))
        await response(scope, receive, send)

    async def _answered(self, request: Request) -> Response:
        if request.scope["path"] == MANAGE_PREFIX[:-1]:
            return RedirectResponse(MANAGE_PREFIX[1:], 303, {"Cache-Control": "no-store"})
        visit = await self._visit(request)
        chosen = visit.cookie(cookies.LANGUAGE)
        words.speak(words.wanted_language(request.headers.get("accept-language", ""), chosen))
        try:
            return await self._answer(visit)
        except PageRefused as refused:
            return visit.page("refused.html", title=_title(refused.answer.status), refusal=refused.answer)
        except DaemonError as error:
            return _page_of(visit, error)

    async def _visit(self, request: Request) -> Visit:
        transport = cookies.transport_of(request, self._server.settings)
        signed_in = None
        if transport != "refused":
            signed_in = await self._signed_in(cookies.cookie_of(request, transport, cookies.SESSION))
        api = Api(self._api, self._server, request, signed_in)
        return Visit(request, self._server, transport, signed_in, api, {})

    async def _signed_in(self, cookie: str) -> SignedIn | None:
        if not cookie:
            return None
        found = await asyncio.to_thread(self._look_up, cookie)
        if found is not None:
            await browser_sessions.lengthen(self._server, found)
        return found

    def _look_up(self, cookie: str) -> SignedIn | None:
        with self._server.supervisor.reading() as connection:
            return browser_sessions.find(self._server, connection, cookie)

    async def _answer(self, visit: Visit) -> Response:
        method, path = visit.request.method, visit.request.scope["path"]
        found = next(filter(None, (each.find(method, path) for each in self._routers)), None)
        if found is None:
            return self._nothing_there(visit, path)
        visit.names = found.names
        if found.who != "anybody" and visit.signed_in is None:
            return _to_sign_in(visit)
        if found.who == "admin" and not visit.is_admin:
            return visit.page("refused.html", title=_title(403), status=403)
        if method == "POST":
            visit.form = await self._form_of(visit, found)
        return await found.answer(visit)

    def _nothing_there(self, visit: Visit, path: str) -> Response:
        methods = {method for each in self._routers for method in each.methods_at(path)}
        if methods:
            response = visit.page("refused.html", title=_title(405), status=405)
            response.headers["Allow"] = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
            return response
        if visit.signed_in is None:
            return _to_sign_in(visit)
        return _page_of(visit, NotFound("There is nothing at this address."))

    async def _form_of(self, visit: Visit, found: Found) -> Form:
        """Return the form that came; raises NotAllowed for one that no page of this session has sent."""
        request, trusted = visit.request, self._server.settings.trusted_proxies
        same_origin.check_sender(request, trusted, has_session=visit.signed_in is not None)
        if visit.signed_in is not None:
            intake_of(request).has_known_sender()
        form = await form_of_request(request)
        if found.who != "anybody":
            same_origin.check_token(visit.form_token, form.text(same_origin.FIELD))
        return form


def _to_sign_in(visit: Visit) -> Response:
    wanted = visit.request.scope["path"]
    if visit.request.method != "GET" or wanted == MANAGE_PREFIX:
        return visit.go_to(SIGN_IN)
    return visit.go_to(f"{SIGN_IN}?next={wanted}")


def _page_of(visit: Visit, error: DaemonError) -> Response:
    said = of_error(error)
    return visit.page(
        "refused.html", title=_title(error.status), status=error.status, said=said.sentence, hint=said.command
    )


def _title(status: int) -> str:
    _ = words._
    titles = {
        403: _("This is not allowed"),
        404: _("There is nothing here"),
        405: _("This address takes something else"),
    }
    return titles.get(status, _("This did not work"))
