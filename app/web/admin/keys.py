"""API keys in the browser: made, shown once, limited, revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.accounts.key_scope import VERBS
from app.privacy.levels import NAMES
from app.web.admin.api import path_of
from app.web.admin.audience_words import level_names
from app.web.admin.language import _, mark
from app.web.admin.routing import ScreenRouter

if TYPE_CHECKING:
    from app.web.admin.api import Answer
    from app.web.admin.visit import Visit

router = ScreenRouter()
KEYS = "/auth/keys"
VERB_WORDS = {
    "read": mark("Read"),
    "create": mark("Write new entries"),
    "change": mark("Change entries"),
    "delete": mark("Delete entries"),
}
assert tuple(VERB_WORDS) == VERBS


@router.get("keys")
async def list_keys(visit: Visit) -> Response:
    """List one's own keys, with a form for another one."""
    return await _page(visit)


@router.post("keys")
async def make_key(visit: Visit) -> Response:
    """Make a key; its text is on this page and nowhere else."""
    form = visit.form
    level = form.line("privacy_level")
    wanted: dict[str, Any] = {
        "name": form.line("name"),
        "verbs": form.all("verbs") or ["read"],
        "kinds": form.all("kinds") or None,
        "privacy_level": level if level in NAMES else None,
        "expires_at": end_of_day(form.line("expires")),
    }
    made = await visit.api.call("POST", KEYS, json=wanted)
    return await _page(visit, made) if made.is_ok else await _page(visit, refusal=made)


@router.post("keys/{key:int}/revoke")
async def revoke_key(visit: Visit) -> Response:
    """End a key for good."""
    answer = await visit.api.call("DELETE", path_of("auth", "keys", visit.names["key"]))
    if not answer.is_ok:
        return visit.refused(answer, "keys")
    return visit.go_to("keys", _("The key opens nothing any more."))


def end_of_day(day: str) -> str | None:
    """Return the end of a day that was typed, as the API takes a moment; None for none."""
    return f"{day}T23:59:59Z" if day else None


async def _page(visit: Visit, made: Answer | None = None, refusal: Answer | None = None) -> Response:
    keys = (await visit.got(KEYS))["items"]
    kinds = (await visit.got("/api/v1/endpoints"))["items"]
    return visit.page(
        "keys.html",
        title=_("Keys for programs"),
        refusal=refusal,
        keys=keys,
        made=None if made is None else made.body,
        verbs={verb: _(words) for verb, words in VERB_WORDS.items()},
        kinds=[each["name"] for each in kinds],
        levels=level_names(),
    )
