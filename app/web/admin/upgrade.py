"""Upgrades and system in the browser: the history, taking the last one back, what the machine is like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app import clock
from app.web.admin import cookies
from app.web.admin.backups import refreshed, replaced
from app.web.admin.language import _
from app.web.admin.operator_visit import SESSION_SECONDS, cookie_name
from app.web.admin.routing import ScreenRouter
from app.web.admin.shown import size_said
from app.web.forms import WAITING_PATH

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

router = ScreenRouter()
PREVIEW = "/api/v1/admin/rollback/preview"


@router.get("upgrade", who="admin")
async def upgrades(visit: Visit) -> Response:
    """Show the versions and the history."""
    state = await visit.got("/api/v1/system/upgrade")
    history = [{**each, "at": each["at"].replace("T", " ")[:16]} for each in state.get("history", ())]
    has_one = any(each["what"] == "upgraded" for each in history)
    return visit.page("upgrade.html", title=_("Upgrades"), state=state, history=history, has_one=has_one)


@router.post("upgrade/preview", who="admin")
async def look(visit: Visit) -> Response:
    """Begin to find out what a rollback would change."""
    begun = await visit.api.call("POST", PREVIEW)
    return visit.go_to("upgrade/rollback") if begun.is_ok else visit.refused(begun, "upgrade")


@router.get("upgrade/rollback", who="admin")
async def ask_rollback(visit: Visit) -> Response:
    """Show what a rollback would change, and ask."""
    return await _rollback_page(visit)


@router.post("upgrade/rollback", who="admin")
async def roll_back(visit: Visit) -> Response:
    """Take the last upgrade back; the version is typed, and the password again.

    No one can sign in then, so the browser gets what the operator token is exchanged for.
    """
    preview = await visit.api.call("GET", PREVIEW)
    if not preview.is_ok:
        return visit.refused(preview, "upgrade")
    word = preview.body["word"]
    if not word or visit.form.line("typed") != word:
        return await _rollback_page(visit, fault=_("Nothing was done: type the version exactly."))
    refusal = await visit.confirm()
    if refusal is None:
        # Before it begins: it may have ended, and with it all sessions, before the next line is done.
        session = visit.server.operator_token.new_session(clock.now())
        begun = await visit.api.call("POST", "/api/v1/admin/rollback")
        if begun.is_ok:
            return _let_on(visit, session)
        refusal = begun
    return await _rollback_page(visit, refusal=refusal)


def _let_on(visit: Visit, session: str) -> Response:
    response = replaced(visit, WAITING_PATH, "rollback")
    response.set_cookie(
        cookie_name(visit.transport),
        session,
        max_age=SESSION_SECONDS,
        path=WAITING_PATH,
        secure=cookies.is_secure(visit.transport),
        httponly=True,
        samesite="strict",
    )
    return response


async def _rollback_page(visit: Visit, **more: Any) -> Response:
    preview = await visit.api.call("GET", PREVIEW)
    if not preview.is_ok:
        return visit.refused(preview, "upgrade")
    response = visit.page(
        "upgrade_rollback.html",
        title=_("Take the last upgrade back"),
        **{"fault": "", **more},
        status=422 if more.get("fault") else 200,
        preview=preview.body,
    )
    return refreshed(response, is_wanted=preview.body["state"] == "running")


@router.get("system", who="admin")
async def system(visit: Visit) -> Response:
    """Show versions, memory, disk, and how much there is."""
    found = await visit.got("/api/v1/admin/system")
    counts = await visit.got("/api/v1/admin/stats")
    health = await visit.api.call("GET", "/health")
    return visit.page(
        "system.html",
        title=_("System"),
        machine=found["system"],
        application=found["application"],
        counts=counts,
        health=health.body,
        size=size_said,
    )
