"""Does the time of an answer tell whether a name is someone's who shows nothing, or no one's?

python benchmarks/names.py [--pairs N]

In pairs, one after the other, by turns the one and the other first: processor time of the whole process for
one request, middleware and threads included. Printed are the two medians, and their ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app import clock, log
from app.accounts import claim, users
from app.accounts.users import NewUser
from app.settings import Settings
from app.tables import data_entries, endpoints
from app.upgrade.operations.init import initialise
from app.web.app import WebApp, create_app

PRIVATE_COUNT = 5_000
LARGE_BYTES = 1_000_000
PAIRS = [
    ("has nothing", "/api/v1/ideas/users/noth", "/api/v1/ideas/users/nob1"),
    (f"has {PRIVATE_COUNT} private entries", "/api/v1/ideas/users/priv", "/api/v1/ideas/users/nob1"),
    ("is out, with public entries", "/api/v1/ideas/users/gone", "/api/v1/ideas/users/nob1"),
    ("in another case", "/api/v1/ideas/users/PRIV", "/api/v1/ideas/users/NOB1"),
    ("id of a small private entry", "/api/v1/ideas/2", "/api/v1/ideas/9"),
    ("id of a private entry of 1 MB", "/api/v1/ideas/3", "/api/v1/ideas/9"),
]


def fill(app: WebApp) -> None:
    with app.server.supervisor.writing() as connection:
        made = {}
        for name in ("admin", "noth", "priv", "gone"):
            new = NewUser(name, f"{name}@example.org", "-", is_admin=name == "admin")
            made[name] = claim.create_account(connection, new, clock.now()).id
        users.set_active(connection, "gone", False, clock.now())
        ideas = connection.execute(select(endpoints.c.id).where(endpoints.c.name == "ideas")).scalar_one()
        small, large = '{"content": "small"}', '{"content": "' + "x" * LARGE_BYTES + '"}'
        rows = [("admin", small, "public"), ("priv", small, "private"), ("priv", large, "private")]
        rows += [("gone", small, "public")] * 3 + [("priv", small, "private")] * 2
        rows += [("priv", small, "private")] * PRIVATE_COUNT
        ids = [1, 2, 3, 4, 5, 6, 7, 8, *range(10, 10 + PRIVATE_COUNT)]  # no one's entry is 9
        values = [
            {"id": id_, "endpoint_id": ideas, "data": data, "is_active": 1, "created_by_id": made[owner],
             "visibility": word}
            for id_, (owner, data, word) in zip(ids, rows, strict=True)
        ]  # fmt: skip
        connection.execute(insert(data_entries), values)


async def cost(app: WebApp, path: str) -> float:
    scope: dict[str, Any] = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "scheme": "http", "headers": [(b"host", b"localhost")],
        "client": ("192.0.2.1", 5), "server": ("127.0.0.1", 80), "state": {}, "extensions": {},
    }  # fmt: skip
    seen: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        seen.append(message.get("status", 0))

    began = time.process_time()
    await app(scope, receive, send)
    spent = time.process_time() - began
    assert seen[0] == 404, (path, seen)
    return spent


@contextlib.asynccontextmanager
async def served(app: WebApp) -> AsyncIterator[None]:
    """Start and end the application as a server does, by ASGI's lifespan."""
    asked: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    said: asyncio.Queue[Any] = asyncio.Queue()
    life = asyncio.create_task(app({"type": "lifespan", "state": {}}, asked.get, said.put))
    for word in ("startup", "shutdown"):
        await asked.put({"type": f"lifespan.{word}"})
        message = await said.get()
        assert message["type"] == f"lifespan.{word}.complete", message
        if word == "startup":
            yield
    await life


async def compare(app: WebApp, pairs: int) -> None:
    async with served(app):
        fill(app)
        for name, somebody, nobody in PAIRS:
            spent: dict[str, list[float]] = {somebody: [], nobody: []}
            for number in range(pairs + 50):
                for path in (somebody, nobody) if number % 2 else (nobody, somebody):
                    each = await cost(app, path)
                    if number >= 50:
                        spent[path].append(each)
            one, other = (statistics.median(spent[path]) for path in (somebody, nobody))
            print(f"{name:<34}{one * 1e6:8.0f} us {other * 1e6:8.0f} us   {one / other:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1000)
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        settings = Settings(
            database_url=f"sqlite:///{top / 'data' / 'daemon.db'}", backup_dir=top / "backups",
            log_dir=top / "logs", backup_enabled=False, log_level="WARNING",
        )  # fmt: skip
        initialise(settings)
        asyncio.run(compare(create_app(settings), pairs))
        log.release()


if __name__ == "__main__":
    main()
