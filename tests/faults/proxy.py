"""TCP proxy before a database server. What happens when something strikes at the n-th message of a client?"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

BYTES_AT_ONCE = 1 << 16


def nothing() -> None:
    """No strike."""


@dataclass
class Proxy:
    """Hands on what clients and server say, and counts what clients send; libpq sends a question at once."""

    server_port: int
    port: int = 0
    sent: int = 0
    strike_at: int = 0  # 0: never
    is_before: bool = True  # whether the server gets the message at which it strikes
    strike: Callable[[], None] = nothing
    is_over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _open: list[socket.socket] = field(default_factory=list)

    def arm(self, at: int, *, is_before: bool, strike: Callable[[], None]) -> None:
        """Count anew, and strike at the message number ``at``."""
        with self._lock:
            self.sent, self.strike_at, self.is_before, self.strike = 0, at, is_before, strike
            self.is_over.clear()

    def cut(self) -> None:
        """End every connection, as a broken cable does in the end."""
        with self._lock:
            ending, self._open = self._open, []
        for each in ending:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with (
            client,
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.server_port)) as server,
        ):
            with self._lock:
                self._open += [client, server]
            back = threading.Thread(target=_hand_on, args=(server, client), daemon=True)
            back.start()
            self._ask(client, server)
            back.join()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while said := client.recv(BYTES_AT_ONCE):
                with self._lock:
                    self.sent += 1
                    strikes = self.sent == self.strike_at
                if strikes and self.is_before:
                    self._strike()
                server.sendall(said)
                if strikes and not self.is_before:
                    self._strike()
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _strike(self) -> None:
        self.strike()
        self.is_over.set()


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while said := source.recv(BYTES_AT_ONCE):
            target.sendall(said)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def proxy_to(server_port: int) -> Iterator[Proxy]:
    """A proxy to a server on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy(server_port, listener.getsockname()[1])
        threading.Thread(target=proxy._accept, args=(listener,), daemon=True).start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            proxy.cut()
