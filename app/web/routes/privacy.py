"""Privacy settings over HTTP: what a person shows. Changes hold at the next request. Never with a key."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from app.entries import privacy_settings
from app.web.answers import reply
from app.web.deps import ServerOf, account_of, body_of_account
from app.web.json_bodies import ModelBody
from app.web.models import privacy as model
from app.web.models.base import sent
from app.web.operation import ACCOUNT, operation, read_operation, router_of

router = router_of("privacy", "/api/v1/privacy")

ChangedSettingsOf = Annotated[
    model.ChangedPrivacySettings, Depends(ModelBody(model.ChangedPrivacySettings, body_of_account))
]


@router.get("/settings", **read_operation("privacy_settings", model.PrivacySettings, who=ACCOUNT))
def get_settings(request: Request, server: ServerOf) -> Response:
    """Return one's own settings, as they are obeyed."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        found = privacy_settings.settings_view(connection, user.id)
    return reply(request, found, is_public=False)


@router.patch("/settings", **operation("privacy_settings_change", model.PrivacySettings, who=ACCOUNT))
def change_settings(request: Request, server: ServerOf, body: ChangedSettingsOf) -> Response:
    """Change one's own settings by a JSON merge patch (RFC 7396)."""
    with server.supervisor.writing() as connection:
        user, actor = account_of(request, server, connection)
        changed = privacy_settings.change_settings(connection, user.id, sent(body), actor)
    return reply(request, changed, is_public=False)
