"""What does ``daemon claim`` do? What came in before the first account is listed, published or deleted."""

from __future__ import annotations

import click

from app.cli.command_context import opened_for_reading, opened_for_writing
from app.cli.options import json_option
from app.cli.output import Output
from app.entries import review
from app.errors import UsageError
from app.privacy.viewer import Viewer

COLUMNS = ("id", "kind", "received", "bytes", "would be", "begins with")
SHOWN_CHARACTERS = 60
OPERATOR = Viewer("admin")  # anyone who types here may open the database itself


@click.group()
def claim() -> None:
    """What was written before this installation had an account.

    \b
    daemon claim review                  what waits; all of it is private until then
    daemon claim review --publish 3 4    shows these as they were meant to be shown
    """


@claim.command(name="review")
@click.option(
    "--publish", type=int, multiple=True, metavar="ID...", help="Publish these, as they were meant."
)
@click.option("--all", "publish_all", is_flag=True, help="Publish everything that waits.")
@click.option("--delete", type=int, multiple=True, metavar="ID...", help="Delete these.")
@click.argument("more_ids", type=int, nargs=-1, metavar="")
@json_option
@click.pass_obj
def review_command(
    output: Output,
    publish: tuple[int, ...],
    publish_all: bool,
    delete: tuple[int, ...],
    more_ids: tuple[int, ...],
) -> int:
    """List what came in through the open local door before the claim, or decide about it.

    It is the first account's, and private. Publishing gives an entry the visibility that it was written with,
    or else its kind's default.
    """
    if sum(map(bool, (publish, publish_all, delete))) > 1 or (more_ids and not (publish or delete)):
        raise UsageError("Say one of --publish ID..., --all and --delete ID...", hint="daemon claim review")
    if delete:
        _delete(output, delete + more_ids)
    elif publish or publish_all:
        _publish(output, None if publish_all else publish + more_ids)
    else:
        _list(output)
    return 0


def _list(output: Output) -> None:
    with opened_for_reading(output) as (_, connection):
        found = review.waiting(connection, OPERATOR)
    if not found:
        output.say("Nothing waits for a review.")
    rows = [
        (
            each["id"],
            each["kind"],
            each["received_at"],
            each["size_bytes"],
            each["publishes_as"],
            each["excerpt"][:SHOWN_CHARACTERS],
        )
        for each in found
    ]
    output.table(COLUMNS, rows, {"items": found, "next": None})
    if found:
        output.say("Publish or delete: daemon claim review --publish ID... | --all | --delete ID...")


def _publish(output: Output, entry_ids: tuple[int, ...] | None) -> None:
    with opened_for_writing(output) as (_, connection):
        done = review.publish(connection, OPERATOR, entry_ids)
    lines = [f"Entry {each['id']} ({each['kind']}) is {each['publishes_as']} now." for each in done]
    output.answer("\n".join(lines) or "Nothing waits for a review.", {"published": done, "deleted": []})


def _delete(output: Output, entry_ids: tuple[int, ...]) -> None:
    with opened_for_writing(output) as (_, connection):
        done = review.delete(connection, OPERATOR, entry_ids)
    output.answer(f"Deleted: {', '.join(map(str, done))}.", {"published": [], "deleted": done})
