"""Visit of a screen. What is it given of a request: its person, the API, the form, and how to answer?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.responses import RedirectResponse, Response

from app.accounts.login import OTP_HINT
from app.web.admin import cookies, notices, rendering, screens
from app.web.admin.api import Answer, Api
from app.web.admin.cookies import Transport
from app.web.admin.field_labels import refusal_in_words
from app.web.admin.form_data import Form
from app.web.admin.language import _
from app.web.admin.notices import Mood, Notice
from app.web.forms import MANAGE_PREFIX
from app.web.references import reference_to
from app.web.said import said

if TYPE_CHECKING:
    from starlette.requests import Request

    from app.server.browser_sessions import SignedIn
    from app.server.state import ServerState


class PageRefused(Exception):
    """The API has refused what a page is made of: the page says so, and nothing else."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass
class Visit:
    """One request of a browser. ``names``: what its path names; ``signed_in`` None before someone is."""

    request: Request
    server: ServerState
    transport: Transport
    signed_in: SignedIn | None
    api: Api
    names: dict[str, Any]
    form: Form = field(default_factory=Form)

    @property
    def person(self) -> SignedIn:
        """Who has signed in; for screens that are no one else's."""
        assert self.signed_in is not None
        return self.signed_in

    @property
    def is_admin(self) -> bool:
        """Whether it is an admin; the API decides, this only leaves out what it would refuse."""
        return self.signed_in is not None and self.signed_in.user.is_admin

    @property
    def form_token(self) -> str:
        """What every form of this page holds (`csrf()` in templates)."""
        return "" if self.signed_in is None else self.signed_in.form_token(self.server)

    def query(self, name: str, otherwise: str = "") -> str:
        """Return a parameter of the address."""
        return self.request.query_params.get(name, otherwise)

    def to(self, path: str) -> str:
        """Return the reference to an address of this server, whatever prefix a proxy has put before it."""
        return reference_to(self.request.scope, path)

    # -- asking

    async def got(self, path: str, query: dict[str, Any] | None = None) -> Any:
        """Return what the API answers to GET; raises PageRefused where it refuses."""
        found = await self.api.call("GET", path, query=query)
        if not found.is_ok:
            raise PageRefused(found)
        return found.body

    async def confirm(self) -> Answer | None:
        """Pass on the password (and code) that a form asks for again; None, or the API's refusal.

        For what is dangerous: fields ``password`` and ``otp``, as the macro `password_again` makes them.
        """
        sent = {"password": self.form.text("password")}
        if self.form.line("otp"):
            sent["otp"] = self.form.line("otp")
        found = await self.api.call("POST", "/auth/confirm", json=sent)
        return None if found.is_ok else found

    # -- answering

    def page(
        self, template: str, *, title: str, status: int = 200, refusal: Answer | None = None, **values: Any
    ) -> Response:
        """Return a page. ``refusal``: what the API refused, said above the form and beside its fields."""
        notice = notices.unpacked(self.server.secret, self.cookie(cookies.NOTICE))
        body = rendering.rendered(template, self._frame(title, notice, problem_of(refusal)), values)
        if refusal is not None and status == 200:
            status = refusal.status
        response = Response(body, status, rendering.HEADERS, rendering.MEDIA_TYPE)
        if notice is not None:
            self.set_cookie(response, cookies.NOTICE, "", 0)
        return response

    def _frame(self, title: str, notice: Notice | None, problem: Problem | None) -> dict[str, Any]:
        return {
            "title": title,
            "to": self.to,
            "notice": notice,
            "problem": problem,
            "faults": {} if problem is None else problem.by_field,
            "form": self.form,
            "form_token": self.form_token,
            "user": None if self.signed_in is None else self.signed_in.user,
            "is_admin": self.is_admin,
            "is_plain": self.transport == "plain",
            "path": self.request.scope["path"],
            "menu": [] if self.signed_in is None else screens.menu_for(is_admin=self.is_admin),
            "calls": self.api.calls,
        }

    def go_to(self, path: str, told: str = "", mood: Mood = "good") -> Response:
        """Return a redirect (303) to a screen, which says ``told`` once. Never a secret."""
        reference = self.to(path if path.startswith("/") else MANAGE_PREFIX + path)
        response = RedirectResponse(reference or ".", 303, {"Cache-Control": "no-store"})
        if told:
            text = notices.packed(self.server.secret, Notice(told, mood))
            self.set_cookie(response, cookies.NOTICE, text, notices.SECONDS)
        return response

    def refused(self, refusal: Answer, path: str) -> Response:
        """Return to a screen and say there what the API refused; for forms of one button."""
        return self.go_to(path, sentence_of(refusal), "bad")

    def set_cookie(self, response: Response, name: str, value: str, seconds: int) -> None:
        """Have the browser keep a value as the transport allows."""
        cookies.set_cookie(response, self.transport, name, value, seconds)

    def begin_session(self, response: Response, refresh_token: str) -> None:
        """Have the browser keep a session; for a log-in, and for what gives new tokens (a new password)."""
        seconds = self.server.settings.session_days * 86_400
        self.set_cookie(response, cookies.SESSION, refresh_token, seconds)

    def cookie(self, name: str) -> str:
        """Return the value of a cookie that was set here, empty where there is none."""
        return cookies.cookie_of(self.request, self.transport, name)


@dataclass(frozen=True)
class Problem:
    """What the API refused, in words, and beside which fields: by JSON Pointer."""

    sentence: str
    hint: str
    by_field: dict[str, str]


def problem_of(refusal: Answer | None) -> Problem | None:
    """Return what a refusal says."""
    if refusal is None:
        return None
    refusal = refusal_in_words(refusal)
    body = refusal.body if isinstance(refusal.body, dict) else {}
    if body.get("is_said"):
        errors = {str(each.get("pointer", "")): str(each.get("detail", "")) for each in body["errors"]}
        return Problem(body["detail"], "", errors)
    errors = {str(each.get("pointer", "")): said(each.get("detail", "")) for each in body.get("errors", ())}
    hint = str(body.get("hint", ""))  # of a code, not in a form: it has a field for it
    return Problem(sentence_of(refusal), said("" if hint == OTP_HINT else hint), errors)


def sentence_of(refusal: Answer) -> str:
    """Return the one sentence of a refusal, with what it says of fields, in the language of the request."""
    refusal = refusal_in_words(refusal)
    body = refusal.body if isinstance(refusal.body, dict) else {}
    if body.get("is_said"):
        return str(body["detail"])
    detail = str(body.get("detail") or _("The server refused this."))
    faults = [str(each.get("detail", "")) for each in body.get("errors", ())]
    more = [said(fault) for fault in faults if fault and fault not in detail]
    if not more:
        return said(detail)
    if any(each.endswith((".", "!", "?")) for each in more):  # sentences of their own
        return " ".join(
            [said(detail), *(each if each.endswith((".", "!", "?")) else f"{each}." for each in more)]
        )
    return f"{said(detail)} ({'; '.join(more)})"
