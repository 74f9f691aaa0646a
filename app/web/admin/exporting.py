"""Export in the browser: everything about oneself (an operation), and what another Daemon imports (a ZIP)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from app.accounts.operations import RUNNING
from app.formats.archive import MEDIA_TYPE
from app.web.admin.api import path_of
from app.web.admin.dangerous import confirmed
from app.web.admin.language import _
from app.web.admin.routing import ScreenRouter

if TYPE_CHECKING:
    from app.web.admin.api import Answer
    from app.web.admin.visit import Visit

router = ScreenRouter()
EXPORT = "export"  # what such an operation is called


@router.get("export")
async def show(visit: Visit) -> Response:
    """Show what can be taken away, how far that is, and what is ready to be fetched."""
    return await _page(visit)


@router.post("export")
async def begin(visit: Visit) -> Response:
    """Begin to make one ZIP of everything."""
    answer = await confirmed(visit, "POST", "/api/v1/me/export")
    if not answer.is_ok:
        return await _page(visit, answer)
    return visit.go_to("export", _("It has begun. The file is here as soon as it is ready."))


@router.post("export/{operation:int}/file")
async def fetch(visit: Visit) -> Response:
    """Fetch the ZIP of an operation, after the password was typed again."""
    refusal = await visit.confirm()
    if refusal is not None:
        return await _page(visit, refusal)
    address = path_of("api", "v1", "operations", visit.names["operation"], "file")
    found = await visit.api.call("GET", path_of("api", "v1", "operations", visit.names["operation"]))
    if not found.is_ok or found.body["file"] is None:
        return await _page(visit, found if not found.is_ok else None)
    return visit.api.pass_on(address)


@router.post("export/archive")
async def archive(visit: Visit) -> Response:
    """Return the ZIP that another Daemon imports."""
    passphrase = visit.form.text("passphrase") or None
    answer = await confirmed(
        visit, "POST", "/api/v1/me/archive", {"passphrase": passphrase} if passphrase else {}
    )
    if not answer.is_ok:
        return await _page(visit, answer)
    headers = {"Cache-Control": "no-store", "Content-Disposition": answer.headers["content-disposition"]}
    return Response(answer.body, headers=headers, media_type=MEDIA_TYPE)


async def _page(visit: Visit, refusal: Answer | None = None) -> Response:
    found = (await visit.got("/api/v1/operations"))["items"]
    exports = [each for each in found if each["name"] == EXPORT]
    return visit.page(
        "export.html",
        title=_("Export"),
        refusal=refusal,
        exports=exports,
        is_running=any(each["state"] == RUNNING for each in exports),
    )
