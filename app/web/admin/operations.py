"""Operations in the browser: how far is what one began, how long does the rest take, and how did it end?"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app import clock
from app.web.admin import cookies
from app.web.admin.api import path_of
from app.web.admin.backups import refreshed
from app.web.admin.language import _, mark
from app.web.admin.routing import ScreenRouter
from app.web.admin.shown import size_said
from app.web.admin.work_shown import rest_in_words

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

router = ScreenRouter()
NAMES = {
    "backup": mark("Making a backup"),
    "prove": mark("Proving a backup"),
    "restore": mark("Putting a backup back"),
    "rollback": mark("Taking the last upgrade back"),
    "upgrade": mark("Upgrading"),
    "export": mark("Gathering everything about you"),
    "cleanup": mark("Erasing what was deleted long ago"),
    "audit-verify": mark("Reading the whole audit"),
}
STATES = {"running": mark("goes on"), "done": mark("done"), "failed": mark("did not succeed")}


@router.get("operations")
async def operations(visit: Visit) -> Response:
    """List what one began."""
    found = [shown(each) for each in (await visit.got("/api/v1/operations"))["items"]]
    response = visit.page("operations.html", title=_("Long work"), operations=found)
    return refreshed(response, is_wanted=any(each["state"] == "running" for each in found))


@router.get("operations/{number:int}")
async def operation(visit: Visit) -> Response:
    """Show how far one is, or how it ended; the page looks again by itself."""
    found = shown(await visit.got(path_of("api", "v1", "operations", visit.names["number"])))
    response = visit.page("operation.html", title=found["said"], operation=found)
    if found["state"] == "failed":
        visit.set_cookie(response, cookies.REPLACED, "", 0)  # a restore that was not done ends no session
    return refreshed(response, is_wanted=found["state"] == "running")


def shown(operation: dict[str, Any]) -> dict[str, Any]:
    """Return an operation with words for people, its per cent, and about how long the rest takes."""
    done, total = operation["done_count"], operation["total_count"]
    percent = min(100, done * 100 // total) if total and done is not None else None
    name = str(operation["name"])
    file = operation["file"] or {}
    return {
        **operation,
        "said": _(NAMES[name]) if name in NAMES else name,
        "state_said": _(STATES.get(operation["state"], operation["state"])),
        "percent": percent,
        "rest": rest_in_words(_seconds_left(operation, percent)),
        "at": str(operation["created_at"] or "").replace("T", " ")[:16],
        "file_said": f"{file['name']} ({size_said(file['size_bytes'] or 0)})" if file else "",
    }


def _seconds_left(operation: dict[str, Any], percent: int | None) -> float | None:
    """Reckon from the time that has gone; None where that says nothing yet."""
    began = clock.parse_stored(operation["created_at"])
    if operation["state"] != "running" or began is None or not percent:
        return None
    gone = _seconds_since(began)
    return gone * (100 - percent) / percent


def _seconds_since(moment: datetime) -> float:
    return max(0.0, (clock.now() - moment).total_seconds())
