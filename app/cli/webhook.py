"""What does ``daemon webhook`` do? It lists, makes and removes webhooks; a secret is shown once."""

from __future__ import annotations

import click

from app import clock
from app.accounts import users
from app.accounts.audit import COMMAND_LINE
from app.accounts.secret import signing_secret
from app.cli.command_context import opened_for_reading, opened_for_writing
from app.cli.options import json_option
from app.cli.output import Output
from app.entries import webhooks
from app.entries.webhook_events import EVENTS
from app.entries.webhooks import NewHook

COLUMNS = ("id", "url", "events", "kinds", "on", "off because", "failed tries")


@click.group()
def webhook() -> None:
    """Webhooks: addresses that are told, by ids and kinds, of what happens to someone's entries.

    \b
    daemon webhook create ann https://hooks.example/in --event entry.published
    daemon webhook remove ann 4711
    """


@webhook.command(name="list")
@click.argument("username")
@json_option
@click.pass_obj
def list_command(output: Output, username: str) -> int:
    """Every webhook of USERNAME, those that are off too."""
    with opened_for_reading(output) as (_, connection):
        found = webhooks.listed(connection, users.get_user(connection, username).id)
    rows = [
        (
            each["id"],
            each["url"],
            ", ".join(each["events"] or ["every"]),
            ", ".join(each["kinds"] or ["every"]),
            each["is_active"],
            each["off_why"],
            each["failed_count"],
        )
        for each in found
    ]
    output.table(COLUMNS, rows, {"webhooks": found})
    return 0


@webhook.command()
@click.argument("username")
@click.argument("url")
@click.option("--event", "events", multiple=True, type=click.Choice(EVENTS), help="Of this only.")
@click.option("--kind", "kinds", multiple=True, help="Of entries of this kind only.")
@click.option("--label", help="What it is called in the list.")
@json_option
@click.pass_obj
def create(
    output: Output,
    username: str,
    url: str,
    events: tuple[str, ...],
    kinds: tuple[str, ...],
    label: str | None,
) -> int:
    """Have URL told of what happens to entries of USERNAME. Its secret is shown once."""
    with opened_for_writing(output) as (settings, connection):
        user = users.get_user(connection, username)
        checked = webhooks.checked_url(url, allows_loopback=settings.webhooks_to_loopback)
        new = NewHook(checked, events or None, kinds or None, label)
        secret = signing_secret(settings)
        made, told = webhooks.make(connection, secret, user.id, new, clock.now(), COMMAND_LINE)
    if not output.json:
        output.say(f"This is webhook {made['id']} of {username}. Its secret is shown this once:")
    output.answer(told, {**made, "secret": told})
    return 0


@webhook.command()
@click.argument("username")
@click.argument("webhook_id", metavar="ID", type=int)
@json_option
@click.pass_obj
def remove(output: Output, username: str, webhook_id: int) -> int:
    """Send nothing to the webhook ID of USERNAME any more."""
    with opened_for_writing(output) as (_, connection):
        user = users.get_user(connection, username)
        webhooks.remove(connection, user.id, webhook_id, clock.now(), COMMAND_LINE)
    output.answer(f"The webhook {webhook_id} of {username} is removed.", {"id": webhook_id})
    return 0
