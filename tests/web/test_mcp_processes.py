"""Do programs get in as they really are: by a command's standard input, from here and through to a server?"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from app.mcp import clients
from app.settings import Settings
from tests.conftest import ROOT
from tests.web.conftest import PASSWORD, Server, environment

pytestmark = pytest.mark.only_on("sqlite")
ERAS = ("legacy", "auto")
SHOWN = "I build clocks."


@pytest.fixture
def server(start_server: Callable[..., Server], settings: Settings) -> Server:
    """A server whose admin is ann, with one public entry."""
    made = start_server(settings)
    made.wait_for("/health", 200)
    entry = {"content": SHOWN, "meta": {"visibility": "public"}}
    register(made, settings)
    token = _log_in(made)
    written = made.ask(
        "/api/v1/about", method="POST", body=entry, headers={"Authorization": f"Bearer {token}"}
    )
    assert written[0] == 201
    return made


def register(server: Server, settings: Settings) -> None:
    token = settings.claim_path.read_text().strip()
    body = {"username": "ann", "email": "ann@example.org", "password": PASSWORD, "claim_token": token}
    assert server.ask("/auth/register", method="POST", body=body)[0] == 201


def _log_in(server: Server) -> str:
    from tests.web.test_generated_requests import log_in

    return log_in(server)


def typed(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.cli", *arguments]
    return subprocess.run(
        command, env=environment(settings), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


async def who_is(settings: Settings, mode: str, *arguments: str) -> str:
    started = StdioServerParameters(
        command=sys.executable,
        args=["-m", "app.cli", "mcp", *arguments],
        env=environment(settings),
        cwd=str(ROOT),
    )
    async with Client(started, mode=mode) as client:
        found = await client.call_tool("who_is", {})
        return str(found.structured_content["items"][0]["written"]["content"])


@pytest.mark.parametrize("mode", ERAS)
def test_a_command_answers_beside_the_server_and_through_to_it(
    server: Server, settings: Settings, mode: str
) -> None:
    assert asyncio.run(who_is(settings, mode)) == SHOWN
    assert asyncio.run(who_is(settings, mode, "--url", f"http://127.0.0.1:{server.port}/mcp")) == SHOWN


def test_the_doctor_tries_each_way_in(server: Server, settings: Settings) -> None:
    done = typed(settings, "mcp", "doctor", f"http://127.0.0.1:{server.port}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("works") == 8
    server.stop()
    done = typed(settings, "mcp", "doctor", f"http://127.0.0.1:{server.port}", "--json")
    assert done.returncode == 10
    assert not any(each["is_right"] for each in json.loads(done.stdout)["findings"])


def test_an_installation_that_no_one_has_claimed_prints_no_token_to_a_program(settings: Settings) -> None:
    done = typed(settings, "mcp")
    assert done.returncode == 15
    assert done.stdout == ""
    assert "claimed" in done.stderr


def test_a_server_that_is_not_there_is_said_in_the_protocol(settings: Settings) -> None:
    asked = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/list"})
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "mcp", "--url", "http://127.0.0.1:1/mcp"],
        input=f"{asked}\nno JSON\n",
        env=environment(settings),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["id"], each["error"]["code"]) for each in answers] == [(7, -32000), (None, -32700)]


@pytest.mark.parametrize("client", sorted(clients.CLIENTS))
@pytest.mark.parametrize("with_key", [False, True])
def test_what_a_program_needs_is_printed_without_any_key(
    settings: Settings, client: str, with_key: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--with-key"] if with_key else []
    done = typed(settings, "mcp", "config", client, "--url", "https://me.example/", *options, "--json")
    assert done.returncode == 0, done.stderr
    text = json.loads(done.stdout)["text"]
    assert "https://me.example/mcp" in text
    if client != "claude-code":
        assert isinstance(json.loads(text), dict)
    assert ("KEY" in text.upper()) == with_key


def test_claude_desktop_s_document_starts_a_command_that_is_there(server: Server, settings: Settings) -> None:
    done = typed(
        settings, "mcp", "config", "claude-desktop", "--url", f"http://127.0.0.1:{server.port}", "--json"
    )
    [started] = json.loads(json.loads(done.stdout)["text"])["mcpServers"].values()
    elsewhere = {name: value for name, value in environment(settings).items() if name != "PYTHONPATH"}
    parameters = StdioServerParameters(
        command=started["command"],
        args=started["args"],
        env={**elsewhere, **started.get("env", {})},
        cwd=str(settings.data_dir),
    )

    async def ask() -> int:
        async with Client(parameters) as client:
            return len((await client.list_tools()).tools)

    assert asyncio.run(ask()) == 6
