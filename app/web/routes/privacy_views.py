"""How do others see one's own entries, over HTTP, and why? Never with a key."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request
from starlette.responses import Response

from app.accounts.people import Person
from app.entries import explain, preview
from app.entries.draft_preview import preview_draft
from app.entries.entry import LIMIT_DEFAULT, check_limit
from app.entries.parts import by_cursor
from app.entries.preview import AUDIENCES
from app.errors import UsageError
from app.web.answers import reply
from app.web.deps import ServerOf, account_of, body_of_account
from app.web.json_bodies import ModelBody
from app.web.models import privacy as model
from app.web.models.base import form
from app.web.models.parameters import LARGEST_ID, Cursor, IdCursor, Level, Limit
from app.web.operation import ACCOUNT, operation, read_operation, router_of
from app.web.parameters import id_in_cursor, id_of

router = router_of("privacy", "/api/v1/privacy")
HINT = "An id is a whole number from 1."
DraftOf = Annotated[model.UnwrittenEntry, Depends(ModelBody(model.UnwrittenEntry, body_of_account))]

Kind = Annotated[str, Query(description="Of this kind.", json_schema_extra={"minLength": 1})]
EntryId = Annotated[
    str | None, form(type="integer", minimum=1, maximum=LARGEST_ID), Query(description="This entry only.")
]
OneEntry = Annotated[
    str, form(type="integer", minimum=1, maximum=LARGEST_ID), Query(description="One of one's own.")
]
Audience = Annotated[
    str | None, form(type="string", enum=list(AUDIENCES)), Query(alias="as", description="As this one only.")
]


@router.get("/preview", **read_operation("privacy_preview", model.PreviewPage, 404, who=ACCOUNT))
def get_preview(
    request: Request,
    server: ServerOf,
    kind: Kind,
    entry: EntryId = None,
    audience: Audience = None,
    level: Level = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """Return what each audience is answered who asks for one's own list of a kind, or for one entry."""
    if not kind:
        raise UsageError("kind is the name of a kind.", hint="GET /api/v1/endpoints lists the kinds.")
    entry_id = None if entry is None else id_of(entry, hint=HINT)
    wanted = preview.Wanted(kind, entry_id, audience, level, by_cursor(limit, cursor, key=server.cursor_key))
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        person = Person(user.id, user.username, is_active=True)
        found = preview.previews(connection, person, wanted, server.settings.privacy_level)
    return reply(request, {"items": found, "next": None}, is_public=False)


@router.post("/preview", **operation("privacy_preview_draft", model.DraftPreview, 404, who=ACCOUNT))
def preview_unwritten(request: Request, server: ServerOf, body: DraftOf) -> Response:
    """Return what audiences would be shown of content, and what is found in it. Nothing is written."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        person = Person(user.id, user.username, is_active=True)
        found = preview_draft(
            connection,
            person,
            body.kind,
            body.content,
            entry_id=body.entry,
            ceiling=server.settings.privacy_level,
        )
    return reply(request, found, is_public=False)


@router.get("/explain", **read_operation("privacy_explain", model.ExplainedPage, 404, who=ACCOUNT))
def get_explanation(
    request: Request,
    server: ServerOf,
    entry: OneEntry,
    level: Level = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: IdCursor = None,
) -> Response:
    """Say of each field of one of one's own entries why it is shown or hidden, and what would change it."""
    after = 0 if cursor is None else id_in_cursor(cursor)
    end = after + check_limit(limit)
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        person = Person(user.id, user.username, is_active=True)
        ceiling = server.settings.privacy_level
        entry_id = id_of(entry, hint=HINT)
        found = explain.explain(connection, person, entry_id, level=level, ceiling=ceiling)
    following = str(end) if len(found) > end else None
    return reply(request, {"items": found[after:end], "next": following}, is_public=False)
