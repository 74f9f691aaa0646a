"""What does ``daemon link`` do? It lists, makes and revokes share links; a link's address is shown once."""

from __future__ import annotations

from datetime import timedelta

import click

from app import clock
from app.accounts import users
from app.accounts.audit import COMMAND_LINE
from app.cli.command_context import opened_for_reading, opened_for_writing
from app.cli.options import json_option
from app.cli.output import Output
from app.entries import share_links
from app.entries.share_links import MOST_VIEWS, NewLink
from app.privacy.levels import NAMES
from app.privacy.viewer import Viewer

COLUMNS = ("id", "label", "kinds", "entries", "level", "views", "expires", "over")
LONGEST_DAYS = 36500


@click.group()
def link() -> None:
    """Share links: addresses that show unlisted entries, or kinds, to whoever has them.

    \b
    daemon link create ann --entry 4711                  one entry, until the link is revoked
    daemon link create ann --kind resume --days 7 --views 20 --level professional
    daemon link revoke ann 3                             it answers as one that never was
    """


@link.command(name="list")
@click.argument("username")
@json_option
@click.pass_obj
def list_command(output: Output, username: str) -> int:
    """Every link of USERNAME, those that are over too."""
    with opened_for_reading(output) as (_, connection):
        user = users.get_user(connection, username)
        found = share_links.list_links(connection, user.id, clock.now())
    rows = [
        (
            each.id,
            each.label,
            ", ".join(each.kinds),
            ", ".join(map(str, each.entries)),
            each.level,
            each.views_count if each.views_most is None else f"{each.views_count} of {each.views_most}",
            each.expires_at,
            each.is_over,
        )
        for each in found
    ]
    output.table(COLUMNS, rows, {"links": found})
    return 0


@link.command()
@click.argument("username")
@click.option("--kind", "kinds", multiple=True, help="All of this kind that is public or unlisted.")
@click.option("--entry", "entries", multiple=True, type=int, metavar="ID", help="This entry.")
@click.option("--level", type=click.Choice(NAMES), help="What of it is shown.")
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), help="It ends after so many days.")
@click.option("--views", type=click.IntRange(1, MOST_VIEWS), help="It ends after so many answers.")
@click.option("--label", help="What it is called in the list.")
@json_option
@click.pass_obj
def create(
    output: Output,
    username: str,
    kinds: tuple[str, ...],
    entries: tuple[int, ...],
    level: str | None,
    days: int | None,
    views: int | None,
    label: str | None,
) -> int:
    """Make a link of USERNAME. Its address is shown once, and stored nowhere."""
    now = clock.now()
    ends = None if days is None else now + timedelta(days=days)
    new = NewLink(kinds, entries, level, ends, views, label)
    with opened_for_writing(output) as (_, connection):
        user = users.get_user(connection, username)
        viewer = Viewer("person", user.id, user.username)
        made, token = share_links.make(connection, viewer, new, now, COMMAND_LINE)
    address = f"/api/v1/shared/{token}"
    if not output.json:
        output.say(f"This is link {made.id} of {username}. Its address is shown this once:")
    output.answer(address, {**vars(made), "url": address})
    return 0


@link.command()
@click.argument("username")
@click.argument("link_id", metavar="ID", type=int)
@json_option
@click.pass_obj
def revoke(output: Output, username: str, link_id: int) -> int:
    """End the link ID of USERNAME for good."""
    with opened_for_writing(output) as (_, connection):
        user = users.get_user(connection, username)
        share_links.revoke(connection, user.id, link_id, clock.now(), COMMAND_LINE)
    output.answer(f"Link {link_id} of {username} shows nothing any more.", {"id": link_id})
    return 0
