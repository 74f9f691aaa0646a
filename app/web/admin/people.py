"""People in the browser, for admins: accounts, roles, who is kept out, who is removed; invitations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import Response

from app.accounts.users import ROLES
from app.web.admin.api import path_of
from app.web.admin.dangerous import confirmed, fault_of_typed
from app.web.admin.language import _
from app.web.admin.routing import ScreenRouter
from app.web.admin.shown import ROLE_WORDS

if TYPE_CHECKING:
    from app.web.admin.api import Answer
    from app.web.admin.visit import Visit

router = ScreenRouter()
USERS = "/api/v1/admin/users"
INVITATIONS = "/api/v1/admin/invitations"
assert set(ROLE_WORDS) == set(ROLES)


@router.get("people", who="admin")
async def list_people(visit: Visit) -> Response:
    """List accounts, and the invitations that are good."""
    return await _list_page(visit)


@router.post("people/invite", who="admin")
async def invite(visit: Visit) -> Response:
    """Invite someone; the link is on this page and nowhere else."""
    form = visit.form
    days = form.line("days")
    wanted = {"role": form.line("role"), "days": int(days) if days.isdecimal() else 7}
    label = {"label": form.line("label")} if form.line("label") else {}
    made = await confirmed(visit, "POST", INVITATIONS, wanted | label)
    return await _list_page(visit, made) if made.is_ok else await _list_page(visit, refusal=made)


@router.post("people/invitations/{invitation:int}/withdraw", who="admin")
async def withdraw(visit: Visit) -> Response:
    """End an invitation."""
    answer = await visit.api.call("DELETE", f"{INVITATIONS}/{visit.names['invitation']}")
    if not answer.is_ok:
        return visit.refused(answer, "people")
    return visit.go_to("people", _("The invitation opens nothing any more."))


@router.get("people/{person:int}", who="admin")
async def show_person(visit: Visit) -> Response:
    """Show one account, and what an admin can do about it."""
    return await _person_page(visit)


@router.post("people/{person:int}/active", who="admin")
async def let_in(visit: Visit) -> Response:
    """Keep someone out, or let them in."""
    is_active = visit.form.line("active") == "yes"
    answer = await visit.api.call("PATCH", _address(visit), json={"is_active": is_active})
    if not answer.is_ok:
        return visit.refused(answer, _back(visit))
    return visit.go_to(_back(visit), _("They may come in again.") if is_active else _("They are kept out."))


@router.post("people/{person:int}/role", who="admin")
async def set_role(visit: Visit) -> Response:
    """Give someone another role."""
    answer = await confirmed(visit, "PUT", _address(visit, "role"), {"role": visit.form.line("role")})
    if not answer.is_ok:
        return await _person_page(visit, answer)
    return visit.go_to(_back(visit), _("The role holds from now on."))


@router.post("people/{person:int}/password-link", who="admin")
async def make_password_link(visit: Visit) -> Response:
    """Make a link with which someone chooses another password; it is on this page and nowhere else."""
    made = await confirmed(visit, "POST", _address(visit, "password-link"))
    return await _person_page(visit, made=made) if made.is_ok else await _person_page(visit, made)


@router.post("people/{person:int}/second-factor", who="admin")
async def turn_off_second_factor(visit: Visit) -> Response:
    """Turn off the second factor of someone who has lost it."""
    answer = await confirmed(visit, "DELETE", _address(visit, "second-factor"))
    if not answer.is_ok:
        return await _person_page(visit, answer)
    return visit.go_to(_back(visit), _("Their password alone lets them in."))


@router.post("people/{person:int}/remove", who="admin")
async def remove(visit: Visit) -> Response:
    """Remove someone: kept out at once, erased in seven days; their name is typed to confirm."""
    person = await visit.got(_address(visit))
    fault = fault_of_typed(visit, person["username"])
    if fault:
        return visit.go_to(_back(visit), fault, "bad")
    wanted = {"username": person["username"], "now": False}
    answer = await confirmed(visit, "POST", _address(visit, "departure"), wanted)
    if not answer.is_ok:
        return await _person_page(visit, answer)
    return visit.page("left.html", title=_("Removed"), left=answer.body, leaver=person["username"])


def _address(visit: Visit, *below: str) -> str:
    return path_of("api", "v1", "admin", "users", visit.names["person"], *below)


def _back(visit: Visit) -> str:
    return f"people/{visit.names['person']}"


def _roles() -> list[tuple[str, str]]:
    return [(role, _(words)) for role, words in ROLE_WORDS.items()]


def _link(visit: Visit, made: Answer) -> str:
    """Return the address of a link's screen, as this browser reaches the server."""
    root = str(visit.request.base_url).rstrip("/")
    return f"{root}/manage/join?token={quote(made.body['token'], safe='')}"


async def _list_page(visit: Visit, made: Answer | None = None, refusal: Answer | None = None) -> Response:
    found = await visit.got(USERS, {"limit": 100, "cursor": visit.query("cursor") or None})
    return visit.page(
        "people.html",
        title=_("People"),
        refusal=refusal,
        people=found["items"],
        following=found["next"],
        invitations=(await visit.got(INVITATIONS))["items"],
        roles=_roles(),
        made_link=None if made is None else _link(visit, made),
    )


async def _person_page(
    visit: Visit, refusal: Answer | None = None, *, made: Answer | None = None
) -> Response:
    person: dict[str, Any] = await visit.got(_address(visit))
    return visit.page(
        "person.html",
        title=person["username"],
        refusal=refusal,
        person=person,
        storage=await visit.got(_address(visit, "storage")),
        roles=_roles(),
        made_link=None if made is None else _link(visit, made),
    )
