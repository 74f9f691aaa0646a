"""Writers that are killed. Is what a server answered there, and what it did not answer whole or absent?

The operations "serve" (rollback journal) and "serve-wal" of `operations`: a server, and connections that
write to it at once, so that they share commits. Each makes entries, changes some and deletes some, and notes
after each answer what must be there from then on; while a request is on its way, either state may be. What a
judge then finds of an entry is one of these, with the audit rows and the findings that belong to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import socket
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONNECTIONS = 6
ROUNDS = 4
ABSENT = "absent"
TOLD = "told.json"
DEADLINE_SECONDS = 60.0


@dataclass
class Told:
    """What the connections of one run were told: of each entry the states that may be found."""

    states: dict[str, list[str]] = field(default_factory=dict)
    is_complete: bool = True  # every request was answered with success
    refusals: list[str] = field(default_factory=list)

    def asks(self, name: str, state: str) -> None:
        """A request is on its way: the entry is as it was, or so."""
        self.states[name] = [*self.states.get(name, [ABSENT]), state]

    def answered(self, name: str) -> None:
        """It was answered with success."""
        self.states[name] = self.states[name][-1:]

    def failed(self, why: str) -> None:
        """It was answered with an error, or not at all."""
        self.is_complete = False
        self.refusals.append(why)


# -- before


def prepare(mode: str) -> None:
    """An installation of ann's with a token, whose database keeps its journal in this mode."""
    from app import clock
    from app.accounts import claim, tokens
    from app.accounts.secret import signing_secret
    from app.accounts.users import NewUser
    from app.database import open_database
    from app.settings import load_settings
    from app.upgrade.operations.init import initialise

    settings = load_settings()
    initialise(settings)
    database = open_database(settings)
    with database.writing() as connection:
        new = NewUser("ann", "ann@example.org", "no hash, so that no one logs in", is_admin=True)
        ann = claim.create_account(connection, new, clock.now())
    database.close()
    Path("token.txt").write_text(
        tokens.issue_token(signing_secret(settings), ann, now=clock.now(), minutes=60 * 24)
    )
    with contextlib.closing(sqlite3.connect(settings.database_path, isolation_level=None)) as owner:
        owner.execute("UPDATE installation SET seen_host = NULL, seen_path = NULL")  # it will be copied
        assert owner.execute(f"PRAGMA journal_mode = {mode}").fetchone() == (mode,)


# -- while it is served


def serve() -> int:
    """Serve on the port that `write` asks at; returns when it is told to stop."""
    from tests.faults.operations import type_command

    os.environ.update(BACKUP_ENABLED="false")
    return type_command("serve", "--port", Path("port.txt").read_text())


def write(folder: Path, pid: int) -> None:
    """Write on several connections until all is written or the server is gone; then let it stop."""
    told = Told()
    run = len(list(folder.glob("*" + TOLD)))
    asyncio.run(write_all(folder, pid, told, run))
    (folder / f"{run}.{TOLD}").write_text(json.dumps(vars(told)))
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)


def choose_port(folder: Path) -> None:
    """Note a free port for one run."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        (folder / "port.txt").write_text(str(free.getsockname()[1]))


async def write_all(folder: Path, pid: int, told: Told, run: int) -> None:
    port, token = int((folder / "port.txt").read_text()), (folder / "token.txt").read_text()
    if not await is_up(port, pid):
        told.failed("the server did not come up")
        return
    writers = (Writer(port, token, told, f"{run}.{number}") for number in range(CONNECTIONS))
    await asyncio.gather(*(writer.write() for writer in writers))


async def is_up(port: int, pid: int) -> bool:
    """Wait until the server answers; False when it has ended before."""
    ends = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < ends:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return True
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return False
        await asyncio.sleep(0.005)
    raise AssertionError("the server neither answers nor ends")


class Writer:
    """One connection, which writes its own entries one after the other."""

    def __init__(self, port: int, token: str, told: Told, name: str) -> None:
        self._port, self._told, self._name = port, told, name
        self._head = f"Host: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"

    async def write(self) -> None:
        """Make, change and delete entries until it is done or the connection breaks."""
        try:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
            for number in range(ROUNDS):
                await self._one_entry(f"{self._name}.{number}", number)
        except (OSError, EOFError) as error:
            self._told.failed(type(error).__name__)
        finally:
            with contextlib.suppress(AttributeError, OSError):
                self._writer.close()

    async def _one_entry(self, name: str, number: int) -> None:
        made = await self._ask("POST", "/api/v1/ideas", name, "made")
        if made is None:
            return
        address = f"/api/v1/ideas/{made['id']}"
        if number % 2:
            await self._ask("PATCH", address, name, "changed")
        if number % 4 == 3:
            await self._ask("DELETE", address, name, "deleted")

    async def _ask(self, method: str, path: str, name: str, state: str) -> Any:
        self._told.asks(name, state)
        content = {"content": f"{name} {state}", "meta": {"title": name, "visibility": "public"}}
        body = b"" if state == "deleted" else json.dumps(content).encode()
        head = f"{method} {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        status, answer = await self._answer()
        if status >= 300:
            self._told.failed(f"{status} {answer.decode()[:200]}")
            return None
        self._told.answered(name)
        return json.loads(answer or b"{}")

    async def _answer(self) -> tuple[int, bytes]:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = head.partition("content-length: ")[2].partition("\r\n")[0]
        return int(head.split()[1]), await self._reader.readexactly(int(length or 0))


# -- afterwards


def judge(database: Path) -> str:
    """Answer "new" where all was answered and is there, "old" where a part was not, or what is wrong."""
    runs = [json.loads(path.read_text()) for path in sorted(database.parents[1].glob("*" + TOLD))]
    expected: dict[str, list[str]] = {}
    for one in runs:
        expected |= one["states"]
    with contextlib.closing(sqlite3.connect(database)) as connection:
        if (faults := connection.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
            return f"damaged: {faults[:2]}"
        if faults := connection.execute("PRAGMA foreign_key_check").fetchall():
            return f"rows that point nowhere: {faults[:2]}"
        found = entries_of(connection)
        wrong = [*half_written(connection, found), *untold(expected, found)]
    if wrong:
        return "; ".join(wrong[:5])
    return "new" if runs and runs[-1]["is_complete"] else "old"


@dataclass(frozen=True)
class Found:
    """One entry of the database."""

    id: int
    name: str
    said: str  # "made" or "changed", by its text
    is_deleted: bool
    stored: str

    @property
    def state(self) -> str:
        return "deleted" if self.is_deleted else self.said

    @property
    def actions(self) -> list[str]:
        """What the audit must have of it."""
        return ["CREATE"] + ["UPDATE"] * (self.said == "changed") + ["DELETE"] * self.is_deleted


def entries_of(connection: sqlite3.Connection) -> list[Found]:
    found = []
    for entry_id, stored, is_active in connection.execute("SELECT id, data, is_active FROM data_entries"):
        name, _, said = json.loads(stored)["content"].partition(" ")
        found.append(Found(entry_id, name, said, not is_active, stored))
    return found


def half_written(connection: sqlite3.Connection, found: list[Found]) -> list[str]:
    """Name entries of which a part is missing, and parts of entries that are not there."""
    wrong = []
    actions: dict[int, list[str]] = {}
    for action, entry_id in connection.execute(
        "SELECT action, record_id FROM audit_logs WHERE table_name = 'data_entries' ORDER BY id"
    ):
        actions.setdefault(entry_id, []).append(action)
    hashes = dict(connection.execute("SELECT entry_id, content_hash FROM text_findings"))
    for one in found:
        if actions.pop(one.id, []) != one.actions:
            wrong.append(f"{one.name} is {one.state}, and the audit says otherwise")
        if hashes.pop(one.id, "") != hashlib.sha256(b"1\n" + one.stored.encode()).hexdigest():
            wrong.append(f"{one.name} was not searched as it is")
    if actions or hashes:
        wrong.append(f"rows of entries that are not there: {[*actions, *hashes][:5]}")
    return wrong


def untold(expected: dict[str, list[str]], found: list[Found]) -> list[str]:
    """Name entries that are in none of the states that they may be in."""
    there = {one.name: one.state for one in found}
    wrong = [] if len(there) == len(found) else ["an entry is there twice"]
    for name in {*expected, *there}:
        may_be, state = expected.get(name, [ABSENT]), there.get(name, ABSENT)
        if state not in may_be:
            wrong.append(f"{name} is {state}, and may be {may_be}")
    return wrong
