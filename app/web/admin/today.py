"""Today. What is there to do next, and how is the installation? Of what the API says, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.web.admin import screens
from app.web.admin.api import path_of_kind
from app.web.admin.language import _, mark, ngettext
from app.web.admin.routing import ScreenRouter
from app.web.admin.shown import title_of

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

router = ScreenRouter()
KINDS_MOST, DRAFTS_OF_KIND = 8, 5
PHASES = {
    "starting": mark("the server starts"),
    "ready": mark("it is ready"),
    "maintenance": mark("someone has to see to it"),
    "upgrading": mark("its upgrade runs"),
    "yielding": mark("someone works on it"),
    "stopping": mark("the server stops"),
}
"""What the server does with its database, in words."""


@dataclass(frozen=True)
class Next:
    """Something to do: what, why, and where; done things stay, with a mark."""

    title: str
    why: str
    path: str
    is_done: bool = False


@dataclass(frozen=True)
class State:
    """A line about the installation; ``path`` empty: there is no screen for it."""

    title: str
    says: str
    path: str = ""
    is_bad: bool = False


@router.get("")
async def today(visit: Visit) -> Response:
    """Show what there is to do, what is waiting, and how the installation is."""
    account = await visit.got("/auth/me")
    kinds = [each for each in (await visit.got("/api/v1/privacy/audience"))["items"] if each["entries"]]
    states = [*await _inbox(visit), *(await _of_installation(visit) if visit.is_admin else [])]
    return visit.page(
        "today.html",
        title=_("Today"),
        name=account["full_name"] or account["username"],
        steps=await _steps(visit, kinds),
        waiting=await _waiting(visit),
        drafts=await _drafts(visit, kinds),
        states=states,
    )


async def _steps(visit: Visit, kinds: list[dict[str, Any]]) -> list[Next]:
    """What the first day consists of; nothing any more once all of it is done."""
    names = {each["kind"] for each in kinds}
    factor = await visit.got("/auth/second-factor")
    steps = [
        Next(
            _("Say who you are"),
            _("A few lines, and you have a page."),
            "/manage/profile",
            is_done="about" in names,
        ),
        Next(
            _("Write your first entry"),
            _("An idea, a book, a project: with a preview of who sees what."),
            "/manage/entries",
            is_done=bool(names - {"about", "looking_for", "contact_info"}),
        ),
        Next(
            _("Look at your page as others do"),
            _("This is what anyone sees."),
            f"/@{visit.person.user.username}",
        ),
        Next(
            _("Turn on a second factor"),
            _("Then a password alone opens nothing."),
            "/manage/account/second-factor",
            is_done=factor["is_on"],
        ),
    ]
    to_do = [each for each in steps if not each.is_done and each.path.startswith("/manage")]
    return steps if to_do else []


async def _waiting(visit: Visit) -> int:
    """How many entries from before the claim wait for a decision."""
    return len((await visit.got("/api/v1/claim/review"))["items"])


async def _drafts(visit: Visit, kinds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for each in kinds[:KINDS_MOST]:
        query = {"status": "draft", "limit": DRAFTS_OF_KIND}
        answer = await visit.api.call("GET", path_of_kind(each["kind"]), query=query)
        for view in answer.body["items"] if answer.is_ok else ():
            found.append({"kind": each["kind"], "id": view["id"], "title": title_of(view)})
    return found


async def _inbox(visit: Visit) -> list[State]:
    box = await visit.api.call("GET", "/api/v1/me/message-box")
    unread = box.body["unread_count"] if box.is_ok else 0
    if not unread:
        return []
    says = ngettext("%(num)s message is unread.", "%(num)s messages are unread.", unread)
    return [State(_("Messages"), says, _screen("/manage/messages"))]


async def _of_installation(visit: Visit) -> list[State]:
    upgrade = await visit.got("/api/v1/system/upgrade")
    info = await visit.got("/api/v1/system/info")
    selftest = (await visit.got("/api/v1/privacy/selftest"))["last"]
    backups = (await visit.got("/api/v1/admin/backups"))["backups"]
    good = [each for each in backups if each["state"] != "damaged" and each["whose"] == "this"]
    version = info["version"]
    newest = good[0]["created_at"][:10] if good else ""
    return [
        State(
            _("Version"),
            _("Daemon %(version)s serves.", version=version)
            if upgrade["state"] == "ready"
            else _("The database waits: %(state)s.", state=_(PHASES.get(upgrade["state"], upgrade["state"]))),
            _screen("/manage/upgrade"),
        ),
        State(
            _("Backups"),
            _("The newest is of %(day)s.", day=newest) if newest else _("There is no backup yet."),
            _screen("/manage/backups"),
            is_bad=not newest,
        ),
        _of_selftest(selftest),
    ]


def _of_selftest(last: dict[str, Any] | None) -> State:
    title, path = _("Self-test of privacy"), _screen("/manage/privacy")
    if last is None:
        return State(title, _("It has not run yet; it does so once a day."), path)
    if last["outcome"] == "passed":
        return State(title, _("It found nothing that leaks."), path)
    return State(title, _("It has found something: see daemon privacy selftest."), path, is_bad=True)


def _has_screen(path: str) -> bool:
    return any(each.path == path for each in screens.SCREENS)


def _screen(path: str) -> str:
    return path if _has_screen(path) else ""
