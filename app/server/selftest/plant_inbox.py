"""What is planted beside entries: a message that someone left, its sender, who is blocked, a webhook."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from app import clock
from app.accounts import message_blocks, messages
from app.accounts.audit import COMMAND_LINE
from app.accounts.messages import Draft, Sender
from app.entries import webhooks
from app.entries.webhooks import NewHook

_NO_SECRET = "self-test"


def plant_messages(
    connection: Connection, user_id: int, new_text: Callable[[str], str]
) -> dict[str, list[str]]:
    """Leave a message whose every text is a marker, block its sender; return what stands for their ids."""
    now = clock.now()
    texts = [new_text(f"message {part}") for part in ("text", "name", "contact", "client")]
    sender = Sender("api", "0" * 64, texts.pop())
    messages.leave(connection, _NO_SECRET, user_id, Draft(*texts), sender, now)
    ((left, *_), _) = messages.listed(connection, user_id, 1)
    messages.block(connection, _NO_SECRET, user_id, left["id"], now)
    blocks = message_blocks.listed(connection, user_id)
    new = NewHook(f"https://{new_text('webhook')}.example/", label=new_text("webhook label"))
    made, _secret = webhooks.make(connection, _NO_SECRET, user_id, new, now, COMMAND_LINE)
    webhooks.turn_off(connection, made["id"], "by_its_person", now)  # nothing is sent by a self-test
    return {
        "message_id": [str(left["id"])],
        "block_id": [str(each["id"]) for each in blocks],
        "webhook_id": [str(made["id"])],
        "delivery_id": ["msg_1"],  # nothing was sent
    }
