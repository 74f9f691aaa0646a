"""What does ``daemon message`` do? It lets people be left messages, and lists, shows and deletes them."""

from __future__ import annotations

import click

from app import clock
from app.accounts import message_boxes, messages, users
from app.cli.command_context import opened_for_reading, opened_for_writing
from app.cli.options import json_option
from app.cli.output import Output

COLUMNS = ("id", "received", "from", "contact", "read", "orders", "begins")
LISTED_MOST = 500


@click.group()
def message() -> None:
    """Messages that anyone leaves for someone who allows it. They wait, and are sent nowhere.

    \b
    daemon message open ann            anyone may leave ann messages
    daemon message list ann
    daemon message show ann 4711       a stranger's text: links in it are letters
    """


@message.command(name="open")
@click.argument("username")
@json_option
@click.pass_obj
def open_command(output: Output, username: str) -> int:
    """Let anyone leave USERNAME messages."""
    return _set(output, username, is_open=True)


@message.command()
@click.argument("username")
@json_option
@click.pass_obj
def close(output: Output, username: str) -> int:
    """Let no one leave USERNAME messages any more; what is there stays."""
    return _set(output, username, is_open=False)


def _set(output: Output, username: str, *, is_open: bool) -> int:
    with opened_for_writing(output) as (_, connection):
        user = users.get_user(connection, username)
        message_boxes.set_open(connection, user.id, is_open, clock.now())
    said = "Anyone may leave" if is_open else "No one may leave"
    output.answer(f"{said} {username} messages.", {"username": username, "is_open": is_open})
    return 0


@message.command(name="list")
@click.argument("username")
@json_option
@click.pass_obj
def list_command(output: Output, username: str) -> int:
    """The messages of USERNAME, the newest first."""
    with opened_for_reading(output) as (_, connection):
        user = users.get_user(connection, username)
        found, _following = messages.listed(connection, user.id, LISTED_MOST)
    rows = [
        (
            each["id"],
            each["received_at"],
            each["name"],
            each["contact"],
            each["is_read"],
            each["instruction_like_passages"],
            each["excerpt"],
        )
        for each in found
    ]
    output.table(COLUMNS, rows, {"messages": found})
    return 0


@message.command()
@click.argument("username")
@click.argument("message_id", metavar="ID", type=int)
@json_option
@click.pass_obj
def show(output: Output, username: str, message_id: int) -> int:
    """The message ID of USERNAME, whole."""
    with opened_for_reading(output) as (_, connection):
        user = users.get_user(connection, username)
        found = messages.get(connection, user.id, message_id)
    output.answer(found["text"], found)
    return 0


@message.command()
@click.argument("username")
@click.argument("message_id", metavar="ID", type=int)
@json_option
@click.pass_obj
def delete(output: Output, username: str, message_id: int) -> int:
    """Delete the message ID of USERNAME for good."""
    with opened_for_writing(output) as (_, connection):
        user = users.get_user(connection, username)
        messages.remove(connection, user.id, message_id, clock.now())
    output.answer(f"The message {message_id} of {username} is gone.", {"id": message_id})
    return 0
