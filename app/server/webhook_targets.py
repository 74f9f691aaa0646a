"""Outgoing requests (SSRF). May a webhook's address be sent to, and how is it sent to that and no other?

A name is resolved once, each address that it has must be one of the public internet, and the connection is
made to the first of them: a name that leads elsewhere a moment later (DNS rebinding) leads nowhere. No
redirect is followed, no proxy is asked, and no answer takes longer than a deadline, however slow or long.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from urllib.parse import urlsplit

from app.entries.webhook_deliveries import Tried
from app.entries.webhooks import is_loopback
from app.special_networks import is_public

WHOLE_SECONDS = 10.0
RESOLVE_SECONDS = 5.0
ANSWER_BYTES = 1_024
Resolver = Callable[[str, int], list[str]]


class Refused(Exception):
    """Nothing was sent; the text is one word for why."""


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name; raises Refused where it has none, or it is not told in time."""
    found: list[str] = []

    def ask() -> None:
        with contextlib.suppress(OSError, UnicodeError):
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(str(each[4][0]) for each in infos)

    asking = threading.Thread(target=ask, name="webhook-name", daemon=True)
    asking.start()
    asking.join(RESOLVE_SECONDS)
    if not found:
        raise Refused("no_address")
    return list(dict.fromkeys(found))


def send(
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    allows_loopback: bool,
    resolver: Resolver = resolve,
) -> Tried:
    """Send a body to an address (of `checked_url`), once, and return what came of it; raises nothing.

    Takes WHOLE_SECONDS and the time of the name at most.
    """
    try:
        parts = urlsplit(url)
        host, is_tls = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if is_tls else 80)
        address = _address_of(host, port, is_tls, allows_loopback, resolver)
        with _connection(host, port, address, is_tls) as connection:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body, dict(headers))
            answer = connection.getresponse()
            answer.read(ANSWER_BYTES)
    except Refused as error:
        return Tried(None, str(error))
    except ssl.SSLError:
        return Tried(None, "tls_failed")
    except TimeoutError:
        return Tried(None, "too_slow")
    except (OSError, http.client.HTTPException, ValueError):
        return Tried(None, "no_answer")
    fault = "redirect" if 300 <= answer.status < 400 else None
    return Tried(answer.status, fault)


def _address_of(host: str, port: int, is_tls: bool, allows_loopback: bool, resolver: Resolver) -> str:
    """Return the one address that is connected to; raises Refused."""
    if allows_loopback and not is_tls and is_loopback(host):
        return "127.0.0.1" if host == "localhost" else host
    if not is_tls:
        raise Refused("not_https")
    found = resolver(host, port)
    if not found or not all(map(is_public, found)):
        raise Refused("not_public")
    return found[0]


@contextlib.contextmanager
def _connection(host: str, port: int, address: str, is_tls: bool) -> Iterator[http.client.HTTPConnection]:
    """Yield a connection to that address, which is cut off after WHOLE_SECONDS, whatever it does.

    Raises TimeoutError where it was, also where what had come by then reads like an answer.
    """
    raw = socket.create_connection((address, port), timeout=WHOLE_SECONDS / 2)
    # The handshake only once it can be cut off, too: wrapped, the socket is another object, and raw is empty.
    connected = _wrapped(raw, host) if is_tls else raw
    is_over = threading.Event()
    cut = threading.Timer(WHOLE_SECONDS, _cut_off, (connected, is_over))
    cut.daemon = True
    cut.start()
    try:
        if isinstance(connected, ssl.SSLSocket):
            connected.do_handshake()
        kind = http.client.HTTPSConnection if is_tls else http.client.HTTPConnection
        with contextlib.closing(kind(host, port)) as connection:
            connection.sock = connected
            connection.auto_open = 0
            yield connection
    except (OSError, http.client.HTTPException):
        if is_over.is_set():
            raise TimeoutError from None
        raise
    else:
        if is_over.is_set():
            raise TimeoutError
    finally:
        cut.cancel()
        connected.close()


def _wrapped(raw: socket.socket, host: str) -> ssl.SSLSocket:
    try:
        return _context().wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)
    except ValueError:  # no name that a certificate could have
        raw.close()
        raise


def _cut_off(connected: socket.socket, is_over: threading.Event) -> None:
    is_over.set()
    with contextlib.suppress(OSError):
        # not the method of an SSLSocket, which forgets its TLS, so that who reads would read on without it
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()
