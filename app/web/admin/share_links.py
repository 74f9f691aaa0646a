"""Share links in the browser: of kinds, or of one entry that is unlisted; made, shown once, revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.privacy.levels import NAMES
from app.web.admin.api import path_of
from app.web.admin.audience_words import level_names
from app.web.admin.keys import end_of_day
from app.web.admin.language import _
from app.web.admin.routing import ScreenRouter

if TYPE_CHECKING:
    from app.web.admin.api import Answer
    from app.web.admin.visit import Visit

router = ScreenRouter()
LINKS = "/api/v1/links"


@router.get("links")
async def list_links(visit: Visit) -> Response:
    """List one's own links, with a form for another one (`?entry=`: of that entry)."""
    return await _page(visit)


@router.post("links")
async def make_link(visit: Visit) -> Response:
    """Make a link; its address is on this page and nowhere else."""
    form, faults = visit.form, []
    level, most = form.line("level"), form.line("views_most")
    wanted: dict[str, Any] = {
        "kinds": form.all("kinds"),
        "entries": [int(each) for each in form.line("entries").replace(",", " ").split() if each.isdecimal()],
        "level": level if level in NAMES else None,
        "expires_at": end_of_day(form.line("expires")),
        "views_most": int(most) if most.isdecimal() else None,
        "label": form.line("label") or None,
    }
    faults = [each for each in form.line("entries").replace(",", " ").split() if not each.isdecimal()]
    if faults:
        return visit.go_to(
            "links", _("No link was made: %(word)s is no number of an entry.", word=faults[0]), "bad"
        )
    if not wanted["kinds"] and not wanted["entries"]:
        return visit.go_to("links", _("No link was made: choose a kind, or name an entry."), "bad")
    made = await visit.api.call("POST", LINKS, json=wanted)
    return await _page(visit, made) if made.is_ok else await _page(visit, refusal=made)


@router.post("links/{link:int}/revoke")
async def revoke_link(visit: Visit) -> Response:
    """End a link."""
    answer = await visit.api.call("DELETE", path_of("api", "v1", "links", visit.names["link"]))
    if not answer.is_ok:
        return visit.refused(answer, "links")
    return visit.go_to("links", _("The link answers as one that never was."))


async def _page(visit: Visit, made: Answer | None = None, refusal: Answer | None = None) -> Response:
    audience = (await visit.got("/api/v1/privacy/audience"))["items"]
    entry = visit.query("entry")
    return visit.page(
        "share_links.html",
        title=_("Share links"),
        refusal=refusal,
        links=(await visit.got(LINKS))["items"],
        made_url=None if made is None else _address(visit, made.body["url"]),
        kinds=[each["kind"] for each in audience if each["entries"]],
        entry=entry if entry.isdecimal() else "",
        levels=level_names(),
    )


def _address(visit: Visit, reference: str) -> str:
    """Return the whole address of a link, as this browser reaches the server."""
    path = reference[reference.index("/api/v1/shared/") :]
    return f"{str(visit.request.base_url).rstrip('/')}{path}"
