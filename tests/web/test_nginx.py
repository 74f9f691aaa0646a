"""What can a stranger do through a real nginx with its defaults, before the claim? Nothing that shows."""

from __future__ import annotations

import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.mcp.probe import probe
from app.settings import Settings
from tests.conftest import find_tool
from tests.web.conftest import PASSWORD, Server, free_port, wait_until

IDEAS = "/api/v1/ideas"
pytestmark = pytest.mark.needs("nginx")

CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{older};
        location / {{ proxy_pass http://127.0.0.1:{port}; }}
    }}
    server {{
        listen 127.0.0.1:{newer};
        location / {{
            proxy_pass http://127.0.0.1:{port};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"""


class Proxied:
    """A server, and its two addresses at an nginx: as released until 2025, and with its newer defaults."""

    def __init__(self, server: Server, older: int, newer: int) -> None:
        self.server = server
        self.older = Server(server.folder, older, server.process)
        self.newer = Server(server.folder, newer, server.process)


@pytest.fixture
def proxied(settings: Settings, start_server: Callable[..., Server], tmp_path: Path) -> Iterator[Proxied]:
    """An unclaimed installation behind an nginx on the same machine."""
    older, newer = free_port(), free_port()
    server = start_server(settings, PUBLIC_URL=f"http://me.example:{older}")
    server.wait_for("/health", 200)
    folder = tmp_path / "nginx"
    folder.mkdir()
    text = CONFIGURATION.format(folder=folder, port=server.port, older=older, newer=newer)
    (folder / "nginx.conf").write_text(text)
    command = [
        str(find_tool("nginx")),
        "-p",
        f"{folder}",
        "-c",
        f"{folder}/nginx.conf",
        "-e",
        f"{folder}/error.log",
    ]
    nginx = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        made = Proxied(server, older, newer)
        for each in (made.older, made.newer):
            each.wait_for("/health/live", 200)
        yield made
    finally:
        nginx.terminate()
        nginx.wait(20)


def test_nginx_of_the_older_default_leads_to_a_closed_door(proxied: Proxied) -> None:
    made = proxied.server.ask(IDEAS, method="POST", body={"content": "written at home"})
    assert made[0] == 201
    refused = proxied.older.ask(IDEAS, method="POST", body={"content": "from anywhere"})
    assert refused[0] == 401
    assert proxied.older.ask(IDEAS)[1]["items"] == []
    assert proxied.older.ask(f"{IDEAS}/{made[1]['id']}")[0] == 404
    assert [each["content"] for each in proxied.server.ask(IDEAS)[1]["items"]] == ["written at home"]


def test_what_comes_in_through_the_newer_default_shows_nowhere_until_the_owner_publishes_it(
    proxied: Proxied, settings: Settings
) -> None:
    made = proxied.newer.ask(IDEAS, method="POST", body={"content": "spam", "meta": {"visibility": "public"}})
    assert made[0] == 201  # nothing tells it from a request that was typed here
    token = settings.claim_path.read_text().strip()
    body = {"username": "ann", "email": "a@example.org", "password": PASSWORD, "claim_token": token}
    assert proxied.server.ask("/auth/register", method="POST", body=body)[0] == 201
    for door in (proxied.server, proxied.older, proxied.newer):
        assert door.ask(IDEAS)[1]["items"] == []
        assert door.ask(f"{IDEAS}/users/ann")[0] == 404  # as for someone who is not there
        assert door.ask(f"{IDEAS}/{made[1]['id']}")[0] == 404
        assert door.ask(IDEAS, method="POST", body={"content": "more"})[0] == 401
    headers = log_in(proxied.server)
    waiting = proxied.server.ask("/api/v1/claim/review", headers=headers)[1]["items"]
    assert [(each["kind"], each["publishes_as"]) for each in waiting] == [("ideas", "public")]
    published = proxied.server.ask(
        "/api/v1/claim/review", method="POST", body={"publish": "all"}, headers=headers
    )
    assert published[0] == 200
    assert [each["content"] for each in proxied.older.ask(IDEAS)[1]["items"]] == ["spam"]


def test_assistants_get_in_by_the_name_that_people_know(
    proxied: Proxied, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through both: with nginx's own Host, which is the server's behind it, as with the name's."""
    look_up = socket.getaddrinfo

    def is_here(host: object, *more: object, **named: object) -> object:
        return look_up("127.0.0.1" if host == "me.example" else host, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", is_here)
    for port in (proxied.older.port, proxied.newer.port):
        found = list(probe(f"http://me.example:{port}", None))
        assert [(each.tried, each.seen) for each in found if not each.is_right] == []
    known = f"http://me.example:{proxied.older.port}"
    asked = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}'
    form = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}

    def asked_by_a_page_of(origin: str) -> int:
        request = urllib.request.Request(f"{known}/mcp", asked, {"Origin": origin, **form})
        try:
            with urllib.request.urlopen(request) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    origins = (known, "http://me.example", "http://evil.example")
    assert [asked_by_a_page_of(each) for each in origins] == [200, 403, 403]


def log_in(server: Server) -> dict[str, str]:
    data = f"username=ann&password={PASSWORD.replace(' ', '+')}".encode()

    def ask() -> str | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/auth/login", data) as answer:
                return str(answer.read().decode().split('"')[3])
        except urllib.error.HTTPError:
            return None

    return {"Authorization": f"Bearer {wait_until(ask, 'no one could log in')}"}
