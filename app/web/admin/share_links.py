"""Share links in the browser: of kinds, or of entries that are chosen; made, shown once, revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.privacy.levels import NAMES
from app.web.admin import choosing
from app.web.admin.api import Answer, path_of
from app.web.admin.audience_words import level_names
from app.web.admin.form_data import Form
from app.web.admin.keys import end_of_day
from app.web.admin.language import _
from app.web.admin.routing import ScreenRouter

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

router = ScreenRouter()
LINKS = "/api/v1/links"


@router.get("links")
async def list_links(visit: Visit) -> Response:
    """List one's own links, with a form for another one (`?entry=`: of that entry)."""
    return await _page(visit)


@router.post("links")
async def make_link(visit: Visit) -> Response:
    """Make a link; its address is on this page and nowhere else. Or find entries for it first."""
    form = visit.form
    if form.has("find") or form.has("more"):
        return await _page(visit)
    level, most = form.line("level"), form.line("views_most")
    wanted: dict[str, Any] = {
        "kinds": form.all("kinds"),
        "entries": [int(each) for each in form.all("entries") if each.isdecimal()],
        "level": level if level in NAMES else None,
        "expires_at": end_of_day(form.line("expires")),
        "views_most": int(most) if most.isdecimal() else None,
        "label": form.line("label") or None,
    }
    if not wanted["kinds"] and not wanted["entries"]:
        said = _("No link was made: choose a kind or an entry.")
        return await _page(visit, refusal=Answer(422, {"detail": said}, {}))
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
    found = await visit.got(LINKS, {"cursor": visit.query("cursor") or None})
    links = found["items"]
    form = visit.form if made is None else Form()  # what was done is not asked for again
    chosen = [] if made is not None else form.all("entries") or [visit.query("entry")]
    names = await choosing.named(visit, [*chosen, *(each for link in links for each in link["entries"])])
    kinds = [each["kind"] for each in audience if each["entries"]]
    kind = form.line("of_kind") if form.has("of_kind") else next(iter(kinds), "")
    return visit.page(
        "share_links.html",
        title=_("Share links"),
        typed=form,
        refusal=refusal,
        links=links,
        following=found["next"],
        names=names,
        made_url=None if made is None else _address(visit, made.body["url"]),
        kinds=kinds,
        chosen=[names[each] for each in dict.fromkeys(chosen) if each in names],
        choices=await choosing.choices(visit, form.line("words"), form.line("more"), kind),
        is_choosing=form.has("find") or form.has("more"),
        levels=level_names(),
    )


def _address(visit: Visit, reference: str) -> str:
    """Return the whole address of a link, as this browser reaches the server."""
    path = reference[reference.index("/api/v1/shared/") :]
    return f"{str(visit.request.base_url).rstrip('/')}{path}"
