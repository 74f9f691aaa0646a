"""What does ``daemon mcp`` do? It answers an assistant on standard input, and helps others to connect.

The assistants' door is another door than this one: it is started by its name.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

import app
from app.accounts import claim
from app.cli.command_context import opened_for_reading, settings_for_doing
from app.cli.options import json_option
from app.cli.output import Output
from app.cli.start import loaded
from app.errors import Refused, UsageError
from app.settings import load_settings

CLIENTS = ("claude-code", "claude-desktop", "cursor", "vs-code")
KEY = "DAEMON_API_KEY"


@click.group(invoke_without_command=True)
@click.option("--url", help="Answer with what the server at this address says, instead of what is here.")
@click.option("--key-file", type=click.Path(path_type=Path), help=f"A file with an API key (or: {KEY}).")
@click.pass_context
def mcp(context: click.Context, url: str | None, key_file: Path | None) -> int:
    """The assistants' door (Model Context Protocol). Alone: answer one on standard input and output.

    \b
    daemon mcp config claude-code        what a program needs to know of this server
    daemon mcp doctor https://me.example does each kind of client get in there?
    daemon mcp                           answer about this installation, for a program that starts commands
    daemon mcp --url https://me.example/mcp
    """
    if context.invoked_subcommand is not None:
        return 0
    key = _key_in(key_file)
    if url is not None:
        for line in loaded("app.mcp.bridge:Bridge")(url, key).answers(iter(sys.stdin.readline, "")):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        return 0
    with opened_for_reading(context.obj) as (_, connection):
        is_claimed = claim.is_claimed(connection)
    if not is_claimed:
        raise Refused(
            "No one has claimed this installation yet: there is nothing to be answered about.",
            hint="daemon user create NAME --admin",
        )
    loaded("app.mcp.stdio:serve_here")(settings_for_doing(context.obj), key)
    return 0


@mcp.command()
@click.argument("client", type=click.Choice(CLIENTS))
@click.option("--url", help="The server's address (default: that of this machine).")
@click.option("--with-key", is_flag=True, help="For a key of yours, which is then more than anyone may read.")
@json_option
@click.pass_obj
def config(output: Output, client: str, url: str | None, with_key: bool) -> int:
    """Print what CLIENT needs, and where it is written."""
    address = _address(url or f"http://127.0.0.1:{load_settings().port}")
    found = loaded("app.mcp.clients:instructions")(client, address, _command(), with_key=with_key)
    data = {"client": client, "where": found.where, "text": found.text}
    output.answer(f"In {found.where}:\n\n{found.text}", data)
    return 0


@mcp.command()
@click.argument("url")
@click.option("--key-file", type=click.Path(path_type=Path), help=f"A file with an API key (or: {KEY}).")
@json_option
@click.pass_obj
def doctor(output: Output, url: str, key_file: Path | None) -> int:
    """Try each way in of the server at URL, as clients of both eras of the protocol do. Reads only."""
    found = list(loaded("app.mcp.probe:probe")(_address(url), _key_in(key_file)))
    rows = [("works" if each.is_right else "FAILS", each.tried, each.seen) for each in found]
    data = {"findings": [vars(each) for each in found]}
    output.table(("", "tried", "seen"), rows, data)
    return 0 if all(each.is_right for each in found) else 10


def _address(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"{url} is no address of a server.", hint="It begins with http:// or https://")
    return f"{url.rstrip('/').removesuffix('/mcp')}/mcp"


def _command() -> Any:
    """What starts this program from any folder: its script where it is installed, else this checkout."""
    made = loaded("app.mcp.clients:Command")
    beside = Path(sys.executable).with_name("daemon")
    if beside.exists():
        return made((str(beside),), {})
    return made((sys.executable, "-m", "app.cli"), {"PYTHONPATH": str(Path(app.__file__).parents[1])})


def _key_in(path: Path | None) -> str | None:
    if path is None:
        return os.environ.get(KEY) or None
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The key in {path} cannot be read: {error}.", hint="daemon key create") from error
