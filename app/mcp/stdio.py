"""MCP over standard input and output, for programs that start a command: answers about this installation.

Nothing but the protocol is written to standard output.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
from mcp.server.stdio import stdio_server

from app.entries.entry import Origin
from app.mcp.protocol import server_for
from app.server.authenticate import Client
from app.server.jobs import Job
from app.server.state import ServerState
from app.typed_commands import answer_as_started

if TYPE_CHECKING:
    from app.settings import Settings

OPEN_SECONDS = 10.0
LEDGER_SECONDS = 1.0


def serve_here(settings: Settings, key: str | None) -> None:
    """Answer what comes in, until standard input ends; with a key as its holder, else as anyone is answered.

    Upgrades nothing. Raises MaintenanceError where the database cannot be served. For an installation that
    someone has claimed: to others a server prints the token for that.
    """
    answer_as_started()
    state = ServerState(replace(settings, upgrade_on_start="manual"))
    with _opened(state):
        client = Client(Origin(None, "stdio"), api_key=key, is_assistants_door=True)
        anyio.run(_serve, state, client)


async def _serve(state: ServerState, client: Client) -> None:
    server = server_for(state, lambda _context: client)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


@contextmanager
def _opened(state: ServerState) -> Iterator[None]:
    state.supervisor.start(OPEN_SECONDS)
    ledger = state.ai_ledger
    state.jobs.add(
        Job("ai ledger", LEDGER_SECONDS, ledger.write, is_wanted=ledger.has_some, at_end=ledger.write)
    )
    state.jobs.start()
    try:
        if not state.supervisor.is_open:
            raise state.supervisor.closed_error()
        yield
    finally:
        state.jobs.stop()
        state.supervisor.stop()
        state.list_workers.close()
        state.hashing.close()
        state.hashing_at_known_places.close()
