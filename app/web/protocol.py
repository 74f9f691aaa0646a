"""HTTP/1.1 protocol of one connection: what a client has to send, and how soon; stricter than uvicorn's own.

    waiting for a head --whole head--> serving --answered--> kept alive --first byte--> waiting for a head
            |                             |                      |
        too late: 408          body not read: leaving      too late: closed

Parsing is llhttp's, which is strict by itself; what it lets pass and RFC 9112 does not is refused here. Data
is taken from the network only as fast as the application asks for it.
"""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.flow_control import service_unavailable
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.web import answers
from app.web.errors import MEDIA_TYPE, problem_body
from app.web.limits import MOST_HEADERS_COUNT

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application, ASGIReceiveEvent, ASGISendEvent
    from uvicorn.config import Config
    from uvicorn.server import ServerState

    from app.web.connection_limits import Room

MOST_PIPELINED = 16
AUTHORITY = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]*)(?::[0-9]*)?")
_ABSOLUTE = re.compile(rb"https?://([^/?]+)([^ ]*)", re.IGNORECASE)
_TARGET = re.compile(rb"[!\"$-~]+")  # visible ASCII without '#'

State = Literal["head", "kept", "serving", "leaving"]
TOO_SLOW = (408, "too_slow", "The head of the request did not come in time.")
UNREADABLE = (400, "bad_request", "This is no HTTP request that can be read.")
TOO_LONG = (431, "headers_refused", "The head of the request is too long.")


class MalformedHead(Exception):
    """A head that the parser takes and that is none; its text says why."""


class GuardedProtocol(HttpToolsProtocol):
    """One connection, which ends where its client does not do its part."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        room: Room,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._room = room
        self._bounds = room.bounds
        self._state: State = "head"
        self._timer: asyncio.TimerHandle | None = None
        self.cycle: _Cycle
        self._active: RequestResponseCycle | None = None
        self._is_head_complete = False
        self._is_deaf = False  # what comes after a fault has no meaning
        self._fault = UNREADABLE
        self._unparsed_bytes = 0  # since the parser last got anywhere
        self._drained_bytes = 0

    # -- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a head, and let the oldest that waits go where there are too many."""
        super().connection_made(transport)
        self._wait("head", self._bounds.head_seconds)
        # Not before what each of them has sent already was read: accepting goes faster than reading.
        self.loop.call_soon(self.loop.call_soon, self._let_the_oldest_go)

    def _let_the_oldest_go(self) -> None:
        self._room.make_room_for(self, len(self.connections))

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget everything."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came in."""
        if self._state == "leaving":
            self._drain(data)
        elif not self._is_deaf:
            if self._state == "kept":
                self._set_timer(self._bounds.head_seconds, self._be_late)
                self._state = "head"
            self._unparsed_bytes += len(data)
            self._parse(data)

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # nothing here upgrades: the request is answered, and that is all
            self._is_deaf = True
            if self.cycle is not None:
                self.cycle.keep_alive = False
        except httptools.HttpParserError:
            self._refuse(*self._fault)
        else:
            if self._unparsed_bytes > self._bounds.head_bytes:
                self._refuse(*TOO_LONG)
        if self._state == "serving" and self.cycle.more_body and self.cycle.has_enough:
            self.flow.pause_reading()  # until someone asks for more of the body

    def pause_writing(self) -> None:
        """The client does not read: it has a while to begin."""
        super().pause_writing()
        self._watch_sending()

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        if self._state == "serving":
            self._stop_timer()

    # -- waiting

    def _wait(self, state: State, seconds: float) -> None:
        self._state = state
        self._room.waiting[self] = None
        self._set_timer(seconds, self._be_late)

    def _stop_waiting(self) -> None:
        self._room.waiting.pop(self, None)
        self._stop_timer()

    def _set_timer(self, seconds: float, action: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, action)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _be_late(self) -> None:
        if self._state == "head":  # between two requests no one expects an answer
            self.transport.write(self._answer(*TOO_SLOW))
        self._close()

    def make_room(self) -> None:
        """End, since someone else needs the place."""
        if self._state == "leaving":
            self.transport.abort()
        else:
            self._be_late()

    # -- what the parser finds

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._is_head_complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; what comes after the body is none."""
        if self._is_head_complete:
            return
        if len(self.headers) > MOST_HEADERS_COUNT:  # one more than the application takes, which says so
            self._fault = TOO_LONG
            raise MalformedHead(TOO_LONG[2])
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start answering, or wait for those that were asked before."""
        self._unparsed_bytes = 0
        self._is_head_complete = True
        try:
            self._complete_scope()
        except MalformedHead as fault:
            self._fault = (400, "bad_request", str(fault))
            raise
        cycle = self._make_cycle()
        app = service_unavailable if self._is_over_limit() else self.app
        is_free = self.cycle is None or self.cycle.response_complete
        self.cycle = cycle
        if is_free:
            self._stop_waiting()
            self._state = "serving"
            self._start_asgi_task(cycle, cast("ASGI3Application", app))
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, cast("ASGI3Application", app)))

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self._unparsed_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request ends."""
        self._unparsed_bytes = 0
        super().on_message_complete()

    def _complete_scope(self) -> None:
        """Put what the head says into the scope; raises MalformedHead."""
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1"):
            raise MalformedHead("HTTP/1.1 is spoken here.")
        if len(self.pipeline) >= MOST_PIPELINED:
            raise MalformedHead("Wait for answers before you ask more.")
        method = self.parser.get_method()
        check_head(self.headers, version)
        target = _target_of(method, self.url, self.headers)
        path, _, query = target.partition(b"?")
        self.scope["http_version"] = version
        self.scope["method"] = method.decode("ascii")
        self.scope["path"] = self.root_path + unquote(path.decode("ascii"))
        self.scope["raw_path"] = self.root_path.encode("ascii") + path
        self.scope["query_string"] = query
        self.expect_100_continue = self.expect_100_continue and version == "1.1"

    def _make_cycle(self) -> _Cycle:
        is_kept = self.scope["http_version"] == "1.1" and self.parser.should_keep_alive()
        return _Cycle(
            scope=self.scope,
            transport=cast("asyncio.Transport", _Outlet(self)),
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=is_kept,
            on_response=self.on_response_complete,
        )

    def _should_upgrade(self) -> bool:
        return False  # also where a library for web sockets happens to be installed

    def _is_over_limit(self) -> bool:
        most = self.limit_concurrency
        return most is not None and (len(self.connections) >= most or len(self.tasks) >= most)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._active = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Answer what was asked meanwhile, or wait for more."""
        self.server_state.total_requests += 1
        if self._state == "leaving" or self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._wait("kept", self.timeout_keep_alive)

    # -- the end

    def _refuse(self, status: int, code: str, detail: str) -> None:
        """Take nothing more from this client; say why where no other answer is on its way."""
        self._is_deaf = True
        newest = self.cycle
        if newest is None or newest.response_complete:
            self.transport.write(self._answer(status, code, detail))
            self.leave()
        elif not newest.more_body:  # the fault is in what follows it: it is answered, as the last one
            newest.keep_alive = False
        elif newest is self._active and not newest.response_started:
            newest.disconnected = True
            newest.message_event.set()
            self.transport.write(self._answer(status, code, detail))
            self.leave()
        else:
            self._close()

    def _answer(self, status: int, code: str, detail: str) -> bytes:
        headers, body = _problem(status, code, detail)
        lines = b"".join(b"%s: %s\r\n" % each for each in self.server_state.default_headers)
        return STATUS_LINE[status] + lines + headers + body

    def leave(self) -> None:
        """Close, in such a way that a client which is still sending gets to read its answer.

        Closing with unread data would reset the connection, and the answer would be lost with it.
        """
        if self._state == "leaving" or self.transport.is_closing():
            return
        is_more_to_come = self._is_deaf or (self.cycle is not None and self.cycle.more_body)
        if not is_more_to_come:
            self._close()
            return
        self._state = "leaving"
        if self.cycle is not None:
            self.cycle.body.clear()
        self._room.waiting[self] = None
        self._set_timer(self._bounds.linger_seconds, self._close)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()

    def _drain(self, data: bytes) -> None:
        self._drained_bytes += len(data)
        if self._drained_bytes > self._bounds.linger_bytes:
            self.flow.pause_reading()

    def _close(self) -> None:
        """Close once everything is sent, which must not take for ever."""
        self._stop_waiting()
        self.transport.close()
        self._watch_sending()

    def _watch_sending(self) -> None:
        left_bytes = self.transport.get_write_buffer_size()
        self._set_timer(self._bounds.stall_seconds, functools.partial(self._look_at_sending, left_bytes))

    def _look_at_sending(self, left_bytes: int) -> None:
        if self.transport.get_write_buffer_size() < left_bytes:
            self._watch_sending()
        else:
            self.transport.abort()


class _Cycle(RequestResponseCycle):
    """One request and its answer."""

    is_asking = False

    @property
    def has_enough(self) -> bool:
        """Whether there is no one who waits for more of the body."""
        return bool(self.body) or not self.is_asking

    async def receive(self) -> ASGIReceiveEvent:
        self.is_asking = True
        try:
            return await super().receive()
        finally:
            self.is_asking = False

    async def send(self, message: ASGISendEvent) -> None:
        if message["type"] == "http.response.start" and self.more_body:
            self.keep_alive = False  # what is left of the body is not worth reading
        await super().send(message)


class _Outlet:
    """What an answer sees of the transport: its end is the protocol's."""

    def __init__(self, protocol: GuardedProtocol) -> None:
        self._protocol = protocol

    def write(self, data: bytes) -> None:
        self._protocol.transport.write(data)

    def close(self) -> None:
        self._protocol.leave()

    def is_closing(self) -> bool:
        return self._protocol.transport.is_closing()


@functools.lru_cache(64)  # the same few sentences, to many at once
def _problem(status: int, code: str, detail: str) -> tuple[bytes, bytes]:
    """Return the lines of the headers with the empty line after them, and the body."""
    body = problem_body(status=status, code=code, detail=detail)
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *answers.SECURITY_HEADERS,
        (b"connection", b"close"),
    ]
    return b"".join(b"%s: %s\r\n" % each for each in headers) + b"\r\n", body


# -- what RFC 9112 says of a head


def check_head(headers: list[tuple[bytes, bytes]], version: str) -> None:
    """Raise MalformedHead where it is not clear whom a request is for, or where it ends."""
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1 and (hosts or version == "1.1"):
        raise MalformedHead("One Host header is needed.")
    if hosts and not AUTHORITY.fullmatch(hosts[0]):
        raise MalformedHead("The Host header cannot be read.")
    codings = [value.strip().lower() for name, value in headers if name == b"transfer-encoding"]
    if codings and (codings != [b"chunked"] or version == "1.0"):
        raise MalformedHead("The only Transfer-Encoding here is chunked.")
    if codings and any(name == b"content-length" for name, _value in headers):
        raise MalformedHead("There are two lengths.")


def _target_of(method: bytes, target: bytes, headers: list[tuple[bytes, bytes]]) -> bytes:
    """Return path and query. The authority of an absolute form takes the place of Host (RFC 9112, 3.2.2)."""
    if not _TARGET.fullmatch(target):
        raise MalformedHead("The address cannot be read.")
    if target.startswith(b"/") or (target == b"*" and method == b"OPTIONS"):
        return target
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None or method == b"CONNECT" or not AUTHORITY.fullmatch(absolute[1]):
        raise MalformedHead("The address cannot be read.")
    _replace_host(headers, absolute[1])
    return absolute[2] if absolute[2].startswith(b"/") else b"/" + absolute[2]


def _replace_host(headers: list[tuple[bytes, bytes]], authority: bytes) -> None:
    headers[:] = [(b"host", authority), *(each for each in headers if each[0] != b"host")]
