"""How is the server started by hand? By name, in this process."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import socket

import click
import uvicorn

from app.cli.output import Output
from app.cli.start import PYTHONS_OWN
from app.errors import DaemonError, Refused, UsageError
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
    An installation that no one has claimed says at its start how to claim it.
    """
    gc.disable()  # while all is imported, of which nothing is garbage; until Server.startup
    settings = load_settings()
    wanted = host or settings.host, settings.port if port is None else port
    with contextlib.closing(bound(*wanted)) as listener:
        output.say(f"Daemon serves on {address_of(listener)} (Ctrl+C stops it).")
        os.environ["PORT"] = str(listener.getsockname()[1])  # for what the server says of itself
        config = uvicorn.Config(
            "app.main:app",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=SECONDS_TO_FINISH_REQUESTS,
        )
        # Once it has shut down in good order, the signal that asked for it is raised again: that is no fault.
        with contextlib.suppress(KeyboardInterrupt):
            Server(config).run(sockets=[listener])
    return 0


class Server(uvicorn.Server):
    """Uvicorn's, which leaves what was imported out of every later look for garbage: it stays as it is."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen; the application is imported by now."""
        gc.freeze()
        gc.set_threshold(*PYTHONS_OWN)
        gc.enable()
        await super().startup(sockets)


def bound(host: str, port: int) -> socket.socket:
    """A socket that has the address; raises Refused where someone else has it, UsageError for no address."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        raise UsageError(f"{host} is not an address of this machine.", hint="daemon serve --help") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen()  # from now on who connects waits, and is not refused, until the server is there
    except OSError as error:
        listener.close()
        raise _not_to_be_had(host, port, error) from error
    return listener


def address_of(listener: socket.socket) -> str:
    """The address as a browser takes it."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _not_to_be_had(host: str, port: int, error: OSError) -> DaemonError:
    if error.errno == errno.EADDRINUSE:
        sentence = f"Someone else, perhaps another Daemon, listens on port {port} already."
        return Refused(sentence, hint="Stop that one, or choose another port: daemon serve --port NUMBER")
    if error.errno == errno.EADDRNOTAVAIL:
        return UsageError(f"{host} is not an address of this machine.", hint="daemon serve --help")
    return Refused(f"Port {port} of {host} cannot be had: {error.strerror}.", hint="daemon serve --help")
