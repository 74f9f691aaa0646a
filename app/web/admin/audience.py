"""Audience. Who sees what: kinds by levels, the fields of a kind, a change before it is made, switches."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.privacy.levels import NAMES
from app.web.admin.api import path_of
from app.web.admin.audience_words import SWITCHES, fate_names, level_names
from app.web.admin.language import _
from app.web.admin.routing import ScreenRouter
from app.web.admin.shown import kind_name

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

router = ScreenRouter()
SETTINGS = "/api/v1/privacy/settings"
SHOW = "show"  # what a rule is changed to where it is to be none


@router.get("audience")
async def matrix(visit: Visit) -> Response:
    """Show each kind, and how much of it every level shows strangers."""
    kinds = (await visit.got("/api/v1/privacy/audience"))["items"]
    settings = await visit.got(SETTINGS)
    return visit.page(
        "audience.html",
        title=_("Audience"),
        used=[each for each in kinds if each["entries"]],
        unused=[each for each in kinds if not each["entries"]],
        settings=settings,
        switches={name: _(words) for name, words in SWITCHES.items()},
        levels=level_names(),
    )


@router.get("audience/kind/{kind}")
async def fields(visit: Visit) -> Response:
    """Show each field of a kind, and what every level does with it."""
    kind = visit.names["kind"]
    found = (await visit.got(path_of("api", "v1", "privacy", "audience", kind)))["items"]
    settings = await visit.got(SETTINGS)
    return visit.page(
        "audience_kind.html",
        title=_("Audience: %(kind)s", kind=kind_name(kind)),
        kind=kind,
        fields=found,
        rules={each["path"]: rule_for(settings, kind, each["path"]) for each in found},
        levels=level_names(),
        fates=fate_names(),
    )


@router.get("audience/field/{kind}")
async def field(visit: Visit) -> Response:
    """Show why one field is shown or hidden at each level, and what can be done about it."""
    kind, path = visit.names["kind"], visit.query("path")
    found = (await visit.got(path_of("api", "v1", "privacy", "audience", kind)))["items"]
    settings = await visit.got(SETTINGS)
    levels = next((each["levels"] for each in found if each["path"] == path), None)
    if levels is None:
        return visit.go_to(f"audience/kind/{kind}", _("This kind has no such field."), "bad")
    return visit.page(
        "audience_field.html",
        title=_("%(kind)s: %(path)s", kind=kind_name(kind), path=path),
        kind=kind,
        field_path=path,
        said=levels,
        rule=rule_for(settings, kind, path),
        levels=level_names(),
        fates=fate_names(),
    )


@router.post("audience/try")
async def try_it(visit: Visit) -> Response:
    """Show what a change would change for strangers, before it is made."""
    patch = patch_of(visit)
    answer = await visit.api.call("POST", f"{SETTINGS}/trial", json=patch)
    if not answer.is_ok:
        return visit.refused(answer, back_of(visit))
    return visit.page(
        "audience_try.html",
        title=_("What this would change"),
        changes=answer.body["items"],
        patch=json.dumps(patch),
        back=back_of(visit),
        levels=level_names(),
        fates=fate_names(),
    )


@router.post("audience/change")
async def change(visit: Visit) -> Response:
    """Make a change that was looked at."""
    answer = await visit.api.call("PATCH", SETTINGS, json=patch_of(visit))
    if not answer.is_ok:
        return visit.refused(answer, back_of(visit))
    return visit.go_to(back_of(visit), _("It is changed, and holds from now on."))


def patch_of(visit: Visit) -> dict[str, Any]:
    """Return the patch of one's settings that a form asks for: switches, a ceiling, a rule."""
    form = visit.form
    if form.has("patch"):
        sent = json.loads(form.text("patch"))
        return sent if isinstance(sent, dict) else {}
    if form.has("path"):
        action = form.line("action")
        return {"custom_privacy_rules": {form.line("path"): None if action == SHOW else action}}
    patch: dict[str, Any] = {name: form.has(name) for name in SWITCHES}
    level = form.line("privacy_level")
    return patch | {"privacy_level": level if level in NAMES else None}


def back_of(visit: Visit) -> str:
    """Return the screen that a form came from, as it says: one about audiences, and no other address."""
    back = visit.form.line("back")
    return back if back.startswith("audience") and back.isprintable() and ".." not in back else "audience"


def rule_for(settings: dict[str, Any], kind: str, path: str) -> str | None:
    """Return the path of one's own rule for a field of a kind: of the kind alone, or else of every kind."""
    rules = settings["custom_privacy_rules"]
    return next((one for one in (f"{kind}.{path}", path) if one in rules), None)
