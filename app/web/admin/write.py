"""Writing in the admin: a form for an entry, what each audience would see of it, and what is found in it.

A change says which state it was made from (`If-Match`): where someone was faster nothing is overwritten, and
both texts are shown.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.errors import InvalidContent
from app.server.body_budget import most_of_an_entry_form
from app.sizes import size_in_words
from app.web.admin import entry_fields, entry_form, picture_forms
from app.web.admin.api import Answer, as_json, path_of, path_of_kind
from app.web.admin.language import _, ngettext
from app.web.admin.routing import ScreenRouter
from app.web.admin.shown import VISIBILITIES, kind_title, seen_by, shown_findings, title_of
from app.web.admin.visit import sentence_of

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

router = ScreenRouter()
PRECONDITION_FAILED, TOO_LARGE = 412, 413


@router.get("entries/{kind}/new")
async def new(visit: Visit) -> Response:
    """Show an empty form."""
    return await _editor(visit, {"once": secrets.token_urlsafe(16)})


@router.post("entries/{kind}/new")
async def create(visit: Visit) -> Response:
    """Write a new entry; the same form sent twice makes one."""
    kind = visit.names["kind"]
    schema = (await _kind(visit))["schema"]
    try:
        content = entry_fields.content_of(schema, visit.form)
    except InvalidContent as error:
        return await _editor(visit, _typed(visit), refusal=_refusal(error))
    once = {"Idempotency-Key": visit.form.line("once") or secrets.token_urlsafe(16)}
    if _is_too_large(visit, content):
        return await _editor(visit, _typed(visit), refusal=_too_large(visit))
    made = await visit.api.call("POST", path_of_kind(kind), json=content, headers=once)
    if not made.is_ok:
        return await _editor(visit, _typed(visit), refusal=made, sent=content)
    return visit.go_to(f"entries/{kind}/{made.body['id']}", _said_of(made.body))


@router.get("entries/{kind}/{entry:int}")
async def edit(visit: Visit) -> Response:
    """Show the form of an entry as it is."""
    return await form_as_it_is(visit)


async def form_as_it_is(visit: Visit, refusal: Answer | None = None) -> Response:
    """Return the form of an entry as it is, and what was refused of a picture; raises PageRefused."""
    found = await _entry(visit)
    schema = (await _kind(visit))["schema"]
    values = entry_fields.values_of(schema, found.body) | {"etag": found.headers.get("etag", "")}
    return await _editor(visit, values, entry=found.body, refusal=refusal)


@router.post("entries/{kind}/{entry:int}")
async def change(visit: Visit) -> Response:
    """Change an entry, unless someone was faster."""
    schema = (await _kind(visit))["schema"]
    try:
        content = entry_fields.content_of(schema, visit.form)
    except InvalidContent as error:
        return await _editor(visit, _typed(visit), refusal=_refusal(error))
    held = {"If-Match": visit.form.line("etag")}
    if _is_too_large(visit, content):
        return await _editor(visit, _typed(visit), refusal=_too_large(visit))
    done = await visit.api.call("PUT", _path(visit), json=content, headers=held)
    if done.status == PRECONDITION_FAILED:
        return await _both(visit)
    if not done.is_ok:
        return await _editor(visit, _typed(visit), refusal=done, sent=content)
    return visit.go_to(_here(visit), _said_of(done.body))


@router.post("entries/{kind}/preview")
async def preview(visit: Visit) -> Response:
    """Show what each audience would see of what is typed; the part alone where a script asks."""
    is_part = visit.request.headers.get("hx-request") == "true"
    if not is_part:
        return await _editor(visit, _typed(visit))
    values = await _previewed(visit, (await _kind(visit))["schema"])
    return visit.page("preview.html", title="", **values)


@router.post("entries/{kind}/{entry:int}/release")
async def release(visit: Visit) -> Response:
    """Show something that was found in an entry, which strangers are not shown by themselves."""
    wanted = {
        "entry_id": visit.names["entry"],
        "detector": visit.form.line("detector"),
        "value_hash": visit.form.line("value_hash"),
    }
    done = await visit.api.call("POST", "/api/v1/privacy/releases", json=wanted)
    return visit.go_to(_here(visit), _("Released.")) if done.is_ok else visit.refused(done, _here(visit))


@router.post("entries/{kind}/{entry:int}/hide")
async def hide(visit: Visit) -> Response:
    """Hide again what was released."""
    path = path_of("api", "v1", "privacy", "releases", visit.form.line("release"))
    done = await visit.api.call("DELETE", path)
    return visit.go_to(_here(visit), _("Hidden again.")) if done.is_ok else visit.refused(done, _here(visit))


@router.post("entries/{kind}/{entry:int}/delete")
async def delete(visit: Visit) -> Response:
    """Delete an entry; it can be brought back."""
    done = await visit.api.call("DELETE", _path(visit))
    if not done.is_ok:
        return visit.refused(done, _here(visit))
    return visit.go_to("deleted", _("Deleted. Here it can be brought back, or erased for good."))


# -- inside


async def _editor(
    visit: Visit,
    values: dict[str, str],
    *,
    entry: Any = None,
    refusal: Answer | None = None,
    sent: dict[str, Any] | None = None,
    **more: Any,
) -> Response:
    """Return the form with what stands in it, and what each audience would see of that.

    ``sent`` is the content that ``refusal`` is of.
    """
    kind = await _kind(visit)
    entry_id = visit.names.get("entry")
    if entry is None and entry_id is None and visit.form.line("entry"):
        entry_id = int(visit.form.line("entry")) if visit.form.line("entry").isdigit() else None
    shown = await _previewed(visit, kind["schema"], entry)
    title = title_of(entry) if entry is not None else _("New: %(kind)s", kind=kind_title(kind))
    if entry is None and entry_id is not None:
        title = kind_title(kind)
    layout = entry_form.layout_of(kind["schema"], values)
    if refusal is not None and sent is not None:
        refusal = entry_form.refused(kind["schema"], sent, refusal, layout)
        detail = _("Nothing was saved. %(why)s", why=sentence_of(refusal))
        refusal = refusal._replace(body={"errors": (), **refusal.body, "detail": detail, "is_said": True})
    texts = {"content": "", "m.visibility": "", "m.status": "", "m.tags": "", entry_fields.REST: ""}
    return visit.page(
        "write.html",
        title=title,
        refusal=refusal,
        kind=kind,
        entry=entry,
        entry_id=entry_id,
        pictures=await picture_forms.pictures_of_entry(visit) if "entry" in visit.names else None,
        values={**dict.fromkeys((f"m.{each}" for each in entry_fields.META_TEXTS), ""), **texts, **values},
        layout=layout,
        has_content=entry_fields.has_content(kind["schema"]),
        has_values=any(values.get(each.form_name) for each in layout.more),
        most_bytes=most_of_an_entry_form(visit.server.settings.max_body_bytes),
        visibilities=[(word, _(said)) for word, said in VISIBILITIES.items()],
        **{"theirs": None, **shown, **more},
    )


async def _previewed(visit: Visit, schema: Any, entry: Any = None) -> dict[str, Any]:
    """Return what the part with the preview shows: of what is typed, or else of the entry as it is."""
    nothing = {"seen": [], "findings": [], "why_not": "", "is_shown_now": False, "is_linked": False}
    kind, entry_id = visit.names["kind"], visit.names.get("entry")
    if entry is not None:
        content = entry["data"]
    else:
        try:
            content = entry_fields.content_of(schema, visit.form)
        except InvalidContent as error:
            return nothing | {"why_not": sentence_of(_refusal(error))}
        typed = visit.form.line("entry")
        entry_id = int(typed) if entry_id is None and typed.isdigit() else entry_id
    if not content:
        return nothing
    asked = {"kind": kind, "content": content, "entry": entry_id}
    found = await visit.api.call("POST", "/api/v1/privacy/preview", json=asked)
    if not found.is_ok:
        layout = entry_form.layout_of(schema, _typed(visit) if entry is None else {})
        return nothing | {"why_not": sentence_of(entry_form.refused(schema, content, found, layout))}
    is_linked = False
    if not found.body["is_shown_now"]:  # what there would be to see: no one writes a draft for nobody
        asked["content"] = _published(content)
        later = await visit.api.call("POST", "/api/v1/privacy/preview", json=asked)
        if entry_id is not None and found.body["visibility"] == "unlisted":
            is_linked = await _is_shown_by_a_link(visit, asked | {"content": _public(content)})
        found = later._replace(body=later.body | {"is_shown_now": False}) if later.is_ok else found
    findings = entry["findings"] if entry is not None and "findings" in entry else found.body["findings"]
    return {
        "seen": seen_by(found.body["items"]),
        "findings": shown_findings(findings, content),
        "why_not": "",
        "is_shown_now": found.body["is_shown_now"],
        "is_linked": is_linked,
    }


async def _is_shown_by_a_link(visit: Visit, asked_as_public: dict[str, Any]) -> bool:
    """Whether a live share link shows an unlisted entry, or its kind: no draft, and at its time."""
    if not await _is_linked(visit, asked_as_public["kind"], int(asked_as_public["entry"])):
        return False
    found = await visit.api.call("POST", "/api/v1/privacy/preview", json=asked_as_public)
    return found.is_ok and bool(found.body["is_shown_now"])


async def _is_linked(visit: Visit, kind: str, entry_id: int) -> bool:
    cursor: str | None = None
    while True:
        links = await visit.got("/api/v1/links", {"cursor": cursor})
        live = [each for each in links["items"] if not each["is_over"]]
        if any(kind in each["kinds"] or entry_id in each["entries"] for each in live):
            return True
        if (cursor := links["next"]) is None:
            return False


def _public(content: dict[str, Any]) -> dict[str, Any]:
    """Return content as it would be if it were public, at its times."""
    meta = content.get("meta") if isinstance(content.get("meta"), dict) else {}
    assert isinstance(meta, dict)
    others = {name: value for name, value in content.items() if name != "visibility"}
    return {**others, "meta": {**meta, "visibility": "public"}}


def _published(content: dict[str, Any]) -> dict[str, Any]:
    """Return content as it would be if it were public, now."""
    public = _public(content)
    hiding = ("status", "publish_at", "expires_at")
    return public | {"meta": {name: value for name, value in public["meta"].items() if name not in hiding}}


async def _both(visit: Visit) -> Response:
    """Return the form with what was typed, beside what someone else has written meanwhile."""
    found = await _entry(visit)
    schema = (await _kind(visit))["schema"]
    detail = _(
        "The entry was changed meanwhile, and nothing is lost: your text is in the form, the other one below."
    )
    refusal = Answer(409, {"detail": detail}, {})
    values = _typed(visit) | {"etag": found.headers.get("etag", "")}
    theirs = entry_fields.in_words(schema, entry_fields.values_of(schema, found.body))
    return await _editor(visit, values, refusal=refusal, theirs=theirs)


async def _entry(visit: Visit) -> Answer:
    from app.web.admin.visit import PageRefused

    found = await visit.api.call("GET", _path(visit))
    if not found.is_ok:
        raise PageRefused(found)
    return found


async def _kind(visit: Visit) -> Any:
    return await visit.got(path_of("api", "v1", "endpoints", visit.names["kind"]))


def _path(visit: Visit) -> str:
    return path_of_kind(visit.names["kind"], visit.names["entry"])


def _here(visit: Visit) -> str:
    return f"entries/{visit.names['kind']}/{visit.names['entry']}"


def _typed(visit: Visit) -> dict[str, str]:
    return {name: visit.form.text(name) for name, _value in visit.form.pairs}


def _refusal(error: InvalidContent) -> Answer:
    return Answer(422, {"detail": error.message, "errors": error.details.get("errors", ())}, {})


def _is_too_large(visit: Visit, content: Any) -> bool:
    """Whether an entry is larger than the API takes; a form may be, so that nothing typed is lost."""
    return len(as_json(content)) > visit.server.settings.max_body_bytes


def _too_large(visit: Visit) -> Answer:
    size = size_in_words(visit.server.settings.max_body_bytes)
    detail = _(
        "An entry has %(size)s at most, and this one has more. Nothing was saved; all of it is still here.",
        size=size,
    )
    return Answer(TOO_LARGE, {"detail": detail}, {})


def _said_of(view: dict[str, Any]) -> str:
    hidden = [each for each in view.get("findings", ()) if "hidden" in each["levels"].values()]
    if not hidden:
        return _("Saved.")
    return (
        _("Saved.")
        + " "
        + ngettext(
            "%(num)s thing in it is not shown to strangers: see beside the text.",
            "%(num)s things in it are not shown to strangers: see beside the text.",
            len(hidden),
        )
    )
