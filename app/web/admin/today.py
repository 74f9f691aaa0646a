"""Today. What is there to do next, and how is the installation?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from app.web.admin.api import path_of
from app.web.admin.language import _, ngettext
from app.web.admin.routing import ScreenRouter

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

router = ScreenRouter()


@router.get("")
async def today(visit: Visit) -> Response:
    """Show what there is to do."""
    account = await visit.got("/auth/me")
    sessions = (await visit.got(path_of("auth", "sessions")))["items"]
    places = ngettext(
        "You are signed in in %(num)s place.", "You are signed in in %(num)s places.", len(sessions)
    )
    return visit.page("today.html", title=_("Today"), account=account, places=places)
