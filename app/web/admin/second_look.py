"""Second look. Who may see each entry, in one list, and what waits from before the claim? One click decides.

Every decision can be taken back: a visibility by another one, a deletion among what is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.entries.visibility import WORDS
from app.web.admin import choosing
from app.web.admin.api import path_of_kind
from app.web.admin.language import _, mark, ngettext
from app.web.admin.routing import ScreenRouter
from app.web.admin.shown import VISIBILITIES
from app.web.admin.visit import sentence_of

if TYPE_CHECKING:
    from app.web.admin.api import Answer
    from app.web.admin.visit import Visit

router = ScreenRouter()
REVIEW = "/api/v1/claim/review"
AT_ONCE = 50
UNHEARD, SHOW = "unheard", "show"
UNHEARD_WORDS = {
    "status": mark("says that it is a draft"),
    "publish_at": mark("says from when on it is shown"),
    "expires_at": mark("says until when it is shown"),
}
_NOT_SAID = dict.fromkeys(UNHEARD_WORDS)


# -- every entry, and who may see it


@router.get("audience/entries")
async def entries(visit: Visit) -> Response:
    """List one's own entries of a visibility, or those whose words say otherwise than how they are shown."""
    which = _which(visit.query("which"))
    asked = {"unheard": "true"} if which == UNHEARD else {"visibility": which}
    page = await visit.got(choosing.OWN, asked | {"limit": AT_ONCE, "cursor": visit.query("cursor") or None})
    return visit.page(
        "second_look.html",
        title=_("Who may see each entry"),
        which=which,
        rows=[each | {"called": choosing.called(each), "says": _says(each)} for each in page["items"]],
        following=page["next"],
        visibilities={word: _(VISIBILITIES[word]).partition(":")[0] for word in reversed(WORDS)},
    )


@router.post("audience/entries")
async def decide(visit: Visit) -> Response:
    """Give the entries that are chosen another visibility; or let them be shown, without other words."""
    form = visit.form
    wanted, which = form.line("do"), _which(form.line("which"))
    back = f"audience/entries?which={which}"
    if wanted not in (*WORDS, SHOW):
        return visit.go_to(back)
    places = [each.partition("/")[::2] for each in form.all("entries")]
    count, refusal = await _change_each(visit, places, None if wanted == SHOW else wanted)
    if refusal is not None:
        return visit.refused(refusal, back)
    said = ngettext("%(num)s entry is changed.", "%(num)s entries are changed.", count)
    return visit.go_to(back, said) if count else visit.go_to(back, _("No entry was chosen."), "bad")


def _which(said: str) -> str:
    return said if said in (*WORDS, UNHEARD) else WORDS[-1]


def _says(entry: dict[str, Any]) -> str:
    return ", ".join(_(UNHEARD_WORDS[word]) for word in entry["unheard"])


async def _change_each(
    visit: Visit, places: Iterable[tuple[str, ...]], visibility: str | None
) -> tuple[int, Answer | None]:
    """Change the visibility of entries by kind and id; returns how many were, and the first refusal.

    None: their own words of one are taken out.
    """
    count, refusal = 0, None
    for kind, entry_id in places:
        path = path_of_kind(kind, entry_id)
        answer = await visit.api.call("GET", path)
        if answer.is_ok:
            patch = _patch_of(answer.body.get("data"), visibility)
            answer = await visit.api.call("PATCH", path, json=patch)
        count += answer.is_ok
        if not answer.is_ok and refusal is None:
            refusal = answer
    return count, refusal


def _patch_of(content: object, visibility: str | None) -> dict[str, Any]:
    """The change of an entry that gives it a visibility, and leaves a ``meta`` that is no object as it is."""
    meta = content.get("meta") if isinstance(content, dict) else None
    if meta is not None and not isinstance(meta, dict):
        return {"visibility": visibility} if visibility else {}
    if visibility is None:
        return {"meta": _NOT_SAID}
    return {"visibility": None, "meta": {"visibility": visibility}}


# -- what was written before the claim


@router.get("review")
async def waiting(visit: Visit) -> Response:
    """List what was written before there was an account, and waits for a decision."""
    found = (await visit.got(REVIEW))["items"]
    return visit.page(
        "review.html",
        title=_("From before the claim"),
        rows=[each | {"called": choosing.words_of_json(each["excerpt"])} for each in found],
    )


@router.post("review")
async def settle(visit: Visit) -> Response:
    """Show, keep or delete what is chosen: one entry by its own button, or all that are checked."""
    form = visit.form
    does, _sep, one = form.line("do").partition(" ")
    chosen = [one] if one else form.all("entries")
    ids = [int(each) for each in chosen if each.isdecimal()]
    if not ids:
        return visit.go_to("review", _("No entry was chosen."), "bad")
    if does == "keep":
        return await _keep(visit, ids)
    if does not in ("publish", "delete"):
        return visit.go_to("review")
    answer = await visit.api.call("POST", REVIEW, json={does: ids})
    if not answer.is_ok:
        return visit.refused(answer, "review")
    if does == "publish":
        said = ngettext(
            "%(num)s entry is as it was meant.", "%(num)s entries are as they were meant.", len(ids)
        )
    else:
        said = _("Deleted. It can be brought back: see Write, Deleted entries.")
    return visit.go_to("review", said)


async def _keep(visit: Visit, ids: list[int]) -> Response:
    """Leave entries private: written so, they wait no more."""
    kinds = {each["id"]: each["kind"] for each in (await visit.got(REVIEW))["items"]}
    places = [(kinds[each], str(each)) for each in ids if each in kinds]
    count, refusal = await _change_each(visit, places, WORDS[0])
    if refusal is not None:
        return visit.go_to("review", sentence_of(refusal), "bad")
    said = ngettext("%(num)s entry stays yours alone.", "%(num)s entries stay yours alone.", count)
    return visit.go_to("review", said)
