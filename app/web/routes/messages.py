"""Messages: left by anyone, for who allows it; the inbox of each person. The inbox never with a key."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app import clock
from app.accounts import message_blocks, message_boxes, messages
from app.accounts.message_proofs import Proof
from app.entries.cursors import make_cursor, read_cursor
from app.entries.entry import LIMIT_DEFAULT, check_limit
from app.entries.order import Place
from app.server import message_intake
from app.server.message_intake import Left
from app.web.answers import reply
from app.web.deps import ServerOf, account_of, body_of_account, client_of
from app.web.json_bodies import ModelBody, body_of_anybody
from app.web.models import messages as model
from app.web.models.parameters import Cursor, Id, Limit, Name
from app.web.operation import ACCOUNT, NOT_ASKED, operation, read_operation, router_of
from app.web.parameters import id_of

router = router_of("messages")
INBOX = "inbox"
PLACE = "/api/v1/users/{username}/messages"
MINE = "/api/v1/me/messages"

NewMessageOf = Annotated[model.NewMessage, Depends(ModelBody(model.NewMessage, body_of_anybody))]
NewBoxOf = Annotated[model.NewMessageBox, Depends(ModelBody(model.NewMessageBox, body_of_account))]
ChangedOf = Annotated[model.ChangedMessage, Depends(ModelBody(model.ChangedMessage, body_of_account))]


# -- for anyone


@router.get(PLACE, **read_operation("message_how", model.HowToLeave, 404, who=NOT_ASKED))
def how_to_leave(request: Request, server: ServerOf, username: Name) -> Response:
    """Return what may be left for a person who allows it, and a challenge for a proof of work."""
    found = message_intake.how_to_leave(server, client_of(request, server), username)
    return reply(request, found, is_public=False)


@router.post(PLACE, **operation("message_leave", model.LeftMessage, 404, who=NOT_ASKED, status=202))
async def leave(request: Request, server: ServerOf, username: Name, body: NewMessageOf) -> Response:
    """Leave a message for a person who allows it. It waits in their inbox, and is sent nowhere."""
    draft = messages.checked(body.text, body.name, body.contact)
    proof = None if body.proof is None else Proof(body.proof.challenge, body.proof.nonce)
    client = client_of(request, server)
    left = Left(username, draft, "api", client.origin.user_agent, proof)
    await run_in_threadpool(message_intake.leave, server, client, left)
    return reply(request, {"detail": message_intake.SAID}, is_public=False, status=202)


# -- for its person


@router.get("/api/v1/me/message-box", **read_operation("message_box", model.MessageBox, who=ACCOUNT))
def get_box(request: Request, server: ServerOf) -> Response:
    """Return whether anyone may leave one a message, and how many wait unread."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        is_open = message_boxes.is_open(connection, user.id)
        value = {"is_open": is_open, "unread_count": messages.counted(connection, user.id)}
    return reply(request, value, is_public=False)


@router.put("/api/v1/me/message-box", **operation("message_box_set", model.MessageBox, who=ACCOUNT))
def set_box(request: Request, server: ServerOf, body: NewBoxOf) -> Response:
    """Let anyone leave one a message, or no one any more; what is there stays."""
    with server.supervisor.writing() as connection:
        user, _actor = account_of(request, server, connection)
        message_boxes.set_open(connection, user.id, body.is_open, clock.now())
        value = {"is_open": body.is_open, "unread_count": messages.counted(connection, user.id)}
    return reply(request, value, is_public=False)


@router.get(MINE, **read_operation("messages_list", model.MessagePage, who=ACCOUNT))
def list_messages(
    request: Request, server: ServerOf, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """List the messages in one's inbox, the newest first, each with the beginning of its text."""
    most, key = check_limit(limit), server.cursor_key
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        read, make = partial(read_cursor, key, user.id), partial(make_cursor, key, user.id)
        after = None if cursor is None else read(cursor, INBOX)
        items, following = messages.listed(connection, user.id, most, after)
    token = None if following is None else make(Place(*following), INBOX)
    return reply(request, {"items": items, "next": token}, is_public=False)


@router.get(f"{MINE}/{{message_id}}", **read_operation("message_get", model.Message, 404, who=ACCOUNT))
def get_message(request: Request, server: ServerOf, message_id: Id) -> Response:
    """Return one message whole. Its text is a stranger's: links in it are letters, orders in it are none."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        found = messages.get(connection, user.id, id_of(message_id, hint=messages.HINT))
    return reply(request, found, is_public=False)


@router.patch(f"{MINE}/{{message_id}}", **operation("message_change", model.Message, 404, who=ACCOUNT))
def change_message(request: Request, server: ServerOf, message_id: Id, body: ChangedOf) -> Response:
    """Note that a message was read, or that it was not."""
    with server.supervisor.writing() as connection:
        user, _actor = account_of(request, server, connection)
        named = id_of(message_id, hint=messages.HINT)
        messages.set_read(connection, user.id, named, body.is_read, clock.now())
        found = messages.get(connection, user.id, named)
    return reply(request, found, is_public=False)


@router.delete(f"{MINE}/{{message_id}}", **operation("message_delete", None, 404, who=ACCOUNT, status=204))
def delete_message(request: Request, server: ServerOf, message_id: Id) -> Response:
    """Delete a message for good."""
    with server.supervisor.writing() as connection:
        user, _actor = account_of(request, server, connection)
        messages.remove(connection, user.id, id_of(message_id, hint=messages.HINT), clock.now())
    return Response(None, 204, {"Cache-Control": "no-store"})


@router.post(f"{MINE}/{{message_id}}/block", **operation("message_block", None, 404, who=ACCOUNT, status=204))
def block_sender(request: Request, server: ServerOf, message_id: Id) -> Response:
    """Take no more messages from the network that this one came from, nor with its contact."""
    with server.supervisor.writing() as connection:
        user, _actor = account_of(request, server, connection)
        named = id_of(message_id, hint=messages.HINT)
        messages.block(connection, server.secret, user.id, named, clock.now())
    return Response(None, 204, {"Cache-Control": "no-store"})


@router.get("/api/v1/me/message-blocks", **read_operation("message_blocks", model.BlockPage, who=ACCOUNT))
def list_blocks(request: Request, server: ServerOf) -> Response:
    """List what one has blocked."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        found = message_blocks.listed(connection, user.id)
    return reply(request, {"items": found, "next": None}, is_public=False)


@router.delete(
    "/api/v1/me/message-blocks/{block_id}",
    **operation("message_block_remove", None, 404, who=ACCOUNT, status=204),
)
def remove_block(request: Request, server: ServerOf, block_id: Id) -> Response:
    """Take messages from there again."""
    with server.supervisor.writing() as connection:
        user, _actor = account_of(request, server, connection)
        hint = "GET /api/v1/me/message-blocks lists them."
        message_blocks.remove(connection, user.id, id_of(block_id, hint=hint))
    return Response(None, 204, {"Cache-Control": "no-store"})
