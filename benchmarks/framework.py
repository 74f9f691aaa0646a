"""What does FastAPI cost a request, beside Starlette alone with the same functions behind it?

python benchmarks/framework.py [--rounds N]

Both are asked in this process, by turns, below the middleware that is the same for both: an owner's list of
20 (owners' answers are not kept), one entry, a new entry, and a PATCH whose body is a model. What a stranger
asks a second time reaches neither. At the end, what the imports take.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from measure import TOP, python
from pydantic import BaseModel, ConfigDict
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

sys.path.insert(0, str(TOP))

from app import clock
from app.accounts import claim, tokens
from app.accounts.users import NewUser
from app.server.state import ServerState
from app.settings import Settings
from app.upgrade.operations.init import initialise
from app.web import entry_lists, entry_writes
from app.web.app import WebApp, create_app
from app.web.deps import body_of_account, body_of_writer
from app.web.json_bodies import ModelBody
from app.web.middleware import OuterMiddleware
from app.web.models.keys import ChangedKey
from app.web.routes import entries, keys

REQUESTS = 50  # a turn
ENTRY = {"content": "# An idea\n" + "x" * 400, "meta": {"title": "An idea"}}
IMPORTS = {
    "Starlette and Pydantic": "import pydantic, starlette.applications, starlette.routing",
    "FastAPI": "import fastapi",
    "the whole web door": "import app.web.app",
}
IMPORT = """
import time
began = time.process_time()
{}
seconds = time.process_time() - began
size = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS"))
print(seconds, int(size) / 1024)
"""

App = Callable[[Any, Any, Any], Awaitable[None]]
Asked = tuple[str, str, object]


class ListQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    limit: int = 50
    cursor: str | None = None
    page: int = 1
    size: int = 50
    level: str | None = None
    privacy_level: str | None = None
    active_only: bool = True


def starlette_alone(server: ServerState) -> Starlette:
    """The same four addresses without FastAPI: query and body by Pydantic, one thread for each."""
    read_change = ModelBody(ChangedKey, body_of_account)

    async def listed(request: Request) -> Response:
        asked = ListQuery.model_validate(dict(request.query_params))
        part = await entry_lists.part_asked_for(
            request, server, asked.limit, asked.cursor, asked.page, asked.size
        )
        kind, levels = request.path_params["kind"], (asked.level, asked.privacy_level)
        return await run_in_threadpool(entries.list_entries, request, server, kind, part, None, *levels)

    async def one(request: Request) -> Response:
        asked = ListQuery.model_validate(dict(request.query_params))
        kind, number = request.path_params["kind"], request.path_params["entry_id"]
        return await run_in_threadpool(entries.get_entry, request, server, kind, number, asked.level)

    async def create(request: Request) -> Response:
        body = await body_of_writer(request, server)
        kind = request.path_params["kind"]
        return await entry_writes.create(request, server, kind, body)

    async def change(request: Request) -> Response:
        body = await read_change(request, server)
        number = request.path_params["key_id"]
        return await run_in_threadpool(keys.change_key, request, server, number, body)

    app = Starlette(
        routes=[
            Route("/auth/keys/{key_id}", change, methods=["PATCH"]),
            Route("/api/v1/{kind}", listed, methods=["GET"]),
            Route("/api/v1/{kind}/{entry_id}", one, methods=["GET"]),
            Route("/api/v1/{kind}", create, methods=["POST"]),
        ]
    )
    app.state.server = server
    app.state.addresses = app.routes
    return app


async def ask(app: App, asked: Asked, headers: list[tuple[bytes, bytes]]) -> bytes:
    """Send one request; returns the body of the answer, which must be good."""
    method, path, value = asked
    sent = b"" if value is None else json.dumps(value).encode()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("192.0.2.1", 50000),
        "server": ("daemon.example", 80),
        "state": {},
    }
    got: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": sent, "more_body": False}

    async def send(message: Any) -> None:
        got.append(message)

    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in got)
    assert got[0]["status"] in (200, 201), (asked, got[0]["status"], body)
    return body


def claimed(web: WebApp) -> list[tuple[bytes, bytes]]:
    """Make the first account; returns the headers of someone who is logged in."""
    server = web.server
    server.supervisor.start(10.0)
    with server.supervisor.writing() as connection:
        new = NewUser("ann", "ann@example.org", "no hash, so that no one logs in", is_admin=True)
        user = claim.create_account(connection, new, clock.now())
        server.see_claim(connection)
    token = tokens.issue_token(server.secret, user, now=clock.now(), minutes=600)
    said = {"host": "daemon.example", "authorization": f"Bearer {token}", "content-type": "application/json"}
    return [(name.encode(), value.encode()) for name, value in said.items()]


async def turn(app: App, asked: Asked, headers: list[tuple[bytes, bytes]]) -> float:
    began = time.process_time()
    for _ in range(REQUESTS):
        await ask(app, asked, headers)
    return (time.process_time() - began) / REQUESTS * 1e6


async def compare(folder: Path, rounds: int) -> None:
    settings = Settings(
        database_url=f"sqlite:///{folder}/daemon.db",
        backup_dir=folder / "backups",
        log_dir=folder / "logs",
        backup_enabled=False,
    )
    initialise(settings)
    web = create_app(settings)
    headers = claimed(web)
    plain = OuterMiddleware(starlette_alone(web.server), web.server)
    for _ in range(20):
        written = json.loads(await ask(web, ("POST", "/api/v1/ideas", ENTRY), headers))
    key = json.loads(await ask(web, ("POST", "/auth/keys", {"name": "a key"}), headers))
    asked: dict[str, Asked] = {
        "a list of 20": ("GET", "/api/v1/ideas", None),
        "an entry": ("GET", f"/api/v1/ideas/{written['id']}", None),
        "a PATCH of a key": ("PATCH", f"/auth/keys/{key['id']}", {"can_write": False}),
        "a new entry": ("POST", "/api/v1/goals", ENTRY),
    }
    for what, one in asked.items():
        pairs = []
        for _ in range(rounds):
            pairs.append((await turn(web, one, headers), await turn(plain, one, headers)))
        ours, theirs = (statistics.median(each) for each in zip(*pairs[1:], strict=True))
        ratio = statistics.median(a / b for a, b in pairs[1:])
        print(f"{what:20} FastAPI {ours:6.0f} us, Starlette alone {theirs:6.0f} us: {ratio:.2f}")
    web.server.supervisor.stop()


def imports(rounds: int) -> None:
    for what, statement in IMPORTS.items():
        runs = []
        for _ in range(rounds):
            command = python("-c", IMPORT.format(statement))
            done = subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True)
            runs.append([float(each) for each in done.stdout.split()])
        seconds, megabytes = (statistics.median(each) for each in zip(*runs, strict=True))
        print(f"{what:24} {seconds:.2f} s, {megabytes:.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=12)
    asked = parser.parse_args()
    sys.setswitchinterval(0.001)  # as the server does
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(compare(Path(folder), asked.rounds))
    imports(5)


if __name__ == "__main__":
    main()
