"""One's own account in the browser: sessions, another password, and leaving in two steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from app.web.admin import cookies
from app.web.admin.api import path_of
from app.web.admin.dangerous import confirmed, fault_of_typed
from app.web.admin.language import _
from app.web.admin.routing import ScreenRouter

if TYPE_CHECKING:
    from app.web.admin.api import Answer
    from app.web.admin.visit import Visit

router = ScreenRouter()


@router.get("account")
async def account(visit: Visit) -> Response:
    """Show one's sessions, and what else there is about one's account."""
    return await _page(visit)


@router.post("account/sessions")
async def end_session(visit: Visit) -> Response:
    """End one session, or all of them."""
    if visit.form.has("everywhere"):
        answer = await visit.api.call("POST", "/auth/logout-everywhere")
        return (
            _signed_out(visit, _("You are signed out everywhere.")) if answer.is_ok else _back(visit, answer)
        )
    session = visit.form.line("session")
    answer = await visit.api.call("DELETE", path_of("auth", "sessions", session))
    if not answer.is_ok:
        return _back(visit, answer)
    if session == str(visit.person.session.id):
        return _signed_out(visit, _("You are signed out."))
    return visit.go_to("account", _("That session is over."))


@router.post("account/details")
async def change_details(visit: Visit) -> Response:
    """Change one's name and mail address."""
    wanted = {"full_name": visit.form.line("full_name") or None, "email": visit.form.line("email")}
    answer = await visit.api.call("PATCH", "/auth/me", json=wanted)
    return visit.go_to("account", _("It is changed.")) if answer.is_ok else await _page(visit, answer)


@router.post("account/password")
async def change_password(visit: Visit) -> Response:
    """Choose another password; every session but the new one of this browser ends."""
    form = visit.form
    if form.text("new_password") != form.text("again"):
        return visit.go_to(
            "account", _("The two new passwords are not the same; nothing was changed."), "bad"
        )
    wanted = {
        "current_password": form.text("current_password"),
        "new_password": form.text("new_password"),
        "end_keys": form.has("end_keys"),
    } | ({"otp": form.line("otp")} if form.line("otp") else {})
    answer = await visit.api.call("POST", "/auth/password", json=wanted)
    if not answer.is_ok:
        return await _page(visit, answer)
    refresh_token = answer.body.get("refresh_token")
    if refresh_token is None:
        return _signed_out(visit, _("Your password is changed. Sign in with the new one."))
    response = visit.go_to("account", _("Your password is changed; every other session is over."))
    visit.begin_session(response, refresh_token)
    return response


@router.get("account/leave")
async def ask_to_leave(visit: Visit) -> Response:
    """Say what leaving means, and ask for the name and the password."""
    return _leave_page(visit)


@router.post("account/leave")
async def leave(visit: Visit) -> Response:
    """Leave: at once out of sight, and erased in seven days."""
    fault = fault_of_typed(visit, visit.person.user.username)
    if fault:
        return _leave_page(visit, fault=fault)
    answer = await confirmed(visit, "POST", "/api/v1/me/departure", {"now": False})
    if not answer.is_ok:
        return _leave_page(visit, answer)
    response = visit.page(
        "left.html", title=_("You have left"), left=answer.body, leaver=visit.person.user.username
    )
    visit.set_cookie(response, cookies.SESSION, "", 0)
    return response


async def _page(visit: Visit, refusal: Answer | None = None) -> Response:
    return visit.page(
        "account.html",
        title=_("Account"),
        refusal=refusal,
        account=await visit.got("/auth/me"),
        sessions=(await visit.got("/auth/sessions"))["items"],
        factor=await visit.got("/auth/second-factor"),
        storage=await visit.got("/auth/storage"),
    )


def _leave_page(visit: Visit, refusal: Answer | None = None, fault: str = "") -> Response:
    return visit.page(
        "leave.html", title=_("Leave"), refusal=refusal, fault=fault, leaver=visit.person.user.username
    )


def _back(visit: Visit, refusal: Answer) -> Response:
    return visit.refused(refusal, "account")


def _signed_out(visit: Visit, said: str) -> Response:
    response = visit.go_to("sign-in", said)
    visit.set_cookie(response, cookies.SESSION, "", 0)
    return response
