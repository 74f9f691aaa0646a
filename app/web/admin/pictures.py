"""Pictures in the admin. One's own (avatar) and those of an entry: added, described, removed by forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from app.web.admin import picture_forms, profile, write
from app.web.admin.api import path_of
from app.web.admin.language import _
from app.web.admin.routing import ScreenRouter
from app.web.content_security import NOTHING

if TYPE_CHECKING:
    from app.web.admin.api import Answer
    from app.web.admin.visit import Visit

router = ScreenRouter()
PROFILE = "profile"


@router.get("media/{name}")
async def media(visit: Visit) -> Response:
    """Return a picture to its owner: below /media a browser shows no more than strangers see."""
    found = await visit.api.call("GET", path_of("media", visit.names["name"]))
    if not found.is_ok:
        return visit.page("refused.html", title=_("There is nothing here"), refusal=found)
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": NOTHING}
    return Response(found.body, headers=headers, media_type=found.headers["content-type"])


# -- one's own


@router.post("profile/avatar")
async def replace_avatar(visit: Visit) -> Response:
    """Put a picture of oneself in the place of the one before."""
    return await _to_profile(visit, await picture_forms.add(visit, "PUT", picture_forms.AVATAR), _("Saved."))


@router.post("profile/avatar/{picture:int}")
async def describe_avatar(visit: Visit) -> Response:
    """Say what is to be seen in one's own picture."""
    refusal = await picture_forms.say(visit, picture_forms.AVATAR, visit.names["picture"])
    return await _to_profile(visit, refusal, _("Saved."))


@router.post("profile/avatar/remove")
async def remove_avatar(visit: Visit) -> Response:
    """Remove one's own picture for good."""
    refusal = await picture_forms.remove(visit, picture_forms.AVATAR)
    return await _to_profile(visit, refusal, _("The picture is removed."))


async def _to_profile(visit: Visit, refusal: Answer | None, said: str) -> Response:
    return visit.go_to(PROFILE, said) if refusal is None else await profile.form_as_it_is(visit, refusal)


# -- of an entry


@router.post("entries/{kind}/{entry:int}/pictures")
async def add(visit: Visit) -> Response:
    """Add a picture to an entry."""
    refusal = await picture_forms.add(visit, "POST", picture_forms.path_of_entry(visit))
    return await _to_entry(visit, refusal, _("Saved."))


@router.post("entries/{kind}/{entry:int}/pictures/{picture:int}")
async def describe(visit: Visit) -> Response:
    """Say what is to be seen in a picture of an entry."""
    return await _to_entry(
        visit, await picture_forms.say(visit, _path(visit), visit.names["picture"]), _("Saved.")
    )


@router.post("entries/{kind}/{entry:int}/pictures/{picture:int}/remove")
async def remove(visit: Visit) -> Response:
    """Remove a picture of an entry for good."""
    refusal = await picture_forms.remove(visit, _path(visit))
    return await _to_entry(visit, refusal, _("The picture is removed."))


def _path(visit: Visit) -> str:
    return f"{picture_forms.path_of_entry(visit)}/{visit.names['picture']}"


async def _to_entry(visit: Visit, refusal: Answer | None, said: str) -> Response:
    if refusal is not None:
        return await write.form_as_it_is(visit, refusal)
    return visit.go_to(f"entries/{visit.names['kind']}/{visit.names['entry']}", said)
