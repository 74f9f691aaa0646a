"""Profile in the admin. Who is this, what do they do, where, what do they look for? In one form.

It is made of the first entries of three kinds, which can be changed one by one as well; what else is in them
stays (a merge patch).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.web.admin import picture_forms
from app.web.admin.api import Answer, path_of_kind
from app.web.admin.language import _
from app.web.admin.routing import ScreenRouter

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

router = ScreenRouter()
ABOUT = ("name", "title", "location", "bio", "website")
CONFLICT, PRECONDITION_FAILED = 409, 412


@dataclass(frozen=True)
class Part:
    """A kind of which the form has the first entry, and which fields of the form are of which member."""

    kind: str
    members: tuple[tuple[str, str], ...]  # member, field


PARTS = (
    Part("about", tuple((name, name) for name in ABOUT)),
    Part("looking_for", (("content", "looking_for"),)),
    Part("contact_info", (("email", "email"), ("content", "contact"))),
)


@router.get("profile")
async def ask(visit: Visit) -> Response:
    """Show the form with what is there."""
    return await form_as_it_is(visit)


async def form_as_it_is(visit: Visit, refusal: Answer | None = None) -> Response:
    """Return the screen with what is there, and what was refused of a picture."""
    values: dict[str, str] = {}
    for part in PARTS:
        values |= await _values_of(visit, part)
    if not values["about.id"]:
        account = await visit.got("/auth/me")
        values["name"] = account["full_name"] or account["username"]
    return await _form(visit, values, refusal)


@router.post("profile")
async def save(visit: Visit) -> Response:
    """Write what is new, and change what is there, unless someone was faster."""
    form = visit.form
    values = {name: form.text(name) for name, _value in form.pairs}
    if form.line("email") and not form.line("contact"):
        values["contact"] = form.line("email")  # the kind wants a text
    for part in PARTS:
        refusal = await _save_part(visit, part, values)
        if refusal is not None and refusal.status == PRECONDITION_FAILED:
            values |= {name: text for name, text in (await _values_of(visit, part)).items() if "." in name}
            said = _(
                "The profile was changed meanwhile. Your words are in the form: save again to keep them."
            )
            return await _form(visit, values, Answer(CONFLICT, {"detail": said}, {}))
        if refusal is not None:
            return await _form(visit, values, refusal)
        values |= {name: text for name, text in (await _values_of(visit, part)).items() if "." in name}
    return visit.go_to("profile", _("Saved. This is your page now: %(address)s", address=_page(visit)))


async def _values_of(visit: Visit, part: Part) -> dict[str, str]:
    """Return what stands in the fields of a part; ``KIND.id`` and ``KIND.etag`` say of which entry it is."""
    empty = {field: "" for _member, field in part.members} | {f"{part.kind}.id": "", f"{part.kind}.etag": ""}
    page = await visit.got(path_of_kind(part.kind), {"limit": 1})
    if not page["items"]:
        return empty
    entry_id = page["items"][0]["id"]
    found = await visit.api.call("GET", path_of_kind(part.kind, entry_id))
    data = found.body.get("data") if found.is_ok else None
    if not isinstance(data, dict):
        return empty
    told = {field: _line(data.get(member)) for member, field in part.members}
    return told | {f"{part.kind}.id": str(entry_id), f"{part.kind}.etag": found.headers.get("etag", "")}


async def _save_part(visit: Visit, part: Part, values: Mapping[str, str]) -> Answer | None:
    """Write one part; None, or what the API refused."""
    said = {member: values.get(field, "").strip() for member, field in part.members}
    entry_id = values.get(f"{part.kind}.id", "")
    path = path_of_kind(part.kind)
    if not entry_id:
        content: dict[str, Any] = {member: text for member, text in said.items() if text}
        if not content:
            return None
        if part.kind == "contact_info":
            content["visibility"] = "public"  # who fills it in here wants to be written to
        done = await visit.api.call("POST", path, json=content)
    else:
        before = await visit.got(f"{path}/{entry_id}")
        patch = {
            member: text or None for member, text in said.items() if text != _line(before["data"].get(member))
        }
        if not patch:
            return None
        held = {"If-Match": values.get(f"{part.kind}.etag", "")}
        if not any(said.values()):
            done = await visit.api.call("DELETE", f"{path}/{entry_id}", headers=held)
        else:
            done = await visit.api.call("PATCH", f"{path}/{entry_id}", json=patch, headers=held)
    return None if done.is_ok else done


async def _form(visit: Visit, values: Mapping[str, str], refusal: Answer | None = None) -> Response:
    avatar = await picture_forms.avatar_of(visit)
    return visit.page(
        "profile.html",
        title=_("Profile"),
        refusal=refusal,
        values=values,
        held=[name for part in PARTS for name in (f"{part.kind}.id", f"{part.kind}.etag")],
        page=_page(visit),
        pictures=[avatar] if avatar else [],
    )


def _page(visit: Visit) -> str:
    return f"/@{visit.person.user.username}"


def _line(value: object) -> str:
    return value if isinstance(value, str) else ""
