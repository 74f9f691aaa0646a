"""Configuration of MCP clients. What has to be written where, so that a program knows this server?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

KEY = "DAEMON_API_KEY"
NAME = "daemon"


@dataclass(frozen=True)
class Instructions:
    """Where something is to be written, and what: a JSON document, or a command to type."""

    where: str
    text: str


@dataclass(frozen=True)
class Command:
    """What starts `daemon` on this machine, from whichever folder, with these variables besides."""

    words: tuple[str, ...]
    variables: Mapping[str, str]


def instructions(client: str, url: str, command: Command, *, with_key: bool) -> Instructions:
    """Return what a client of CLIENTS needs for the server whose /mcp is at ``url``.

    ``command`` is for a client that only starts commands. A key is never in the text: it is named as a
    variable of the environment, or asked for.
    """
    return CLIENTS[client](url, command, with_key)


def _claude_code(url: str, _command: Command, with_key: bool) -> Instructions:
    header = f' --header "X-API-Key: ${KEY}"' if with_key else ""
    return Instructions("a terminal", f"claude mcp add --transport http {NAME} {url}{header}")


def _claude_desktop(url: str, command: Command, with_key: bool) -> Instructions:
    program, *words = command.words
    server: dict[str, Any] = {"command": program, "args": [*words, "mcp", "--url", url]}
    variables = {**command.variables, **({KEY: "the key"} if with_key else {})}
    if variables:
        server["env"] = variables
    return _document(
        "claude_desktop_config.json (Settings, Developer, Edit Config)", {"mcpServers": {NAME: server}}
    )


def _cursor(url: str, _command: Command, with_key: bool) -> Instructions:
    server: dict[str, Any] = {"url": url}
    if with_key:
        server["headers"] = {"X-API-Key": f"${{env:{KEY}}}"}
    return _document("~/.cursor/mcp.json", {"mcpServers": {NAME: server}})


def _vs_code(url: str, _command: Command, with_key: bool) -> Instructions:
    server: dict[str, Any] = {"type": "http", "url": url}
    document: dict[str, Any] = {"servers": {NAME: server}}
    if with_key:
        server["headers"] = {"X-API-Key": "${input:daemon-key}"}
        asked = {
            "type": "promptString",
            "id": "daemon-key",
            "description": "API key of Daemon",
            "password": True,
        }
        document["inputs"] = [asked]
    return _document(".vscode/mcp.json", document)


def _document(where: str, value: Mapping[str, Any]) -> Instructions:
    return Instructions(where, json.dumps(value, indent=2))


CLIENTS: Mapping[str, Callable[[str, Command, bool], Instructions]] = {
    "claude-code": _claude_code,
    "claude-desktop": _claude_desktop,
    "cursor": _cursor,
    "vs-code": _vs_code,
}
