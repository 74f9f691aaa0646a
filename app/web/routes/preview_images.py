"""Preview images over HTTP: what other programs show beside a link to a page, made of what strangers see."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from app.errors import NotFound
from app.server.profile_lookup import look_at_profile
from app.web.answers import Document
from app.web.content_security import NOTHING
from app.web.deps import ServerOf, client_of
from app.web.models.parameters import Level, Name
from app.web.operation import ANYBODY, file_operation, router_of
from app.web.pages.preview_image import MEDIA_TYPE, preview_image, preview_of
from app.web.replies import reply_to

router = router_of("pages")


@router.get("/@{username}/preview.png", **file_operation("preview_image", MEDIA_TYPE, who=ANYBODY))
def preview(request: Request, server: ServerOf, username: Name, level: Level = None) -> Response:
    """Return the picture that stands for the page of a person: their name, what they do, where."""
    seen = look_at_profile(server, client_of(request, server), username, level)
    if not seen.wishes.has("open-graph"):
        raise NotFound("There is nothing at this address.")
    content = preview_image(preview_of(seen))
    return reply_to(
        request,
        server,
        seen.caller,
        seen.generation,
        Document(content, MEDIA_TYPE, NOTHING),
        depends_on_agent=seen.depends_on_agent,
        validity=seen.validity,
    )
