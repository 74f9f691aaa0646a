"""A second door: serves people by plain function calls, with what app.server and the rooms give. No web.

Run as a process: python -m tests.server.second_door. Prints as JSON what it saw, and what it imported.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Mapping
from typing import Any

from app.accounts.claim import claim_token
from app.entries import write
from app.entries.entry import Origin, json_bytes
from app.entries.parts import by_cursor
from app.entries.question import Question
from app.errors import DaemonError
from app.privacy.agents import agent_class
from app.server import login, public_errors
from app.server.authenticate import Client, authenticate, check_admin, check_writer
from app.server.client_address import address_of, is_local_client
from app.server.database_supervisor import DECIDING_SECONDS
from app.server.entry_lookup import Encoded, look
from app.server.jobs import Job
from app.server.lifetime import running
from app.server.response_cache import Address, CachedResponse
from app.server.state import ServerState
from app.settings import load_settings

WEB = ("fastapi", "starlette", "uvicorn", "httptools", "app.web", "app.main", "app.cli")
PASSWORD = "a long sentence is best"
PEER = {"client": ("192.0.2.7", 50000), "headers": [], "http_version": "1.1"}


class Door:
    """Answers with values, or with what anyone may hear of an error."""

    def __init__(self, server: ServerState) -> None:
        self.server = server

    def client(self, token: str | None = None, key: str | None = None) -> Client:
        origin = Origin(address_of(PEER, self.server.settings.trusted_proxies), "second door")
        authorization = None if token is None else f"Bearer {token}"
        return Client(origin, authorization, key, is_local=is_local_client(PEER))

    def log_in(self, username: str, password: str) -> str:
        token = asyncio.run(login.log_in(self.server, username, password, self.client().origin))
        return token.text

    def register(self, offered: str, username: str) -> str:
        async def both() -> str:
            await login.check_claim(self.server, offered, self.client().origin)
            wanted = login.WantedAccount(username, f"{username}@example.org", PASSWORD)
            return (await login.register(self.server, offered, wanted)).username

        return asyncio.run(both())

    def list(self, kind: str, client: Client) -> list[Any]:
        """Read a list; a stranger's is kept, and made only once."""
        agent = agent_class(client.origin.user_agent or "").encode()
        address, server = Address(kind.encode(), b"", agent), self.server
        kept = server.find_cached_response(address) if not client.has_credential else None
        if kept is not None:
            return [*json.loads(kept.body)["items"], "kept"]
        seen = look(server, client, Question(kind, part=by_cursor(50)))
        body = seen.value.body if isinstance(seen.value, Encoded) else json_bytes(seen.value)
        is_alike = seen.caller.viewer.is_stranger and not seen.depends_on_agent
        if is_alike and server.may_use_response_cache:
            server.response_cache.keep(address, seen.generation, CachedResponse(body, "", (), ()))
        items: list[Any] = json.loads(body)["items"]
        return items

    def write(self, kind: str, content: Mapping[str, Any], client: Client) -> int:
        with self.server.supervisor.writing() as connection:
            caller = authenticate(self.server, connection, client)
            check_writer(self.server, connection, caller)
            written = write.create(connection, caller.viewer, kind, dict(content), origin=caller.origin)
        return written.id

    def is_admin(self, client: Client) -> bool:
        with self.server.supervisor.reading() as connection:
            check_admin(authenticate(self.server, connection, client))
        return True


def refusal(act: Any, *arguments: Any) -> str:
    """Return the code of the error that a call ends with, and what anyone may hear of it."""
    try:
        act(*arguments)
    except DaemonError as error:
        return f"{error.code}: {public_errors.of_error(error).sentence}"
    return "none"


def visit(door: Door) -> dict[str, Any]:
    """Do what people do, from the first account on."""
    token = claim_token(door.server.settings)
    seen: dict[str, Any] = {
        "before": refusal(door.write, "ideas", {"content": "x"}, door.client()),
        "wrong claim": refusal(door.register, "guessed", "ann"),
        "registered": door.register(token, "ann"),
        "registered again": refusal(door.register, token, "eve"),
        "wrong password": refusal(door.log_in, "ann", "guessed"),
    }
    ann = door.client(door.log_in("ann", PASSWORD))
    seen["admin"] = door.is_admin(ann)
    public = {"content": "for everyone", "meta": {"visibility": "public"}}
    hidden = {"content": "kept back", "meta": {"visibility": "private"}}
    seen["ids"] = [door.write("ideas", public, ann), door.write("ideas", hidden, ann)]
    seen["own"] = len(door.list("ideas", ann))
    seen["strangers"] = [len(door.list("ideas", door.client())) for _ in range(2)]
    seen["forged"] = refusal(door.is_admin, door.client("a.b.c"))
    seen["unknown key"] = refusal(door.list, "ideas", door.client(key="no such key"))
    return seen


def main() -> None:
    """Serve one visit, and see a job of this door's run."""
    server = ServerState(load_settings())
    ran = threading.Event()
    server.jobs.add(Job("the second door's", 3600.0, ran.set))
    with running(server):
        server.supervisor.wait_until_decided(DECIDING_SECONDS)
        seen = visit(Door(server))
        seen["job"] = ran.wait(10)
    seen["web"] = sorted(name for name in sys.modules if name.startswith(WEB))
    sys.stdout.write("\n" + json.dumps(seen) + "\n")


if __name__ == "__main__":
    main()
