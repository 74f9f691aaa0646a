"""Inbox in the browser: messages are read and deleted, senders blocked; the box is opened and closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from app.web.admin.api import path_of
from app.web.admin.language import _
from app.web.admin.routing import ScreenRouter

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

router = ScreenRouter()
MESSAGES, BOX, BLOCKS = "/api/v1/me/messages", "/api/v1/me/message-box", "/api/v1/me/message-blocks"


@router.get("messages")
async def show(visit: Visit) -> Response:
    """List messages, the newest first."""
    found = await visit.got(MESSAGES, {"cursor": visit.query("cursor") or None})
    return visit.page(
        "inbox.html",
        title=_("Inbox"),
        box=await visit.got(BOX),
        messages=found["items"],
        following=found["next"],
        blocks=(await visit.got(BLOCKS))["items"],
        ways=_ways(),
    )


@router.post("messages")
async def open_or_close(visit: Visit) -> Response:
    """Let anyone leave messages, or no one any more."""
    is_open = visit.form.line("open") == "yes"
    answer = await visit.api.call("PUT", BOX, json={"is_open": is_open})
    if not answer.is_ok:
        return visit.refused(answer, "messages")
    return visit.go_to(
        "messages", _("Messages are taken.") if is_open else _("No messages are taken any more.")
    )


@router.get("messages/{message:int}")
async def read(visit: Visit) -> Response:
    """Show a message whole; that marks it as read."""
    message = await visit.got(_address(visit))
    if not message["is_read"]:
        await visit.api.call("PATCH", _address(visit), json={"is_read": True})
    return visit.page("message.html", title=_("Message"), message=message, ways=_ways())


@router.post("messages/{message:int}")
async def act(visit: Visit) -> Response:
    """Mark a message as unread, delete it for good, or block whoever sent it."""
    done = visit.form.line("do")
    if done == "delete":
        answer, said = await visit.api.call("DELETE", _address(visit)), _("The message is gone for good.")
    elif done == "block":
        answer = await visit.api.call("POST", _address(visit, "block"))
        said = _("Nothing more is taken from there.")
    else:
        answer = await visit.api.call("PATCH", _address(visit), json={"is_read": False})
        said = _("It is unread again.")
    return visit.go_to("messages", said) if answer.is_ok else visit.refused(answer, "messages")


@router.post("messages/blocks/{block:int}")
async def unblock(visit: Visit) -> Response:
    """Take messages from there again."""
    answer = await visit.api.call(
        "DELETE", path_of("api", "v1", "me", "message-blocks", visit.names["block"])
    )
    if not answer.is_ok:
        return visit.refused(answer, "messages")
    return visit.go_to("messages", _("Messages from there are taken again."))


def _address(visit: Visit, *below: str) -> str:
    return path_of("api", "v1", "me", "messages", visit.names["message"], *below)


def _ways() -> dict[str, str]:
    return {"page": _("from your page"), "api": _("by a program"), "assistant": _("by an assistant")}
