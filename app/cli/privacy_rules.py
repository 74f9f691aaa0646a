"""What does ``daemon privacy rules`` do? Rules that hide are listed, made, switched and taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app.accounts import users
from app.cli.command_context import opened_for_reading, opened_for_writing
from app.cli.options import json_option
from app.cli.output import Output
from app.entries import everyones_rules, privacy_rules
from app.entries.privacy_rules import OWN, RuleView, WantedRule
from app.errors import UsageError
from app.privacy.levels import NAMES

if TYPE_CHECKING:
    from sqlalchemy import Connection

COLUMNS = ("id", "of", "kind", "path", "field name", "pattern", "level", "does")
PAGE = 200
Level = click.Choice(NAMES)


@click.group()
def rules() -> None:
    """What rules hide. A person's own have ids such as own:contact.phone, the installation's have numbers.

    \b
    daemon privacy rules list ann
    daemon privacy rules list --all     the installation's, and everyone's own
    daemon privacy rules add ann contact.website --redact
    daemon privacy rules install --kind resume --field-name salary
    daemon privacy rules change 3 --off
    daemon privacy rules remove own:contact.website ann
    """


@rules.command(name="list")
@click.argument("username", required=False)
@click.option("--all", "is_all", is_flag=True, help="The installation's, and everyone's own.")
@json_option
@click.pass_obj
def list_command(output: Output, username: str | None, is_all: bool) -> int:
    """The rules of the installation; with USERNAME, that person's own."""
    if is_all and username is not None:
        raise UsageError("--all is everyone's.", hint=f"daemon privacy rules list {username}")
    with opened_for_reading(output) as (_, connection):
        if is_all:
            found = _all_rules(connection)
        elif username is None:
            found = privacy_rules.installation_rules(connection)
        else:
            found = privacy_rules.own_rules(connection, users.get_user(connection, username).id)
    if is_all:
        rows = ((each["owner"] or "-", *_row(each), each["made_by"] or "-") for each in found)
        output.table(("whose", *COLUMNS, "made by"), rows, {"rules": found})
    else:
        output.table(COLUMNS, map(_row, found), {"rules": found})
    return 0


@rules.command()
@click.argument("username")
@click.argument("path")
@click.option("--redact", is_flag=True, help="Put [REDACTED] there, instead of nothing.")
@json_option
@click.pass_obj
def add(output: Output, username: str, path: str, redact: bool) -> int:
    """Hide PATH (contact.phone, experience.company) of every entry of USERNAME."""
    with opened_for_writing(output) as (_, connection):
        user = users.get_user(connection, username)
        made = privacy_rules.add_own_rule(connection, user.id, path, "redact" if redact else "hide")
    output.answer(f"From the next request on: {path} of {username} is {_does(made)}.", made)
    return 0


@rules.command()
@click.option("--kind", default="*", help="Of this kind only.")
@click.option("--path", default="*", help="The place, as contact.phone.")
@click.option("--field-name", help="Every field whose name has these words.")
@click.option("--pattern", help="Whatever part of a text this regular expression finds.")
@click.option("--level", "privacy_level", type=Level, help="At this level and those not strictly more open.")
@json_option
@click.pass_obj
def install(output: Output, /, **said: Any) -> int:
    """Make a rule of the installation: for everyone who lives here."""
    with opened_for_writing(output) as (_, connection):
        made = privacy_rules.add_installation_rule(connection, WantedRule(**said))
    output.answer(f"Rule {made['id']} holds from the next request on.", made)
    return 0


@rules.command()
@click.argument("rule_id", metavar="ID", type=click.IntRange(1))
@click.option("--on/--off", "is_active", default=None, required=True, help="Whether it holds.")
@json_option
@click.pass_obj
def change(output: Output, rule_id: int, is_active: bool) -> int:
    """Switch the installation's rule ID on or off."""
    with opened_for_writing(output) as (_, connection):
        changed = privacy_rules.change_installation_rule(connection, rule_id, {"is_active": is_active})
    output.answer(f"Rule {rule_id} is {'on' if is_active else 'off'}.", changed)
    return 0


@rules.command()
@click.argument("rule_id", metavar="ID")
@click.argument("username", required=False)
@json_option
@click.pass_obj
def remove(output: Output, rule_id: str, username: str | None) -> int:
    """Take the rule ID away: what it hid is shown again. For a person's own (own:PATH), say whose."""
    with opened_for_writing(output) as (_, connection):
        _remove(connection, rule_id, username)
    output.answer(f"There is no rule {rule_id} any more.", {"id": rule_id})
    return 0


def _all_rules(connection: Connection) -> list[RuleView]:
    found, following = everyones_rules.page_of_all(connection, None, PAGE)
    while following is not None:
        more, following = everyones_rules.page_of_all(connection, following, PAGE)
        found += more
    return found


def _remove(connection: Connection, rule_id: str, username: str | None) -> None:
    whose, colon, path = rule_id.partition(":")
    if whose == OWN and colon:
        if username is None:
            raise UsageError("Whose rule is that?", hint=f"daemon privacy rules remove {rule_id} USERNAME")
        privacy_rules.remove_own_rule(connection, users.get_user(connection, username).id, path)
    elif rule_id.isascii() and rule_id.isdigit():
        privacy_rules.remove_installation_rule(connection, int(rule_id))
    else:
        raise privacy_rules.no_such_rule()


def _row(rule: RuleView) -> tuple[object, ...]:
    names = ("id", "of", "kind", "path", "field_name", "pattern", "privacy_level")
    return (*(rule.get(name) for name in names), _does(rule))


def _does(rule: RuleView) -> str:
    if rule["of"] == OWN:
        return "redacted" if rule["action"] == "redact" else "hidden"
    return "hidden" if rule["is_active"] else "nothing (off)"
