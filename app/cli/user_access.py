"""What does ``daemon user`` do about coming in? Invitations, links to another password, second factors."""

from __future__ import annotations

import click

from app import clock
from app.accounts import one_time_links, second_factor, users
from app.accounts.one_time_links import INVITATION_DAYS, LONGEST_DAYS
from app.accounts.users import Role
from app.cli.command_context import opened_for_reading, opened_for_writing
from app.cli.options import json_option
from app.cli.output import Output

COLUMNS = ("id", "role", "label", "made", "ends")


@click.command()
@click.option("--role", type=click.Choice(users.ROLES), default="member", help="What the person will be.")
@click.option(
    "--days", type=click.IntRange(1, LONGEST_DAYS), default=INVITATION_DAYS, help="How long it holds."
)
@click.option("--label", help="Whom it is for, to be known again in the list.")
@json_option
@click.pass_obj
def invite(output: Output, role: Role, days: int, label: str | None) -> int:
    """Invite someone: makes a token of one use, which is shown once, and stored nowhere."""
    with opened_for_writing(output) as (_, connection):
        made, text = one_time_links.invite(connection, role, days, label, clock.now())
    if not output.json:
        output.say(f"Invitation {made.id}, as {role}, until {made.expires_at}. POST /auth/register takes, as")
        output.say("invitation, what is shown this once:")
    output.answer(text, {**vars(made), "token": text})
    return 0


@click.command()
@json_option
@click.pass_obj
def invitations(output: Output) -> int:
    """The invitations that have not been used and are not over."""
    with opened_for_reading(output) as (_, connection):
        found = one_time_links.list_invitations(connection, clock.now())
    rows = [(each.id, each.role, each.label, each.created_at, each.expires_at) for each in found]
    output.table(COLUMNS, rows, {"invitations": found})
    return 0


@click.command()
@click.argument("invitation_id", metavar="ID", type=int)
@json_option
@click.pass_obj
def uninvite(output: Output, invitation_id: int) -> int:
    """End the invitation ID."""
    with opened_for_writing(output) as (_, connection):
        found = one_time_links.get_invitation(connection, invitation_id)
        one_time_links.withdraw(connection, found, clock.now())
    output.answer(f"The invitation {invitation_id} opens nothing any more.", found)
    return 0


@click.command(name="password-link")
@click.argument("username")
@json_option
@click.pass_obj
def password_link(output: Output, username: str) -> int:
    """Make a token of one use with which USERNAME chooses another password. It is shown once."""
    with opened_for_writing(output) as (_, connection):
        found = users.get_user(connection, username)
        made, text = one_time_links.offer_password(connection, found, clock.now())
    if not output.json:
        output.say(
            f"For {found.username}, until {made.expires_at}. POST /auth/password/reset takes, as token,"
        )
        output.say("what is shown this once:")
    output.answer(text, {"username": found.username, "expires_at": made.expires_at, "token": text})
    return 0


@click.command(name="second-factor")
@click.argument("username")
@click.option("--off", is_flag=True, help="Ask USERNAME for the password alone, who has lost it.")
@json_option
@click.pass_obj
def second_factor_command(output: Output, username: str, off: bool) -> int:
    """Whether a login of USERNAME needs a code, and turning that off."""
    if off:
        with opened_for_writing(output) as (_, connection):
            second_factor.turn_off(connection, users.get_user(connection, username), clock.now())
    with opened_for_reading(output) as (_, connection):
        found = users.get_user(connection, username)
        state = second_factor.state_of(connection, found.id)
    how = (
        f"needs a code; recovery codes left: {state.recovery_codes_left}" if state.is_on else "needs no code"
    )
    output.answer(f"A login of {found.username} {how}.", state)
    return 0


COMMANDS = (invite, invitations, uninvite, password_link, second_factor_command)
