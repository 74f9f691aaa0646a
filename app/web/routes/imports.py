"""Imports over HTTP: what other programs wrote, shown first, then added, and undone. Never with a key."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response, StreamingResponse

from app import clock
from app.accounts import audit
from app.accounts.people import Person
from app.entries import import_runs, own_export, text_search
from app.entries.entry import invalid
from app.entries.export import export_user
from app.entries.export_archive import archive_of_files
from app.entries.import_plans import ImportPlan, plan_of, plan_view, read_for, shown_by_key
from app.entries.import_writing import Done
from app.formats.archive import MEDIA_TYPE
from app.formats.items import Choices, Source
from app.formats.sources import read_bytes
from app.server.planned_writes import Opened, try_planned, write_planned
from app.web.answers import reply
from app.web.deps import (
    ServerOf,
    account_of,
    author_of,
    body_of_account,
    body_of_author,
    client_of,
    confirmed_account_of,
)
from app.web.idempotency import Once, carried_out_once, is_keyed
from app.web.json_bodies import ModelBody
from app.web.models import imports as model
from app.web.models.parameters import Name
from app.web.operation import ACCOUNT, made_once, operation, read_operation, router_of
from app.web.parameters import id_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.accounts.users import User

Ready = tuple[Person, ImportPlan, dict[str, dict[str, Any]], import_runs.Ready]
"""A plan, what strangers will be shown of it, and its entries that are ready to be written."""

router = router_of("imports", "/api/v1")
HINT = "GET /api/v1/imports lists them."

_ARCHIVE = operation("me_archive", None, who=ACCOUNT)
_ARCHIVE["responses"][200] = {
    "description": "The ZIP.",
    "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
}
_ARCHIVE["response_class"] = Response  # no JSON

WantedOf = Annotated[model.ArchiveWanted, Depends(ModelBody(model.ArchiveWanted, body_of_account))]
SourceOf = Annotated[model.ImportSource, Depends(ModelBody(model.ImportSource, body_of_author))]


@router.post("/import", **made_once(operation("imports_create", model.ImportAnswer, 409, who=ACCOUNT)))
def import_source(request: Request, server: ServerOf, body: SourceOf) -> Response:
    """Add to one's entries what another program wrote; with `dry_run`, say only what would be added."""
    source, choices = _source_in(body), _choices_in(body)
    if own_export.is_own_export(source):
        return _import_export(request, server, body, source)
    with server.supervisor.reading() as connection:
        user, _actor = author_of(request, server, connection)
        if body.dry_run:
            owner, plan = _planned(connection, user, source, choices)
            shown = shown_by_key(connection, owner, plan)
            return reply(request, plan_view(plan, owner, shown, {}, None), is_public=False)
    origin, without_unfit = client_of(request, server).origin, bool(body.without_unfit)

    def make_ready(connection: Connection) -> Ready | Response:
        user, _actor = author_of(request, server, connection)
        if (kept := once.kept(connection, user.id)) is not None:
            return kept
        owner, plan = _planned(connection, user, source, choices)
        shown = shown_by_key(connection, owner, plan)
        new = import_runs.make_ready(connection, owner, plan, origin, without_unfit=without_unfit)
        return owner, plan, shown, new

    def write(connection: Connection, ready: Ready | Response) -> Response:
        user, _actor = author_of(request, server, connection)
        if (kept := once.kept(connection, user.id)) is not None:
            return kept
        if isinstance(ready, Response):
            return ready
        owner, plan, shown, new = ready
        done = import_runs.apply(connection, owner, plan, origin, without_unfit=without_unfit, ready=new)
        value = plan_view(plan, owner, shown, done.entry_ids, done.id)
        entry_ids = sorted(set(done.entry_ids.values()))
        return once.keep(connection, user.id, reply(request, value, is_public=False), entry_ids)

    with carried_out_once(request, server) as once:
        return write_planned(server.supervisor, make_ready, write, user.id)


def _import_export(request: Request, server: ServerOf, body: model.ImportSource, source: Source) -> Response:
    own = own_export.read_own(source, body.passphrase)
    settings = server.settings
    terms = own_export.Terms(
        settings.privacy_level,
        settings.max_body_bytes,
        settings.picture_quota_bytes,
        bool(body.without_unfit),
    )
    if body.dry_run:
        terms = replace(terms, without_unfit=True)
        return reply(request, _tried(request, server, own, terms), is_public=False)
    with carried_out_once(request, server) as once:
        return _carry_out(request, server, own, terms, once)


def _tried(
    request: Request, server: ServerOf, own: own_export.OwnExport, terms: own_export.Terms
) -> dict[str, Any]:
    """Return what would be answered to an import of an export."""
    with server.supervisor.reading() as connection:
        user, actor = author_of(request, server, connection)

    def make_ready(connection: Connection) -> own_export.OwnReady:
        return own_export.make_ready(connection, user, own, terms, actor)

    def in_steps(writing: Opened, ready: own_export.OwnReady) -> dict[str, Any]:
        return own_export.try_own(writing, user, ready, terms, actor)

    def at_once(writing: Opened) -> dict[str, Any]:
        return own_export.try_own_at_once(writing, user, own, terms, actor)

    return try_planned(server.supervisor, make_ready, in_steps, at_once)


def _seen_before(
    request: Request, server: ServerOf, own: own_export.OwnExport, terms: own_export.Terms
) -> own_export.Seen:
    """Return what strangers would see of an export that is not imported yet."""
    with server.supervisor.reading() as connection:
        user, actor = author_of(request, server, connection)

    def make_ready(connection: Connection) -> own_export.OwnReady:
        return own_export.make_ready(connection, user, own, terms, actor)

    def in_steps(writing: Opened, ready: own_export.OwnReady) -> own_export.Seen:
        return own_export.strangers_would_see(writing, user, ready, terms, actor)

    def at_once(writing: Opened) -> own_export.Seen:
        return own_export.strangers_would_see_at_once(writing, user, own, terms, actor)

    return try_planned(server.supervisor, make_ready, in_steps, at_once)


def _carry_out(
    request: Request, server: ServerOf, own: own_export.OwnExport, terms: own_export.Terms, once: Once
) -> Response:
    """Import an export. What is answered to a request with a key is kept with what was written: so that is
    looked at before it, and without a key after it, when no one waits for it."""
    supervisor, is_kept = server.supervisor, is_keyed(request)
    seen: own_export.Seen = {}
    written: list[tuple[User, own_export.OwnReady, Done]] = []
    with supervisor.reading() as connection:
        user, _actor = author_of(request, server, connection)
        if (kept := once.kept(connection, user.id)) is not None:
            return kept
    if is_kept:
        seen = _seen_before(request, server, own, terms)

    def make_ready(connection: Connection) -> own_export.OwnReady:
        user, actor = author_of(request, server, connection)
        return own_export.make_ready(connection, user, own, terms, actor)

    def write(connection: Connection, ready: own_export.OwnReady) -> Response:
        user, actor = author_of(request, server, connection)
        if (kept := once.kept(connection, user.id)) is not None:
            return kept
        done = own_export.write(connection, user, ready, terms, actor)
        written.append((user, ready, done))
        value = own_export.answer(connection, user, ready, done, seen) if is_kept else {}
        entry_ids = sorted(done.ids.values())
        return once.keep(connection, user.id, reply(request, value, is_public=False), entry_ids)

    response = write_planned(supervisor, make_ready, write, user.id)
    for user, ready, done in written:
        entry_ids = sorted(done.ids.values())
        text_search.search_and_keep(supervisor.reading, supervisor.writing, entry_ids)
        if not is_kept:
            with supervisor.reading() as connection:
                seen = own_export.strangers_see(connection, user, ready, done, terms)
                value = own_export.answer(connection, user, ready, done, seen)
            response = reply(request, value, is_public=False)
    return response


@router.post("/me/archive", **_ARCHIVE)
def export_archive(request: Request, server: ServerOf, body: WantedOf) -> Response:
    """Return what takes one into another installation, as one ZIP. Asks for the password again."""
    with server.supervisor.writing() as connection:
        user, actor = confirmed_account_of(request, server, connection)
        audit.record(connection, audit.EXPORT, "users", user.id, now=clock.now(), **vars(actor))
    level = server.settings.privacy_level
    with server.supervisor.reading() as connection:
        found = export_user(connection, user.username, level, body.passphrase, is_asked_by_person=True)
    name = f"export_{clock.stamp(clock.now())}.zip"
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(archive_of_files(found), headers=headers, media_type=MEDIA_TYPE)


@router.get("/imports", **read_operation("imports_list", model.ImportPage, who=ACCOUNT))
def list_imports(request: Request, server: ServerOf) -> Response:
    """List what one has imported, the newest first."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        items = import_runs.listed(connection, _person(user))
    return reply(request, {"items": items, "next": None}, is_public=False)


@router.delete(
    "/imports/{import_id:path}", **operation("imports_undo", None, 404, 409, who=ACCOUNT, status=204)
)
def undo_import(request: Request, server: ServerOf, import_id: Name) -> Response:
    """Delete what an import has added, unless something of it was changed since."""
    origin = client_of(request, server).origin
    with server.supervisor.reading() as connection:
        user, _actor = author_of(request, server, connection)

    def plan(connection: Connection) -> import_runs.UndoPlan:
        user, _actor = author_of(request, server, connection)
        return import_runs.plan_undo(connection, _person(user), id_of(import_id, hint=HINT), origin)

    def write(connection: Connection, planned: import_runs.UndoPlan) -> None:
        user, _actor = author_of(request, server, connection)
        import_runs.undo(connection, _person(user), planned, origin)

    write_planned(server.supervisor, plan, write, user.id)
    return Response(None, 204, {"Cache-Control": "no-store"})


def _planned(
    connection: Connection, user: User, source: Source, choices: Choices
) -> tuple[Person, ImportPlan]:
    owner = _person(user)
    return owner, plan_of(connection, owner, source, read_for(connection, owner, source, choices))


def _person(user: User) -> Person:
    return Person(user.id, user.username, is_active=user.is_active)


def _source_in(body: model.ImportSource) -> Source:
    if (body.text is None) == (body.base64 is None):
        raise invalid("/text", "either this is needed, or base64")
    if body.text is not None:
        return read_bytes(body.name, body.text.encode())
    assert body.base64 is not None
    try:
        return read_bytes(body.name, base64.b64decode(body.base64, validate=True))
    except (binascii.Error, ValueError):
        raise invalid("/base64", "it is no Base64 (RFC 4648)") from None


def _choices_in(body: model.ImportSource) -> Choices:
    return Choices(body.kind, body.encoding, body.doubled, body.columns or {})
