"""Audience of an entry. Why is each of its fields hidden, and what does each audience see, side by side?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.web.admin import choosing
from app.web.admin.api import path_of
from app.web.admin.audience_words import Change, change_of, fate_names, level_names, words_of_change
from app.web.admin.language import _
from app.web.admin.routing import ScreenRouter
from app.web.admin.shown import without_inner

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

router = ScreenRouter()
EXPLAIN = "/api/v1/privacy/explain"
FIELDS_AT_ONCE = 100


@router.get("audience/why/{entry:int}")
async def why(visit: Visit) -> Response:
    """Name, of each field of an entry at each level, the one reason why it is shown or hidden."""
    entry, cursor = visit.names["entry"], visit.query("cursor") or None
    found = await visit.got(EXPLAIN, {"entry": entry, "limit": FIELDS_AT_ONCE, "cursor": cursor})
    return visit.page(
        "audience_why.html",
        title=_("Why is this hidden?"),
        entry=entry,
        named=(await choosing.named(visit, [entry])).get(str(entry)),
        fields=[_field(each) for each in found["items"]],
        following=found["next"],
        levels=level_names(),
        fates=fate_names(),
    )


def _field(said: dict[str, Any]) -> dict[str, Any]:
    """Return a field with its levels, alike ones as one: each with what would change it."""
    alike: list[dict[str, Any]] = []
    for level, one in said["levels"].items():
        known = next((each for each in alike if each["said"] == one), None)
        if known is not None:
            known["levels"].append(level)
        else:
            change = change_of(one["change"])
            alike.append({
                "said": one, "levels": [level], "first": level,
                "change": None if change is None else words_of_change(change),
            })  # fmt: skip
    return {"pointer": said["pointer"], "alike": alike}


@router.post("audience/why/{entry:int}")
async def change(visit: Visit) -> Response:
    """Send the one request that an explanation names: asked for again, so that no form says what is sent."""
    entry, back = visit.names["entry"], f"audience/why/{visit.names['entry']}"
    wanted = await _change_named(visit, entry)
    if wanted is None:
        return visit.go_to(back, _("There is nothing to change there any more."), "bad")
    answer = await visit.api.call(wanted.method, wanted.path, json=wanted.json)
    return visit.go_to(back, _("It is changed.")) if answer.is_ok else visit.refused(answer, back)


async def _change_named(visit: Visit, entry: int) -> Change | None:
    pointer, level = visit.form.text("pointer"), visit.form.line("level")
    cursor: str | None = None
    while True:
        page = await visit.got(EXPLAIN, {"entry": entry, "level": level, "limit": 200, "cursor": cursor})
        for each in page["items"]:
            if each["pointer"] == pointer:
                return change_of(each["levels"][level]["change"])
        cursor = page["next"]
        if cursor is None:
            return None


@router.get("audience/as")
async def see_as(visit: Visit) -> Response:
    """Show what each audience is answered, side by side: of a kind, or of an entry that is chosen."""
    kinds = (await visit.got("/api/v1/privacy/audience"))["items"]
    used = [each["kind"] for each in kinds if each["entries"]]
    kind = visit.query("kind") or next(iter(used), "")
    found = await choosing.choices(visit, visit.query("words").strip(), visit.query("cursor"), kind)
    chosen = (await choosing.named(visit, [visit.query("entry")])).get(visit.query("entry"))
    entry = None if chosen is None or chosen.kind != kind else chosen
    asked = {"kind": kind, "entry": entry.id if entry else None, "limit": None if entry else 5}
    views = (await visit.got("/api/v1/privacy/preview", asked))["items"] if kind else []
    return visit.page(
        "audience_as.html",
        title=_("As others see it"),
        kind=kind,
        entry=entry,
        choices=found,
        options=dict.fromkeys([*([entry] if entry else []), *found.found]),
        kinds=sorted({*used, kind} - {""}),
        views=[{**each, "text": _text(each["answer"])} for each in views],
        who={
            "stranger": _("Anyone"),
            "assistant": _("An assistant"),
            "person": _("Someone else who is signed in"),
            "key": _("A key of yours"),
        },
        levels=level_names(),
    )


def _text(answer: Any) -> str:
    if answer is None:
        return ""
    shown = [each["data"] for each in answer["items"]] if "items" in answer else answer["data"]
    return json.dumps(shown, indent=2, ensure_ascii=False)


@router.get("audience/findings")
async def findings(visit: Visit) -> Response:
    """List what was found in one's own texts, with what strangers are shown of it at each level."""
    cursor = visit.query("cursor") or None
    found = await visit.got("/api/v1/privacy/findings", {"cursor": cursor})
    releases = (await visit.got("/api/v1/privacy/releases"))["items"]
    return visit.page(
        "findings.html",
        title=_("Found in your texts"),
        findings=[
            {**each, "body": json.dumps(each["release"]) if each["release"] else ""}
            for each in without_inner(found["items"])
        ],
        releases=releases,
        names=await choosing.named(visit, _entries_of(found["items"], releases)),
        following=found["next"],
        levels=level_names(),
        fates=fate_names(),
    )


def _entries_of(findings: list[dict[str, Any]], releases: list[dict[str, Any]]) -> list[int]:
    return [each["entry_id"] for each in (*findings, *releases) if each["entry_id"]]


@router.post("audience/findings")
async def release(visit: Visit) -> Response:
    """Release what was found, or take a release back."""
    form = visit.form
    if form.has("release_id"):
        address = path_of("api", "v1", "privacy", "releases", form.line("release_id"))
        answer, said = await visit.api.call("DELETE", address), _("It is hidden again.")
    else:
        body = json.loads(form.text("release") or "{}")
        answer, said = (
            await visit.api.call("POST", "/api/v1/privacy/releases", json=body),
            _("It is released."),
        )
    back = "audience/findings"
    return visit.go_to(back, said) if answer.is_ok else visit.refused(answer, back)


@router.get("audience/never-list")
async def never_list(visit: Visit) -> Response:
    """List the words that never leave, by their lengths: the words are stored nowhere."""
    words = (await visit.got("/api/v1/privacy/never-list"))["items"]
    return visit.page(
        "never_list.html", title=_("Words that never leave"), never_words=words, levels=level_names()
    )


@router.post("audience/never-list")
async def change_never_list(visit: Visit) -> Response:
    """Add a word, or take one away."""
    form, back = visit.form, "audience/never-list"
    if form.has("word_id"):
        address = path_of("api", "v1", "privacy", "never-list", form.line("word_id"))
        answer, said = await visit.api.call("DELETE", address), _("The word may be shown again.")
    else:
        body = {"word": form.line("word"), "privacy_level": form.line("privacy_level") or None}
        answer = await visit.api.call("POST", "/api/v1/privacy/never-list", json=body)
        said = _("The word is hidden from now on. It is stored nowhere, so that no one can read it here.")
    return visit.go_to(back, said) if answer.is_ok else visit.refused(answer, back)
