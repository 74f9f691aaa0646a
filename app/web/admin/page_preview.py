"""Preview of one's page. How would strangers see it with other wishes? By the same renderer, nothing saved.

The wishes stand in the address, as JSON; it is for whoever has signed in alone, and only on screens of this
server may it stand in a frame. What is shown is what strangers find now, whatever is wished.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from starlette.responses import Response

from app.entries.entry import Origin, invalid
from app.entries.page_wishes import Wishes, checked
from app.server.authenticate import Client
from app.server.profile_lookup import look_at_profile
from app.web.admin.routing import ScreenRouter
from app.web.pages import composing
from app.web.public_address import References

if TYPE_CHECKING:
    from app.web.admin.visit import Visit
    from app.web.answers import Document

router = ScreenRouter()


@router.get("page/preview")
async def preview(visit: Visit) -> Response:
    """Return one's page as it would be with the wishes of the address; raises NotFound and InvalidContent."""
    wishes = _wishes_in(visit.query("wishes", "{}"))
    page = await asyncio.to_thread(_composed, visit, wishes)
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": page.policy,
        "Referrer-Policy": "same-origin",
        "X-Robots-Tag": "noindex",
        "Vary": "Cookie",
    }
    return Response(page.body, 200, headers, page.media_type)


def _composed(visit: Visit, wishes: Wishes) -> Document:
    nobody = Client(Origin())  # as a stranger: no credential of this visit goes along
    seen = look_at_profile(visit.server, nobody, visit.person.user.username, None, wishes=wishes)
    to = References(visit.request.scope, visit.server.settings)
    return composing.page_of_person(seen, to, is_preview=True)


def _wishes_in(text: str) -> Wishes:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise invalid("", "a JSON object is needed here")
    return checked(said)
