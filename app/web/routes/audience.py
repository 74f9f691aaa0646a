"""Audience over HTTP: what does each level show of one's own kinds and fields, what would settings change?"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from app.accounts.people import Person
from app.entries import audience
from app.web.answers import reply
from app.web.deps import ServerOf, account_of, body_of_account
from app.web.json_bodies import ModelBody
from app.web.models import audience as model
from app.web.models.base import sent
from app.web.models.parameters import Name
from app.web.models.privacy import ChangedPrivacySettings
from app.web.operation import ACCOUNT, operation, read_operation, router_of

router = router_of("privacy", "/api/v1/privacy")
TriedOf = Annotated[ChangedPrivacySettings, Depends(ModelBody(ChangedPrivacySettings, body_of_account))]


@router.get("/audience", **read_operation("privacy_audience", model.AudiencePage, who=ACCOUNT))
def get_audience(request: Request, server: ServerOf) -> Response:
    """Return one's own kinds, and how much of each every level shows strangers."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        person = Person(user.id, user.username, is_active=True)
        found = audience.audience(connection, person, server.settings.privacy_level)
    return reply(request, {"items": found, "next": None}, is_public=False)


@router.get("/audience/{name}", **read_operation("privacy_audience_kind", model.FieldPage, 404, who=ACCOUNT))
def get_fields(request: Request, server: ServerOf, name: Name) -> Response:
    """Return the fields of a kind, and why each level shows or hides each of them."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        person = Person(user.id, user.username, is_active=True)
        found = audience.fields_of(connection, person, name, server.settings.privacy_level)
    return reply(request, {"items": found, "next": None}, is_public=False)


@router.post("/settings/trial", **operation("privacy_settings_trial", model.ChangePage, who=ACCOUNT))
def try_settings(request: Request, server: ServerOf, body: TriedOf) -> Response:
    """Say what a patch of one's own settings would change for strangers. Nothing is changed."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        person = Person(user.id, user.username, is_active=True)
        ceiling = server.settings.privacy_level
        found = audience.what_would_change(connection, person, sent(body), ceiling)
    return reply(request, {"items": found, "next": None}, is_public=False)
