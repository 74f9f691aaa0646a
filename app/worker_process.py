"""Worker process (one answer). How is anyone's file, or what is slow, worked on beside the server, in bounds?

A process of its own for each request: it gets a head (JSON) and bytes, gives the same back, and ends. It has
no setting and no secret of the server's, a bound to its memory, and a deadline. What it answers is data, so
that a file which takes it over gets no further.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import app
from app.errors import Busy, DaemonError, InvalidContent

LENGTH_BYTES = 8
NICE = 10  # how far behind the server it stands, where both want the processor
ANSWER_MOST_BYTES = 256 * 2**20
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH")


class Message(NamedTuple):
    """What goes there and comes back: a head that is JSON, and any number of pieces of bytes."""

    head: Mapping[str, Any]
    pieces: Sequence[bytes] = ()


class WorkerProcess:
    """Has one module answer, one request at a time; the others wait, a few of them."""

    def __init__(self, module: str, what: str, *, seconds: float, waiting_most: int = 8) -> None:
        """``module`` calls `serve_one`; ``what`` it makes is named in errors."""
        self._command = (sys.executable, "-m", module)
        self._what = what
        self._seconds = seconds
        self._turn = threading.Lock()
        self._places = threading.BoundedSemaphore(waiting_most + 1)

    def ask(self, request: Message) -> Message:
        """Return the answer. Raises InvalidContent as the process says it, and Busy where none came."""
        if not self._places.acquire(blocking=False):
            raise Busy(f"Too many ask for {self._what} at once.", hint="Try again.", retry_after_seconds=5)
        try:
            with self._turn:
                answer = self._run(request)
        finally:
            self._places.release()
        if "refused" in answer.head:
            raise InvalidContent(str(answer.head["refused"]))
        return answer

    def _run(self, request: Message) -> Message:
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        watchdog = threading.Timer(self._seconds, process.kill)
        watchdog.start()
        try:
            answer = process.communicate(encoded(request))[0]
        finally:
            watchdog.cancel()
            process.kill()
        found = decoded(answer)
        if found is None:
            raise Busy(
                f"There was no making {self._what} of it within {self._seconds:.0f} s and the memory for it.",
                hint="Try again, or with less.",
                retry_after_seconds=5,
            )
        return found


def serve_one(answer: Callable[[Message], Message], *, memory_bytes: int, cpu_seconds: int) -> None:
    """Answer the one request that standard input holds; for the process."""
    _bound(memory_bytes, cpu_seconds)
    request = decoded(sys.stdin.buffer.read())
    if request is None:
        return
    try:
        found = answer(request)
    except DaemonError as error:
        found = Message({"refused": error.message})
    _write(sys.stdout.buffer, encoded(found))


def _bound(memory_bytes: int, cpu_seconds: int) -> None:
    import resource

    with contextlib.suppress(OSError):
        os.nice(NICE)
    bounds = (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_CORE, 0),
    )
    for limit, most in bounds:
        highest = resource.getrlimit(limit)[1]
        within = most if highest == resource.RLIM_INFINITY else min(most, highest)
        with contextlib.suppress(ValueError, OSError):  # a system without it: the deadline is left
            resource.setrlimit(limit, (within, highest))


def _write(stream: IO[bytes], content: bytes) -> None:
    stream.write(content)
    stream.flush()


def encoded(message: Message) -> bytes:
    """Return a message as it goes over a pipe."""
    head = json.dumps({**message.head, "lengths": [len(piece) for piece in message.pieces]}).encode()
    return b"".join((len(head).to_bytes(LENGTH_BYTES), head, *message.pieces))


def decoded(content: bytes) -> Message | None:
    """Return the message that bytes are; None for anything else, as where the process has died."""
    if not LENGTH_BYTES < len(content) <= ANSWER_MOST_BYTES:
        return None
    at = LENGTH_BYTES + int.from_bytes(content[:LENGTH_BYTES])
    try:
        head = json.loads(content[LENGTH_BYTES:at])
        lengths = [int(length) for length in head.pop("lengths")]
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    pieces = []
    for length in lengths:
        pieces.append(content[at : at + length])
        at += length
    return Message(head, pieces) if at == len(content) and min(lengths, default=0) >= 0 else None


def _environment() -> dict[str, str]:
    """What the process needs to find its program, and none of the server's settings."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    places = [str(Path(app.__file__).parent.parent), kept.get("PYTHONPATH", "")]
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, places))}
