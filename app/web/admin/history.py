"""History in the admin: earlier states of an entry, their differences; what was deleted, and erasing it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.web.admin import choosing
from app.web.admin.api import Answer, path_of, path_of_kind
from app.web.admin.dangerous import confirmed, fault_of_typed
from app.web.admin.language import _, mark
from app.web.admin.routing import ScreenRouter
from app.web.admin.shown import VISIBILITIES, visibility_word

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

router = ScreenRouter()
BESIDE = {
    "visibility": mark("Who may see it"),
    "slug": mark("Name in the address"),
    "is_deleted": mark("Deleted"),
}
"""What of an entry is compared beside its content."""


@router.get("entries/{kind}/{entry:int}/history")
async def states(visit: Visit) -> Response:
    """Show the states of an entry, and how two of them differ."""
    path = _path(visit)
    page = await visit.got(f"{path}/revisions", {"limit": 100})
    items = page["items"]
    asked = {"from": visit.query("from") or None, "to": visit.query("to") or None}
    compared = None
    if len(items) > 1:
        compared = _readable(await visit.got(f"{path}/difference", asked))
    for each in items:
        each["shown_to"] = _(VISIBILITIES[each["visibility"]]).partition(":")[0]
    return visit.page(
        "history.html",
        title=_("Earlier states"),
        kind=visit.names["kind"],
        entry_id=visit.names["entry"],
        states=items,
        compared=compared,
    )


@router.post("entries/{kind}/{entry:int}/restore")
async def restore(visit: Visit) -> Response:
    """Give an entry back what it had; the state before that is kept as well."""
    path = f"{_path(visit)}/{path_of('revisions', visit.form.line('number'), 'restore')[1:]}"
    done = await visit.api.call("POST", path)
    here = f"entries/{visit.names['kind']}/{visit.names['entry']}"
    if not done.is_ok:
        return visit.refused(done, f"{here}/history")
    return visit.go_to(here, _("That state is back; what was there before is kept, too."))


@router.get("deleted")
async def deleted(visit: Visit) -> Response:
    """Show what was deleted."""
    page = await visit.got("/api/v1/me/deleted", {"limit": 50, "cursor": visit.query("cursor") or None})
    rows = [each | {"words": choosing.words_of_json(each["excerpt"])} for each in page["items"]]
    return visit.page("deleted.html", title=_("Deleted"), rows=rows, following=page["next"])


@router.post("entries/{kind}/{entry:int}/undelete")
async def undelete(visit: Visit) -> Response:
    """Bring back an entry as it was."""
    done = await visit.api.call("POST", f"{_path(visit)}/undelete")
    if not done.is_ok:
        return visit.refused(done, "deleted")
    return visit.go_to(f"entries/{visit.names['kind']}/{visit.names['entry']}", _("It is back."))


@router.get("entries/{kind}/{entry:int}/erase")
async def ask_to_erase(visit: Visit) -> Response:
    """Show what is to be erased, and ask for the word and the password: this cannot be undone."""
    return await _erasing(visit)


@router.post("entries/{kind}/{entry:int}/erase")
async def erase(visit: Visit) -> Response:
    """Erase an entry for good."""
    fault = fault_of_typed(visit, _word())
    if fault:
        return await _erasing(visit, Answer(422, {"detail": fault}, {}))
    done = await confirmed(visit, "POST", f"{_path(visit)}/erase")
    if not done.is_ok:
        return await _erasing(visit, done)
    return visit.page("erased.html", title=_("Erased"), receipt=done.body)


def _word() -> str:
    return _("erase")


async def _erasing(visit: Visit, refusal: Answer | None = None) -> Response:
    kind, entry_id = visit.names["kind"], visit.names["entry"]
    return visit.page(
        "erase.html",
        title=_("Erase for good"),
        refusal=refusal,
        kind=kind,
        entry_id=entry_id,
        word=_word(),
        named=await _called(visit),
    )


async def _called(visit: Visit) -> str:
    """Return by what the entry is called, a deleted one too; empty where it is no one's, or not one's own."""
    entry = visit.names["entry"]
    found = (await choosing.named(visit, [entry])).get(str(entry))
    if found is not None:
        return found.title
    query = {"cursor": entry + 1, "limit": 1}  # the list goes from there on downwards
    listed = await visit.api.call("GET", "/api/v1/me/deleted", query=query)
    items = listed.body["items"] if listed.is_ok else []
    return choosing.words_of_json(items[0]["excerpt"]) if items and items[0]["id"] == entry else ""


def _path(visit: Visit) -> str:
    return path_of_kind(visit.names["kind"], visit.names["entry"])


def _readable(compared: dict[str, Any]) -> dict[str, Any]:
    """The differences as lines for people: whole values as JSON where they are no texts."""
    for each in compared["differences"]:
        each["where"] = each["pointer"].strip("/").replace("/", " › ") or _("the whole")
        each["was"], each["is"] = _words(each.get("before")), _words(each.get("after"))
    for each in compared["beside"]:
        each["before"], each["after"] = (_beside(each["name"], each[at]) for at in ("before", "after"))
        each["name"] = _(BESIDE[each["name"]]) if each["name"] in BESIDE else each["name"]
    return compared


def _beside(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return visibility_word(str(value)) if name == "visibility" else _words(value)


def _words(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
