"""What does ``daemon privacy never-list`` do? It puts words that must never leave on a list, and off it."""

from __future__ import annotations

import getpass
import sys

import click

from app.accounts import users
from app.cli.command_context import opened_for_reading, opened_for_writing
from app.cli.options import json_option
from app.cli.output import Output
from app.entries import never_words as words
from app.errors import UsageError
from app.privacy.levels import NAMES

COLUMNS = ("id", "letters", "shown up to", "made")


@click.group()
def never_list() -> None:
    """Words that must never leave: a child's name, a street. They are kept as keyed hashes, and not shown.

    \b
    daemon privacy never-list add ann        asks for the word, without showing it
    daemon privacy never-list list ann
    daemon privacy never-list remove ann 3
    """


@never_list.command(name="list")
@click.argument("username")
@json_option
@click.pass_obj
def list_command(output: Output, username: str) -> int:
    """The words of USERNAME, by id and length."""
    with opened_for_reading(output) as (_, connection):
        found = words.words_of(connection, users.get_user(connection, username).id)
    rows = [
        (each["id"], each["length"], each["privacy_level"] or "no level", each["created_at"])
        for each in found
    ]
    output.table(COLUMNS, rows, {"words": found})
    return 0


@never_list.command()
@click.argument("username")
@click.option("--level", "privacy_level", type=click.Choice(NAMES), help="The widest level that may show it.")
@click.option("--word-stdin", is_flag=True, help="Read the word from the first line of stdin.")
@json_option
@click.pass_obj
def add(output: Output, username: str, privacy_level: str | None, word_stdin: bool) -> int:
    """Put a word on the list of USERNAME. It is asked for: what is typed as an argument is written down."""
    word = _asked_for(word_stdin)
    with opened_for_writing(output) as (_, connection):
        user = users.get_user(connection, username)
        made = words.add_word(connection, user.id, word, privacy_level)
    output.answer(f"Word {made['id']} of {username} is hidden from the next request on.", made)
    return 0


@never_list.command()
@click.argument("username")
@click.argument("word_id", metavar="ID", type=click.IntRange(1))
@json_option
@click.pass_obj
def remove(output: Output, username: str, word_id: int) -> int:
    """Take the word ID off the list of USERNAME; where it stands in texts, it is shown again."""
    with opened_for_writing(output) as (_, connection):
        words.remove_word(connection, users.get_user(connection, username).id, word_id)
    output.answer(f"Word {word_id} of {username} is on the list no more.", {"id": word_id})
    return 0


def _asked_for(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        hint = "Give it on the first line of stdin, with --word-stdin."
        raise UsageError("There is no terminal to ask for the word.", hint=hint)
    return getpass.getpass("Word: ")
