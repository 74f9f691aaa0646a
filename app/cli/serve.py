"""How is the server started by hand? By name, in this process."""

from __future__ import annotations

import click
import uvicorn

from app.cli.output import Output
from app.settings import load_settings

SECONDS_TO_FINISH_REQUESTS = 20


@click.command()
@click.option("--host", help="Address to listen on (default: HOST, or 127.0.0.1: this machine only).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (default: PORT, or 8004).")
@click.pass_obj
def serve(output: Output, host: str | None, port: int | None) -> int:
    """Serve the API until it is stopped (Ctrl+C, or the service manager).

    A database that waits for its upgrade, or that is not where it should be, is no reason to stop: the server
    stays up, answers 503 with the command to type, and serves as soon as that command is done.
    An installation that nobody has claimed says at its start how to claim it.
    """
    settings = load_settings()
    address, number = host or settings.host, settings.port if port is None else port
    output.say(f"Daemon listens on http://{address}:{number} (Ctrl+C stops it).")
    uvicorn.run(
        "app.main:app",
        host=address,
        port=number,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=SECONDS_TO_FINISH_REQUESTS,
    )
    return 0
