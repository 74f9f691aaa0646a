"""Backups in the browser: made, proved, put back with what would be lost shown first, cleared away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.web.admin import cookies
from app.web.admin.api import path_of
from app.web.admin.language import _, mark, ngettext
from app.web.admin.routing import ScreenRouter
from app.web.admin.shown import size_said

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

router = ScreenRouter()
BACKUPS = "/api/v1/admin/backups"
REPLACED_SECONDS = 3_600
SHOWN_MOST = 200
STATES = {
    "good": mark("good"),
    "unproved": mark("not read now"),
    "damaged": mark("damaged"),
    "foreign": mark("no backup"),
}
PURPOSES = {
    "manual": mark("made by hand"),
    "daily": mark("made each day"),
    "upgrade": mark("before an upgrade"),
    "before_restore": mark("before a restore"),
    "repair": mark("before a repair"),
}


@router.get("backups", who="admin")
async def backups(visit: Visit) -> Response:
    """List the backups, with what can be done with each."""
    found = (await visit.got(BACKUPS))["backups"]
    return visit.page(
        "backups.html",
        title=_("Backups"),
        backups=[_shown(each) for each in found[:SHOWN_MOST]],
        more_count=max(0, len(found) - SHOWN_MOST),
    )


@router.post("backups", who="admin")
async def make(visit: Visit) -> Response:
    """Begin a backup."""
    begun = await visit.api.call("POST", BACKUPS)
    if not begun.is_ok:
        return visit.refused(begun, "backups")
    return visit.go_to(f"operations/{begun.body['id']}")


@router.post("backups/prune", who="admin")
async def prune(visit: Visit) -> Response:
    """Clear away what is past its time."""
    done = await visit.api.call("DELETE", "/api/v1/admin/backup/cleanup")
    if not done.is_ok:
        return visit.refused(done, "backups")
    count = done.body["deleted_count"]
    said = ngettext("%(num)s backup was cleared away.", "%(num)s backups were cleared away.", count)
    return visit.go_to("backups", said)


@router.post("backups/{backup}/prove", who="admin")
async def prove(visit: Visit) -> Response:
    """Begin to prove that a backup can be put back."""
    begun = await visit.api.call(
        "POST", path_of("api", "v1", "admin", "backups", visit.names["backup"], "prove")
    )
    if not begun.is_ok:
        return visit.refused(begun, "backups")
    return visit.go_to(f"operations/{begun.body['id']}")


@router.post("backups/{backup}/preview", who="admin")
async def look(visit: Visit) -> Response:
    """Begin to find out what putting a backup back would change."""
    name = visit.names["backup"]
    begun = await visit.api.call("POST", _preview_of(name))
    return visit.go_to(f"backups/{name}/restore") if begun.is_ok else visit.refused(begun, "backups")


@router.get("backups/{backup}/restore", who="admin")
async def ask_restore(visit: Visit) -> Response:
    """Show what putting a backup back would change, and ask."""
    return await _restore_page(visit)


@router.post("backups/{backup}/restore", who="admin")
async def restore(visit: Visit) -> Response:
    """Put a backup back; the name is typed, and the password again."""
    name = visit.names["backup"]
    if visit.form.line("typed") != name:
        return await _restore_page(visit, fault=_("Nothing was done: type the name exactly."))
    refusal = await visit.confirm()
    if refusal is None:
        begun = await visit.api.call("POST", path_of("api", "v1", "admin", "restore", name))
        if begun.is_ok:
            return replaced(visit, f"operations/{begun.body['id']}", "restore")
        refusal = begun
    return await _restore_page(visit, refusal=refusal)


def replaced(visit: Visit, path: str, how: str) -> Response:
    """Lead on to where it is told how it goes; whoever has to sign in again then is told why."""
    response = visit.go_to(path)
    visit.set_cookie(response, cookies.REPLACED, how, REPLACED_SECONDS)
    return response


async def _restore_page(visit: Visit, **more: Any) -> Response:
    name = visit.names["backup"]
    preview = await visit.api.call("GET", _preview_of(name))
    if not preview.is_ok:
        return visit.refused(preview, "backups")
    response = visit.page(
        "backup_restore.html",
        title=_("Put a backup back"),
        **{"fault": "", **more},
        status=422 if more.get("fault") else 200,
        backup=name,
        preview=preview.body,
    )
    return refreshed(response, is_wanted=preview.body["state"] == "running")


def refreshed(response: Response, *, is_wanted: bool) -> Response:
    """Have the browser look again by itself, without a script, while something goes on."""
    if is_wanted:
        response.headers["Refresh"] = "2"
    return response


def _preview_of(name: str) -> str:
    return path_of("api", "v1", "admin", "backups", name, "preview")


def _shown(backup: dict[str, Any]) -> dict[str, Any]:
    purpose = str(backup["purpose"] or "")
    return {
        **backup,
        "at": str(backup["created_at"]).replace("T", " ")[:16],
        "size": size_said(backup["size_bytes"]),
        "state_said": _(STATES.get(backup["state"], backup["state"])),
        "purpose_said": _(PURPOSES[purpose]) if purpose in PURPOSES else purpose,
        "can_be_put_back": backup["state"] in ("good", "unproved") and backup["whose"] != "another",
    }
