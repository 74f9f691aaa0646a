"""Shared options. Which options do several commands share?"""

from __future__ import annotations

import sys

import click

from app.cli.output import Output


def _answer_in_json(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    output = context.find_object(Output)
    if output is not None:
        output.json = output.json or wanted


json_option = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    is_eager=True,  # so that a fault in the other words is answered in JSON as well
    callback=_answer_in_json,
    help="Answer with JSON, for programs.",
)

all_option = click.option(
    "--all", "everything", is_flag=True, help="List every line: many alike ones are not folded into a count."
)

yes_option = click.option("--yes", is_flag=True, help="Do not ask. Without a terminal nothing is ever asked.")

passphrase_option = click.option(
    "--passphrase-stdin",
    is_flag=True,
    help="Read the passphrase of the never-list's words from the first line of stdin.",
)


def passphrase_from(is_given: bool) -> str | None:
    """Return the passphrase on stdin, None where none is given."""
    return sys.stdin.readline().rstrip("\r\n") if is_given else None
