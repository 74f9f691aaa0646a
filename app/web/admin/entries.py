"""Entries in the admin: which kinds are there, and what has one written of each?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.web.admin.api import path_of, path_of_kind
from app.web.admin.language import _
from app.web.admin.routing import ScreenRouter
from app.web.admin.shown import VISIBILITIES, kind_title, title_of

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

router = ScreenRouter()


@router.get("entries")
async def kinds(visit: Visit) -> Response:
    """Show the kinds: those that one has written of, and all the others."""
    known = (await visit.got("/api/v1/endpoints"))["items"]
    counts = {each["kind"]: each for each in (await visit.got("/api/v1/privacy/audience"))["items"]}
    in_use = [each for each in known if each["is_active"]]
    used = [each for each in in_use if counts.get(each["name"], {}).get("entries")]
    others = [each for each in in_use if each not in used]
    deleted = (await visit.got("/api/v1/me/deleted", {"limit": 1}))["items"]
    return visit.page(
        "entries.html", title=_("Write"), used=used, others=others, counts=counts, has_deleted=bool(deleted)
    )


@router.get("entries/{kind}")
async def of_kind(visit: Visit) -> Response:
    """Show one's own entries of a kind, the newest first."""
    name = visit.names["kind"]
    kind = await visit.got(path_of("api", "v1", "endpoints", name))
    query = {"limit": 50, "cursor": visit.query("cursor") or None}
    page = await visit.got(path_of_kind(name), query)
    rows = [_row(each) for each in page["items"]]
    return visit.page(
        "entries_of_kind.html", title=kind_title(kind), kind=kind, rows=rows, following=page["next"]
    )


def _row(view: dict[str, Any]) -> dict[str, Any]:
    meta = view.get("meta") if isinstance(view.get("meta"), dict) else {}
    assert isinstance(meta, dict)
    return {
        "id": view["id"],
        "title": title_of(view),
        "visibility": _(VISIBILITIES[view["visibility"]]).partition(":")[0],
        "is_draft": str(meta.get("status", "")).strip().casefold() == "draft",
        "publish_at": meta.get("publish_at"),
        "updated_at": str(view.get("updated_at") or view.get("created_at") or "")[:10],
        "is_mine": "findings" in view,
    }
