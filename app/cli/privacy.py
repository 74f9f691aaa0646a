"""What does ``daemon privacy`` do? It shows and steers what people show; changes hold at the next request."""

from __future__ import annotations

from typing import Any

import click

from app.accounts import users
from app.cli.command_context import opened_for_reading, opened_for_writing
from app.cli.lazy import LazyGroup, Place
from app.cli.options import json_option
from app.cli.output import Output
from app.entries import privacy_settings
from app.errors import UsageError

WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
NONE = "none"

PLACES = {
    "settings": Place("app.cli.privacy:settings_command", "What a person shows, and changing it."),
    "rules": Place("app.cli.privacy_rules:rules", "What rules hide: a person's own, the installation's."),
    "never-list": Place("app.cli.privacy_words:never_list", "Words that must never leave."),
    "findings": Place("app.cli.privacy_findings:findings", "What was found in texts, and releasing it."),
    "preview": Place("app.cli.privacy_views:preview_command", "What each audience is answered."),
    "audience": Place("app.cli.privacy_views:audience_command", "How much each level shows, by kind."),
    "explain": Place("app.cli.privacy_views:explain_command", "Why each field is shown or hidden."),
    "selftest": Place("app.cli.privacy_selftest:selftest_command", "Does anything hidden leave by a door?"),
}


@click.command(cls=LazyGroup, places=PLACES)
def privacy() -> None:
    """What strangers see of people here, and steering it.

    \b
    daemon privacy settings ann                        what ann shows
    daemon privacy settings ann show_location=no       hides her places, from the next request on
    daemon privacy rules add ann contact.website       hides one field of hers
    """


@click.command(name="settings")
@click.argument("username")
@click.argument("changes", nargs=-1, metavar="[NAME=VALUE]...")
@json_option
@click.pass_obj
def settings_command(output: Output, username: str, changes: tuple[str, ...]) -> int:
    """Show the settings of USERNAME, or change some of them.

    A switch takes yes or no. privacy_level and preferred_contact take a word, or none. What is stored oddly
    counts as the strictest.
    """
    patch = dict(_change(each) for each in changes)
    if patch:
        with opened_for_writing(output) as (_, connection):
            user = users.get_user(connection, username)
            found = privacy_settings.change_settings(connection, user.id, patch)
    else:
        with opened_for_reading(output) as (_, connection):
            user = users.get_user(connection, username)
            found = privacy_settings.settings_view(connection, user.id)
    rows = [(name, _word(found[name])) for name in privacy_settings.CHANGEABLE]
    output.table(("setting", "is"), rows, found)
    if found["unreadable"]:
        output.warn(f"Stored so oddly that it counts as the strictest: {', '.join(found['unreadable'])}.")
    return 0


def _change(typed: str) -> tuple[str, Any]:
    name, equals, word = typed.partition("=")
    if not equals or name not in privacy_settings.CHANGEABLE or name == "custom_privacy_rules":
        known = [each for each in privacy_settings.CHANGEABLE if each != "custom_privacy_rules"]
        raise UsageError(
            f"{typed!r} is no change of a setting.",
            hint=f"NAME=VALUE, of {', '.join(known)}; for rules: daemon privacy rules --help",
        )
    if name in privacy_settings.SWITCHES:
        if word.lower() not in WORDS:
            raise UsageError(f"{name} is yes or no.", hint=f"daemon privacy settings USERNAME {name}=no")
        return name, WORDS[word.lower()]
    return name, None if word.lower() == NONE else word


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{path}: {action}" for path, action in value.items()) or NONE
    return NONE if value is None else str(value)
