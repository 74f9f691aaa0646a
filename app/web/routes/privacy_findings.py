"""Findings and releases over HTTP: what is found in one's own texts, and shown of it. Never with a key."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request
from starlette.responses import Response

from app.entries import own_findings, releases
from app.entries.entry import Origin, invalid
from app.web.answers import reply
from app.web.deps import ServerOf, account_of, body_of_account
from app.web.idempotency import carried_out_once
from app.web.json_bodies import ModelBody
from app.web.models import privacy_findings as model
from app.web.models.base import form
from app.web.models.parameters import LARGEST_ID, Id, IdCursor
from app.web.operation import ACCOUNT, made_once, operation, read_operation, router_of
from app.web.parameters import id_in_cursor, id_of

router = router_of("privacy", "/api/v1/privacy")
HINT = "GET /api/v1/privacy/releases lists them."

EntryId = Annotated[
    str | None, form(type="integer", minimum=1, maximum=LARGEST_ID), Query(description="Of this entry only.")
]
NewReleaseOf = Annotated[model.NewRelease, Depends(ModelBody(model.NewRelease, body_of_account))]


@router.get("/findings", **read_operation("privacy_findings", model.OwnFindingPage, 404, who=ACCOUNT))
def list_findings(
    request: Request, server: ServerOf, entry: EntryId = None, cursor: IdCursor = None
) -> Response:
    """List what was found in one's own texts, by entry, with what strangers are shown of it at each level."""
    entry_id = None if entry is None else id_of(entry, hint="An id is a whole number from 1.")
    after_id = 0 if cursor is None else id_in_cursor(cursor)
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        items, last = own_findings.findings_of(connection, user.id, entry_id=entry_id, after_id=after_id)
    return reply(request, {"items": items, "next": None if last is None else str(last)}, is_public=False)


@router.get("/releases", **read_operation("privacy_releases", model.ReleasePage, who=ACCOUNT))
def list_releases(request: Request, server: ServerOf) -> Response:
    """List what one has released of what was found."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        items = own_findings.releases_view(connection, user.id)
    return reply(request, {"items": items, "next": None}, is_public=False)


@router.post(
    "/releases",
    **made_once(operation("privacy_releases_create", model.Released, 404, who=ACCOUNT, status=201)),
)
def release(request: Request, server: ServerOf, body: NewReleaseOf) -> Response:
    """Show what was found: a value in an entry, all of an entry, or a sort of data of a kind or of all."""
    if not body.model_fields_set:
        raise invalid("", 'what is to be shown? {"detector": null} is any contact data in all texts')
    if body.entry_id is not None and not 1 <= body.entry_id <= LARGEST_ID:
        raise invalid("/entry_id", "an id is a whole number from 1")
    with carried_out_once(request, server) as once, server.supervisor.writing() as connection:
        user, actor = account_of(request, server, connection)
        if (kept := once.kept(connection, user.id)) is not None:
            return kept
        made = releases.release(
            connection,
            user.id,
            entry_id=body.entry_id,
            kind=body.kind,
            detector=body.detector,
            value_hash=body.value_hash,
            origin=Origin(actor.ip_address, actor.user_agent),
        )
        items = [own_findings.release_view(connection, each) for each in made]
        answer = reply(request, {"items": items}, is_public=False, status=201)
        return once.keep(connection, user.id, answer, [] if body.entry_id is None else [body.entry_id])


@router.delete(
    "/releases/{release_id}",
    **operation("privacy_releases_delete", None, 404, who=ACCOUNT, status=204),
)
def withdraw(request: Request, server: ServerOf, release_id: Id) -> Response:
    """Hide again what one of one's own releases shows."""
    with server.supervisor.writing() as connection:
        user, actor = account_of(request, server, connection)
        origin = Origin(actor.ip_address, actor.user_agent)
        releases.withdraw(connection, user.id, id_of(release_id, hint=HINT), origin=origin)
    return Response(None, 204, {"Cache-Control": "no-store"})
