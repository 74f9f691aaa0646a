"""Does a request cost more where there are more entries? A list, an entry, a new entry, a login; all cold.

And what does a login take beside its hash?

python benchmarks/growth.py [--rounds N] [--sizes 1000,100000]

Processor time of one request in this process, through the whole application; nothing that strangers were
answered is kept. The databases take turns, and the median of the rounds counts.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from framework import ask, claimed
from measure import TOP

sys.path.insert(0, str(TOP))

from app import clock
from app.accounts import passwords, tokens, users
from app.privacy.detectors.finding import DETECTORS_VERSION
from app.settings import Settings
from app.upgrade.operations.init import initialise
from app.web.app import WebApp, create_app

REQUESTS = 20
PASSWORD = "a long sentence"
TEXT = "A paper lantern in the window of the library, and the river behind it. " * 5
BAR = 1.3
HASH_ALONE = "its hash alone"


class Site:
    """An installation of ann with so many public ideas, half of them changed later."""

    def __init__(self, folder: Path, entries: int) -> None:
        settings = Settings(
            database_url=f"sqlite:///{folder}/daemon.db",
            backup_dir=folder / "backups",
            log_dir=folder / "logs",
            backup_enabled=False,
            view_memory_bytes=0,
        )
        initialise(settings)
        self.web: WebApp = create_app(settings)
        self.stranger = [each for each in claimed(self.web) if each[0] != b"authorization"]
        self.middle = entries // 2
        fill(settings.database_path, entries)
        self.hashed = passwords.hash_password(PASSWORD)
        with self.web.server.supervisor.reading() as connection:
            ann = users.get_user(connection, "ann")
        token = tokens.issue_token(self.web.server.secret, ann, now=clock.now(), minutes=600)
        self.owner = [*self.stranger, (b"authorization", f"Bearer {token}".encode())]
        self.web.server.response_cache.keep = lambda *_: None  # type: ignore[method-assign]
        self.figures: dict[str, list[float]] = {}

    async def measure(self) -> None:
        """One round: microseconds of processor time for each request."""
        entry = {"content": TEXT[:200], "meta": {"title": "An idea"}}
        form = [(b"content-type", b"application/x-www-form-urlencoded"), *self.stranger[:1]]
        asked: dict[str, tuple[tuple[str, str, object], list[tuple[bytes, bytes]]]] = {
            "a list of 50": (("GET", "/api/v1/ideas", None), self.stranger),
            "an entry": (("GET", f"/api/v1/ideas/{self.middle}", None), self.stranger),
            "a new entry": (("POST", "/api/v1/ideas", entry), self.owner),
            "a login": (("POST", "/auth/login", f"username=ann&password={PASSWORD}"), form),
        }
        for what, (one, headers) in asked.items():
            count = 1 if what == "a login" else REQUESTS
            began = time.process_time()
            for _ in range(count):
                await self.ask(one, headers)
            self.figures.setdefault(what, []).append((time.process_time() - began) / count * 1e6)
        began = time.process_time()
        passwords.verify_password(PASSWORD, self.hashed)
        self.figures.setdefault(HASH_ALONE, []).append((time.process_time() - began) * 1e6)

    async def ask(self, asked: tuple[str, str, object], headers: list[tuple[bytes, bytes]]) -> None:
        method, path, value = asked
        if not isinstance(value, str):
            await ask(self.web, asked, headers)
            return
        got: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": value.encode(), "more_body": False}

        async def send(message: Any) -> None:
            got.append(message)

        about = {"method": method, "path": path, "raw_path": path.encode(), "query_string": b""}
        where = {"client": ("192.0.2.1", 50000), "server": ("daemon.example", 80), "root_path": ""}
        scope = {"type": "http", "http_version": "1.1", "scheme": "http", "headers": headers, "state": {}}
        await self.web({**scope, **about, **where}, receive, send)
        assert got[0]["status"] == 200, got


def fill(path: Path, entries: int) -> None:
    """Write the entries, with what is found in them, which is nothing, and their audit rows."""
    now = clock.stored(clock.now())
    with closing(sqlite3.connect(path)) as connection, connection:
        hashed = passwords.hash_password(PASSWORD)
        connection.execute("UPDATE users SET hashed_password = ?", (hashed,))
        ((kind,),) = connection.execute("SELECT id FROM endpoints WHERE name = 'ideas'")
        connection.execute("PRAGMA cache_size = -200000")
        connection.executemany(
            "INSERT INTO data_entries"
            " (id, endpoint_id, data, is_active, created_at, created_by_id, visibility)"
            " VALUES (?, ?, ?, 1, ?, 1, 'public')",
            ((number, kind, stored(number), now) for number in range(1, entries + 1)),
        )
        connection.executemany(
            "INSERT INTO text_findings"
            " (entry_id, content_hash, detectors_version, words_generation, found, searched_at)"
            " VALUES (?, ?, ?, 0, '[]', ?)",
            ((number, hash_of(stored(number)), DETECTORS_VERSION, now) for number in range(1, entries + 1)),
        )
        connection.executemany(
            "INSERT INTO audit_logs"
            " (action, table_name, record_id, old_values, new_values, user_id, created_at)"
            " VALUES ('CREATE', 'data_entries', ?, 'null', ?, 1, ?)",
            ((number, stored(number), now) for number in range(1, entries + 1)),
        )


def stored(number: int) -> str:
    said = {"content": f"{TEXT}{number}", "meta": {"title": "An idea", "visibility": "public"}}
    return json.dumps(said)


def hash_of(text: str) -> str:
    return hashlib.sha256(b"1\n" + text.encode()).hexdigest()


async def compare(sizes: list[int], rounds: int, folder: Path) -> None:
    sites = []
    for size in sizes:
        place = folder / str(size)
        place.mkdir()
        sites.append(Site(place, size))
    for _ in range(rounds + 1):
        for site in sites:
            await site.measure()
    for what in sites[0].figures:
        middle = [statistics.median(site.figures[what][1:]) for site in sites]
        largest = middle[-1] / middle[0]
        said = "; ".join(f"{size:,}: {one:.0f} us" for size, one in zip(sizes, middle, strict=True))
        print(f"{what:14} {said}   {largest:.2f} times, {'met' if largest <= BAR else 'NOT MET'}", flush=True)
    logins, hashes = (statistics.median(sites[0].figures[what][1:]) for what in ("a login", HASH_ALONE))
    print(f"a login takes {logins / hashes:.2f} times what its hash takes")
    for site in sites:
        site.web.server.supervisor.stop()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sizes", default="1000,100000")
    asked = parser.parse_args()
    sys.setswitchinterval(0.001)  # as the server does
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(compare([int(each) for each in asked.sizes.split(",")], asked.rounds, Path(folder)))


if __name__ == "__main__":
    main()
