"""Waiting page and operator pages. What does a browser see while the database is not ready, and who may act?

Neither accounts nor sessions can be read then. So the page at every address only says how things stand; who
has the operator token (`server/operator_token.py`) can check, upgrade and roll back at /manage/waiting, and
nothing else. What is done there are the operations of the command line, in its words.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from app import clock
from app.accounts.throttle import LoginThrottle, network_of
from app.errors import DaemonError, InvalidContent, NotAllowed, Refused
from app.server import public_errors
from app.server.client_address import address_of
from app.upgrade.records.history import operations_of
from app.upgrade.report import status_text
from app.web import words as catalogue
from app.web.admin import cookies, rendering, same_origin
from app.web.admin.form_data import Form, form_of_request
from app.web.admin.language import _
from app.web.admin.operator_visit import SESSION_SECONDS, OperatorVisit, cookie_name
from app.web.admin.visit import Problem
from app.web.admin.waiting_words import SERVED, said_of, words_of
from app.web.admin.work_shown import ended_lately, outcome_of, progress_of, work_of
from app.web.content_security import policy_of_page
from app.web.deps import intake_of
from app.web.forms import MANAGE_PREFIX, WAITING_PATH, is_of_operators
from app.web.said import said

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from app.server.looks import Look
    from app.server.state import ServerState

HISTORY_MOST = 50
REFRESH_SECONDS = 2
RETRY_SECONDS = 5
ASKED_BY = "whoever has the operator token"


class WaitingPages:
    """ASGI application: the page of every address while the database is not ready, and the operator's."""

    def __init__(self, server: ServerState) -> None:
        self._server = server
        self._throttle = LoginThrottle(time.monotonic)  # of this process: no database is there to count in
        self._posts: dict[str, Callable[[OperatorVisit], Awaitable[Response]]] = {
            "/token": self._exchange,
            "/check": self._check,
            "/run": self._run,
            "/look": self._look,
            "/rollback": self._roll_back,
            "/leave": self._leave,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._answered(Request(scope, receive))
        await response(scope, receive, send)

    async def _answered(self, request: Request) -> Response:
        visit = OperatorVisit(request, self._server, cookies.transport_of(request, self._server.settings))
        chosen = cookies.cookie_of(request, visit.transport, cookies.LANGUAGE)
        catalogue.speak(catalogue.wanted_language(request.headers.get("accept-language", ""), chosen))
        if not is_of_operators(visit.path):
            return self._page_for_anyone(visit)
        visit.session = await asyncio.to_thread(self._session_of, visit)
        try:
            return await self._answer(visit)
        except (DaemonError, OSError) as error:
            if isinstance(error, OSError):
                error = Refused(f"A file cannot be written: {error.strerror}. Nothing was begun.", hint="")
            return await self._page(visit, error)

    def _session_of(self, visit: OperatorVisit) -> str:
        """Return the session of a browser; sets ``over`` where it may only be told how it ended."""
        offered = cookies.named_cookie_of(visit.request, cookie_name(visit.transport))
        if not offered:
            return ""
        token, now = self._server.operator_token, clock.now()
        if token.is_session(offered, now):
            return offered
        is_asking = visit.request.method == "GET" and self._server.supervisor.is_open
        visit.over = offered if is_asking and token.is_over(offered, now) else ""
        return ""

    async def _answer(self, visit: OperatorVisit) -> Response:
        wanted = visit.path.removeprefix(WAITING_PATH)
        if visit.request.method == "POST" and wanted in self._posts:
            visit.form = await self._form_of(visit, wanted)
            return await self._posts[wanted](visit)
        if self._server.supervisor.is_open and not visit.session and not visit.over:
            return visit.go_to(MANAGE_PREFIX)
        if wanted == "/rollback" and visit.session:
            return await self._page_of_rollback(visit)
        return await self._page(visit) if wanted in ("", "/") else visit.go_to(WAITING_PATH)

    async def _form_of(self, visit: OperatorVisit, wanted: str) -> Form:
        """Return the form that came; raises NotAllowed for one that no page of this session has sent."""
        request, trusted = visit.request, self._server.settings.trusted_proxies
        same_origin.check_sender(request, trusted, has_session=bool(visit.session))
        if visit.session:
            intake_of(request).has_known_sender()
        form = await form_of_request(request)
        if wanted != "/token":
            if not visit.session:
                raise NotAllowed(_("The hour of the operator token is over, or this browser has none."))
            expected = self._server.operator_token.form_token(visit.session)
            same_origin.check_token(expected, form.text(same_origin.FIELD))
            if wanted != "/leave" and self._server.supervisor.is_open:
                raise NotAllowed(_("The database is served: sign in. The operator token opens nothing here."))
        return form

    # -- what is done

    async def _exchange(self, visit: OperatorVisit) -> Response:
        if visit.transport == "refused" or self._server.supervisor.is_open:
            return visit.go_to(WAITING_PATH)
        exchange = self._server.operator_token.exchange
        try:
            session = await asyncio.to_thread(exchange, visit.form.line("token"), clock.now())
        except NotAllowed:
            address = address_of(visit.request.scope, self._server.settings.trusted_proxies)
            self._throttle.refuse("operator", network_of(address))
            raise
        response = visit.go_to(WAITING_PATH)
        visit.keep(response, session, SESSION_SECONDS)
        return response

    async def _check(self, visit: OperatorVisit) -> Response:
        self._server.looks.begin("check")
        return visit.go_to(WAITING_PATH)

    async def _run(self, visit: OperatorVisit) -> Response:
        await asyncio.to_thread(self._server.going_back.upgrade, ASKED_BY)
        return visit.go_to(WAITING_PATH)

    async def _look(self, visit: OperatorVisit) -> Response:
        self._server.looks.begin("rollback")
        return visit.go_to(f"{WAITING_PATH}/rollback")

    async def _roll_back(self, visit: OperatorVisit) -> Response:
        look = self._server.looks.find("rollback")
        if look is None or not look.word or visit.form.line("typed") != look.word:
            raise InvalidContent(
                _("What was typed is not what was asked for; nothing was changed."),
                hint=_("Type exactly what is asked for."),
            )
        await asyncio.to_thread(self._server.going_back.roll_back, ASKED_BY)
        self._server.looks.forget()
        return visit.go_to(WAITING_PATH)

    async def _leave(self, visit: OperatorVisit) -> Response:
        await asyncio.to_thread(self._server.operator_token.leave, clock.now())
        response = visit.go_to(WAITING_PATH)
        visit.keep(response, "", 0)
        return response

    # -- pages

    def _page_for_anyone(self, visit: OperatorVisit) -> Response:
        """Return the page of every address: how things stand, and nothing that names a file or a count."""
        status = self._server.supervisor.status
        words = words_of(status)
        is_reload = visit.request.method == "GET" and words.ends_by_itself
        return self._rendered(
            visit,
            "waiting.html",
            words.title,
            503,
            words=words,
            progress=progress_of(self._server),
            is_reload=is_reload,
        )

    async def _page(self, visit: OperatorVisit, error: DaemonError | None = None) -> Response:
        """Return the page of operators; before a token came, only how things stand and where to type it."""
        if error is not None and visit.form.has("typed"):
            return await self._page_of_rollback(visit, error)
        server, status = self._server, self._server.supervisor.status
        words, told = words_of(status), None
        values: dict[str, Any] = {"work": "", "history": (), "check": None, "sentence": "", "command": ""}
        is_reload = not visit.session and words.ends_by_itself
        if visit.session or visit.over:
            told = await asyncio.to_thread(server.going_back.find_newest)
            values["work"] = work_of(told)
            is_reload = bool(values["work"]) or ended_lately(told, is_open=server.supervisor.is_open)
        if visit.session:
            check = server.looks.find("check")
            values |= {"check": check, "sentence": status.sentence, "command": status.command}
            values["history"] = await asyncio.to_thread(_history, server)
            is_reload = is_reload or _is_under_way(check)
        elif not visit.over and not server.supervisor.is_open:
            values["command"] = public_errors.of_status(status).command if not words.ends_by_itself else ""
        code = 200 if visit.session or visit.over else 503
        response = self._rendered(
            visit,
            "operator.html",
            _("The database is served") if server.supervisor.is_open else words.title,
            code if error is None else error.status,
            error,
            words=words if not server.supervisor.is_open else said_of(SERVED),
            told=outcome_of(told),
            progress=progress_of(server),
            is_open=server.supervisor.is_open,
            may_type=visit.transport != "refused" and not words.ends_by_itself,
            port=server.settings.port,
            is_reload=is_reload and error is None,
            **values,
        )
        if visit.over and not is_reload:
            await asyncio.to_thread(server.operator_token.has_told, visit.over, clock.now())
            visit.keep(response, "", 0)
        return response

    async def _page_of_rollback(self, visit: OperatorVisit, error: DaemonError | None = None) -> Response:
        look = self._server.looks.find("rollback")
        if look is None:
            return visit.go_to(WAITING_PATH)
        return self._rendered(
            visit,
            "operator_rollback.html",
            _("Roll back"),
            200 if error is None else error.status,
            error,
            look=look,
            is_reload=_is_under_way(look),
        )

    def _rendered(
        self,
        visit: OperatorVisit,
        template: str,
        title: str,
        status: int,
        error: DaemonError | None = None,
        *,
        is_reload: bool = False,
        **values: Any,
    ) -> Response:
        form_token = self._server.operator_token.form_token(visit.session) if visit.session else ""
        frame = {
            "to": visit.to,
            "path": visit.path,
            "form": visit.form,
            "languages": {},  # choosing one is an address that needs the database
            "script": "",
            "notice": None,
            "user": None,
            "is_admin": True,
            "menu": [],
            "calls": [],
            "title": title,
            "problem": _problem_of(error),
            "faults": {"/typed": said(error.message)}
            if error is not None and visit.form.has("typed")
            else {},
            "form_token": form_token,
            "session": visit.session or visit.over,
            "is_plain": visit.transport == "plain",
        }
        body = rendering.rendered(template, frame, values)
        headers = {**rendering.HEADERS, "Content-Security-Policy": policy_of_page(has_forms=True)}
        if status == 503 and error is None:
            headers["Retry-After"] = str(RETRY_SECONDS if self._server.supervisor.status.gate else 1)
        if is_reload:  # a header, which needs no script: people who read slowly lose nothing that they typed
            headers["Refresh"] = str(REFRESH_SECONDS)
        return Response(body, status, headers, rendering.MEDIA_TYPE)


def _history(server: ServerState) -> list[dict[str, object]]:
    """Return the upgrades, rollbacks and restores that are recorded, the newest first."""
    found = operations_of(status_text.history(server.settings))
    return [{**asdict(one), "at": one.at.replace("T", " ")[:16]} for one in reversed(found)][:HISTORY_MOST]


def _is_under_way(look: Look | None) -> bool:
    return look is not None and look.state == "running"


def _problem_of(error: DaemonError | None) -> Problem | None:
    if error is None:
        return None
    told = public_errors.of_error(error)
    return Problem(said(told.sentence), said(told.command), {})
