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
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.flow_control import service_unavailable
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import get_client_addr, get_path_with_query_string

from app.web import answers
from app.web.errors import MEDIA_TYPE, problem_body
from app.web.head_rules import MalformedHead, check_head, target_of
from app.web.limits import MOST_HEADERS_COUNT
from app.web.request_cycle import Cycle, Outlet

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application
    from uvicorn.config import Config
    from uvicorn.server import ServerState

    from app.server.rate_limits import Bucket
    from app.web.connection_limits import Room
    from app.web.ready_answers import Ready

MOST_PIPELINED = 16
_ACCESS_LOG = "uvicorn.access"
State = Literal["head", "kept", "serving", "leaving"]
TOO_SLOW = (408, "too_slow", "The head of the request did not come in time.")
UNREADABLE = (400, "bad_request", "This is no HTTP request that can be read.")
TOO_LONG = (431, "headers_refused", "The head of the request is too long.")


def _without_query(record: logging.LogRecord) -> bool:
    """Take the query off the address in a line of uvicorn's access log: it may hold a token."""
    if isinstance(record.args, tuple) and len(record.args) == 5:
        client, method, target, *rest = record.args
        record.args = (client, method, str(target).partition("?")[0], *rest)
    return True


logging.getLogger(_ACCESS_LOG).addFilter(_without_query)


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
        self.cycle: Cycle
        self._active: RequestResponseCycle | None = None
        self._is_between = True  # no byte of the next request is there
        self._begun_count = 0
        self._kept_until = 0.0
        self._ready: Ready | None = None  # what a request whose head is there will be answered
        self._sent: Ready | None = None
        self._bucket: Bucket | None = None  # what its requests are counted by
        self._is_head_complete = False
        self._is_deaf = False  # what comes after a fault has no meaning
        self._fault = UNREADABLE
        self._unparsed_bytes = 0  # since the parser last got anywhere
        self._drained_bytes = 0

    # -- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a head, and let the oldest that waits go where there are too many."""
        super().connection_made(transport)
        self._bucket = self._room.finder.bucket_at(self.client[0] if self.client else "")
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
        elif not self._is_deaf and not self._answer_again(data):
            was_kept = self._state == "kept"
            if was_kept:
                self._state = "head"
            began_between, self._begun_count, self._sent = self._is_between, 0, None
            self._unparsed_bytes += len(data)
            self._parse(data)
            if began_between:
                self._remember(data)
            if was_kept and self._state == "head" and not self.transport.is_closing():
                self._set_timer(self._bounds.head_seconds, self._be_late)

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
        if self._state == "kept" and self._kept_until > self.loop.time():
            self._set_timer(self._kept_until - self.loop.time(), self._be_late)
            return
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
        self._is_between = False
        self._begun_count += 1
        self._is_head_complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; what comes after the body is none."""
        if self._is_head_complete:
            return
        if len(self.headers) > MOST_HEADERS_COUNT:  # one more than the application takes, which says so
            self._fault = TOO_LONG
            raise MalformedHead(TOO_LONG[2])
        super().on_header(name, value.strip(b" \t"))  # RFC 9110 5.5: space around a value is none of it

    def on_headers_complete(self) -> None:
        """Start answering, or wait for those that were asked before."""
        self._unparsed_bytes = 0
        self._is_head_complete = True
        try:
            self._complete_scope()
        except MalformedHead as fault:
            self._fault = (400, "bad_request", str(fault))
            raise
        if self._find_ready():
            return
        is_free = self.cycle is None or self.cycle.response_complete
        cycle = self._make_cycle()
        app = service_unavailable if self._is_over_limit() else self.app
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
        self._is_between = True
        if self._ready is None:
            super().on_message_complete()
        else:
            ready, self._ready = self._ready, None
            is_kept = self._is_kept()
            if self.access_log:
                self._log_access(ready.status)
            elif is_kept:
                self._sent = ready
            self._send_ready(ready, is_kept)

    # -- what is known without the application

    def _may_send_ready(self) -> bool:
        """Whether nothing is before it, and the client has taken all of what it got."""
        is_free = self.cycle is None or self.cycle.response_complete
        return is_free and not self.transport.get_write_buffer_size() and not self._is_over_limit()

    def _find_ready(self) -> bool:
        if self._may_send_ready():
            self._ready = self._room.finder.find_at_the_wire(self.scope, self._bucket)
        return self._ready is not None

    def _answer_again(self, data: bytes) -> bool:
        """Answer one whole request that was seen before, byte by byte the same, without parsing it."""
        if not self._is_between or not self._may_send_ready():
            return False
        ready = self._room.finder.find_again(data, self._bucket)
        if ready is not None:
            self._unparsed_bytes = 0
            self._send_ready(ready, is_kept=True)
        return ready is not None

    def _remember(self, data: bytes) -> None:
        """Have what was parsed since the last request known again, if that was one, whole, and ready."""
        if self._sent is not None and self._is_between and self._begun_count == 1:
            self._room.finder.remember(data, self._sent)

    def _log_access(self, status: int) -> None:
        target = get_path_with_query_string(self.scope)
        said = (get_client_addr(self.scope), self.scope["method"], target, self.scope["http_version"])
        self.access_logger.info('%s - "%s %s HTTP/%s" %d', *said, status)

    def _send_ready(self, ready: Ready, is_kept: bool) -> None:
        self.transport.write(
            b"".join(
                (
                    STATUS_LINE[ready.status],
                    self._default_lines(),
                    ready.lines(),
                    b"\r\n" if is_kept else b"connection: close\r\n\r\n",
                    ready.body,
                )
            )
        )
        self.server_state.total_requests += 1
        if is_kept:
            self._wait_again()
        else:
            self._close()

    def _wait_again(self) -> None:
        """Wait for more, as the youngest of those that wait; the timer that runs looks at ``_kept_until``."""
        self._room.waiting.pop(self, None)
        if self._state == "kept":
            self._room.waiting[self] = None
            self._kept_until = self.loop.time() + self.timeout_keep_alive
        else:
            self._wait("kept", self.timeout_keep_alive)

    def _complete_scope(self) -> None:
        """Put what the head says into the scope; raises MalformedHead."""
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1"):
            raise MalformedHead("HTTP/1.1 is spoken here.")
        if len(self.pipeline) >= MOST_PIPELINED:
            raise MalformedHead("Wait for answers before you ask more.")
        method = self.parser.get_method()
        check_head(self.headers, version)
        target = target_of(method, self.url, self.headers)
        path, _, query = target.partition(b"?")
        self.scope["http_version"] = version
        self.scope["method"] = method.decode("ascii")
        self.scope["path"] = self.root_path + unquote(path.decode("ascii"))
        self.scope["raw_path"] = self.root_path.encode("ascii") + path
        self.scope["query_string"] = query
        self.expect_100_continue = self.expect_100_continue and version == "1.1"

    def _make_cycle(self) -> Cycle:
        return Cycle(
            scope=self.scope,
            outlet=Outlet(self),
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=self._is_kept(),
            on_response=self.on_response_complete,
        )

    def _is_kept(self) -> bool:
        return self.scope["http_version"] == "1.1" and bool(self.parser.should_keep_alive())

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
        return STATUS_LINE[status] + self._default_lines() + headers + body

    def _default_lines(self) -> bytes:
        return b"".join([b"%s: %s\r\n" % each for each in self.server_state.default_headers])

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
