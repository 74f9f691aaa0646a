"""Pictures over HTTP: one's own, those of entries, their files. Changed by who is logged in, no key."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app import clock
from app.accounts.audit import Actor
from app.accounts.users import User
from app.entries import history, pictures, read
from app.entries.pictures import Picture
from app.entries.question import Question
from app.entries.slugs import is_slug
from app.errors import NotFound
from app.formats.pictures import PictureSize
from app.server.authenticate import check_account, check_writer
from app.server.picture_lookup import look_at_file, look_at_pictures
from app.server.state import ServerState
from app.web.answers import Document, reply
from app.web.bodies import WrongMediaType, body_of, media_type_of
from app.web.content_security import NOTHING
from app.web.deps import ServerOf, body_of_author, caller_of, client_of, intake_of
from app.web.entry_writes import named_in_path
from app.web.json_bodies import ModelBody, RawBody
from app.web.models import pictures as model
from app.web.models.parameters import Id, IdOrSlug, Name
from app.web.operation import ACCOUNT, ANYBODY, file_operation, operation, or_made, read_operation, router_of
from app.web.parameters import id_of
from app.web.references import reference_to
from app.web.replies import reply_to

if TYPE_CHECKING:
    from sqlalchemy import Connection

router = router_of("pictures")
TAKEN = ("image/jpeg", "image/png", "image/webp", "image/avif", "application/octet-stream")
SENT = "application/octet-stream"
LARGEST_KEPT_BYTES = 100_000  # of a file in memory: it is read from the database as fast
AVATAR, OF_ENTRY = "/api/v1/me/avatar", "/api/v1/{kind}/{entry_id}/pictures"
_HINT = "An id is a whole number from 1; a slug begins with a small letter."
_PICTURE_HINT = "GET the pictures of the entry: it lists their ids."


async def _picture_sent(request: Request, server: ServerState) -> bytes:
    await run_in_threadpool(_check_author, request, server)
    if media_type_of(request) not in TAKEN:
        raise WrongMediaType(
            "The body must be a picture.",
            hint="Send the header Content-Type: image/jpeg (or png, webp, avif)",
        )
    intake_of(request).has_known_sender()
    return await body_of(request)


def _check_author(request: Request, server: ServerState) -> None:
    with server.supervisor.reading() as connection:
        _author(request, server, connection)


def _author(request: Request, server: ServerState, connection: Connection) -> tuple[User, Actor]:
    """Who may change pictures; a key that reads is told first that it does not write."""
    caller = caller_of(request, server, connection)
    check_writer(server, connection, caller)
    return check_account(caller)


PictureOf = Annotated[bytes, Depends(RawBody(model.PictureSent, _picture_sent, SENT))]
ChangedOf = Annotated[model.ChangedPicture, Depends(ModelBody(model.ChangedPicture, body_of_author))]


# -- files


@router.get(f"{pictures.PREFIX}{{name}}", **file_operation("media", "image/webp", who=ANYBODY))
def media(request: Request, server: ServerOf, name: Name) -> Response:
    """Return one size of a picture to who may see what it belongs to, and to its owner."""
    seen = look_at_file(server, client_of(request, server), name)
    document = Document(seen.file.content, seen.file.media_type, NOTHING)
    if not seen.is_for_everyone:
        return reply(request, document, is_public=False)
    return reply_to(
        request,
        server,
        seen.caller,
        seen.generation,
        document,
        depends_on_agent=seen.depends_on_agent,
        validity=seen.validity,
        is_kept=len(document.body) <= LARGEST_KEPT_BYTES,
    )


# -- one's own


@router.get(AVATAR, **read_operation("avatar_get", model.Picture, 404, who=ACCOUNT))
def get_avatar(request: Request, server: ServerOf) -> Response:
    """Return one's own picture."""
    with server.supervisor.reading() as connection:
        user, _actor = check_account(caller_of(request, server, connection))
        found = _avatar_of(connection, user)
    return reply(request, _shown(request, found), is_public=False)


@router.put(AVATAR, **or_made(operation("avatar_replace", model.KeptPicture, who=ACCOUNT)))
def replace_avatar(request: Request, server: ServerOf, body: PictureOf) -> Response:
    """Put a picture of oneself in the place of the one before; who sees one's page sees it at once."""
    sizes = server.pictures.sizes_of(body, is_avatar=True)
    with server.supervisor.writing() as connection:
        user, actor = _author(request, server, connection)
        was_there = pictures.find_avatar(connection, user.id) is not None
        value = _added(request, server, connection, user.id, None, sizes, actor)
    return reply(request, value, is_public=False, status=200 if was_there else 201)


@router.patch(AVATAR, **operation("avatar_change", model.Picture, 404, who=ACCOUNT))
def change_avatar(request: Request, server: ServerOf, body: ChangedOf) -> Response:
    """Say what is to be seen in one's own picture."""
    with server.supervisor.writing() as connection:
        user, actor = _author(request, server, connection)
        found = pictures.say(connection, _avatar_of(connection, user), body.alt, actor, clock.now())
    return reply(request, _shown(request, found), is_public=False)


@router.delete(AVATAR, **operation("avatar_delete", None, 404, who=ACCOUNT, status=204))
def delete_avatar(request: Request, server: ServerOf) -> Response:
    """Remove one's own picture for good."""
    with server.supervisor.writing() as connection:
        user, actor = _author(request, server, connection)
        pictures.remove(connection, _avatar_of(connection, user), actor, clock.now())
    return Response(None, 204, {"Cache-Control": "no-store"})


# -- of entries


@router.get(OF_ENTRY, **read_operation("pictures_list", model.Pictures, 404, who=ANYBODY))
def list_pictures(request: Request, server: ServerOf, kind: Name, entry_id: IdOrSlug) -> Response:
    """List the pictures of an entry that the caller may see, in their order."""
    number, slug = named_in_path(entry_id)
    question = Question(kind, entry_id=number, slug=slug)
    seen = look_at_pictures(server, client_of(request, server), question)
    value = {"items": [_shown(request, each) for each in seen.pictures], "next": None}
    return reply_to(
        request,
        server,
        seen.caller,
        seen.generation,
        value,
        depends_on_agent=seen.depends_on_agent,
        validity=seen.validity,
    )


@router.post(OF_ENTRY, **operation("pictures_add", model.KeptPicture, 404, who=ACCOUNT, status=201))
def add_picture(
    request: Request, server: ServerOf, kind: Name, entry_id: IdOrSlug, body: PictureOf
) -> Response:
    """Add a picture to an entry of one's own; who sees the entry sees it."""
    with server.supervisor.reading() as connection:
        _entry_of(request, server, connection, kind, entry_id)
    sizes = server.pictures.sizes_of(body)
    with server.supervisor.writing() as connection:
        owner_id, actor, entry = _entry_of(request, server, connection, kind, entry_id)
        value = _added(request, server, connection, owner_id, entry, sizes, actor)
    return reply(request, value, is_public=False, status=201)


@router.patch(f"{OF_ENTRY}/{{picture_id}}", **operation("pictures_change", model.Picture, 404, who=ACCOUNT))
def change_picture(
    request: Request, server: ServerOf, kind: Name, entry_id: IdOrSlug, picture_id: Id, body: ChangedOf
) -> Response:
    """Say what is to be seen in a picture of one's own entry."""
    with server.supervisor.writing() as connection:
        _owner_id, actor, entry = _entry_of(request, server, connection, kind, entry_id)
        found = pictures.find(connection, entry, id_of(picture_id, hint=_PICTURE_HINT))
        found = pictures.say(connection, found, body.alt, actor, clock.now())
    return reply(request, _shown(request, found), is_public=False)


@router.delete(
    f"{OF_ENTRY}/{{picture_id}}", **operation("pictures_delete", None, 404, who=ACCOUNT, status=204)
)
def delete_picture(
    request: Request, server: ServerOf, kind: Name, entry_id: IdOrSlug, picture_id: Id
) -> Response:
    """Remove a picture of one's own entry for good."""
    with server.supervisor.writing() as connection:
        _owner_id, actor, entry = _entry_of(request, server, connection, kind, entry_id)
        found = pictures.find(connection, entry, id_of(picture_id, hint=_PICTURE_HINT))
        pictures.remove(connection, found, actor, clock.now())
    return Response(None, 204, {"Cache-Control": "no-store"})


# -- inside


def _avatar_of(connection: Connection, user: User) -> Picture:
    found = pictures.find_avatar(connection, user.id)
    if found is None:
        raise NotFound("You have no picture.", hint=f"PUT {AVATAR} takes one.")
    return found


def _entry_of(
    request: Request, server: ServerState, connection: Connection, kind: str, entry_id: str
) -> tuple[int, Actor, int]:
    """Return whose entry it is, who asks, and its id: one's own, an admin's anyone's, deleted or not."""
    user, actor = _author(request, server, connection)
    viewer = caller_of(request, server, connection).viewer
    endpoint = read.known_endpoint(connection, viewer, kind)
    if is_slug(entry_id):
        number = read.named_entry(connection, viewer, endpoint.name, entry_id)
    else:
        number = id_of(entry_id, hint=_HINT)
    row = history.kept_entry(connection, viewer, endpoint, number)
    return row.created_by_id or user.id, actor, int(row.id)


def _added(
    request: Request,
    server: ServerState,
    connection: Connection,
    user_id: int,
    entry_id: int | None,
    sizes: list[PictureSize],
    actor: Actor,
) -> dict[str, Any]:
    most_bytes = server.settings.picture_quota_bytes
    now = clock.now()
    made = pictures.add(connection, user_id, entry_id, sizes, actor, now, most_bytes=most_bytes)
    used = pictures.use_of(connection, user_id)[1]
    return {**_shown(request, made), "original_kept": False, "used_bytes": used, "most_bytes": most_bytes}


def _shown(request: Request, picture: Picture) -> dict[str, Any]:
    return picture.as_json(partial(reference_to, request.scope))
