"""Connection guard. How does the server that starts the application come to speak by our protocol?"""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.types import Receive

from app.web.connection_limits import Bounds, Finder, Room
from app.web.protocol import GuardedProtocol

if TYPE_CHECKING:
    from uvicorn import Config

MOST_FILES = 2**20  # where the machine allows more, some C libraries still count up to the limit
FILES_BESIDE = 64  # database, backups, logs


@dataclass(frozen=True)
class Arranged:
    """What was arranged at the start, to be told."""

    is_guarded: bool
    most_connections: int = 0
    files_before: int = 0
    files_now: int = 0


def guard(receive: Receive, bounds: Bounds, finder: Finder) -> Arranged:
    """Have the server that starts the application with ``receive`` speak by our protocol.

    What ``finder`` finds it sends without asking the application.

    Works for uvicorn however it was started: its sockets open after the application has, and what it starts
    the application with knows its configuration. Anything else is left as it is.
    """
    config = _configuration_of(receive)
    if config is None:
        return Arranged(is_guarded=False)
    before, now = raise_file_limit()
    most = min(bounds.most_connections, now // 2) if now else bounds.most_connections
    config.http_protocol_class = functools.partial(  # type: ignore[assignment]
        GuardedProtocol, room=Room(bounds, most, finder)
    )
    if now:  # so many are accepted before the first of them can make another one go
        config.backlog = min(config.backlog, max(16, (now - most - FILES_BESIDE) // 4))
    return Arranged(True, most, before, now)


def raise_file_limit() -> tuple[int, int]:
    """Let this process have as many open files as it may; return the limit before and now, 0 for none."""
    if sys.platform == "win32":
        return 0, 0
    import resource

    before, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if before == unlimited:
        return 0, 0
    wanted = MOST_FILES if allowed == unlimited else min(allowed, MOST_FILES)
    for each in (wanted, 10_240):  # macOS says unlimited and allows this
        if each <= before:
            break
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (each, allowed))
        except (OSError, ValueError):
            continue
        return before, each
    return before, before


def _configuration_of(receive: Receive) -> Config | None:
    import uvicorn

    found = getattr(getattr(receive, "__self__", None), "config", None)
    return found if isinstance(found, uvicorn.Config) else None
