"""Connection limits. How many may there be, how long may each be silent, and which one makes room?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from app.server.rate_limits import Bucket
    from app.web.ready_answers import Ready


@dataclass(frozen=True)
class Bounds:
    """What one connection may take. A test gives shorter ones."""

    head_seconds: float = (
        10.0  # from the first moment, or the first byte of a further request, to a whole head
    )
    stall_seconds: float = 30.0  # a client that reads nothing of its answer
    linger_seconds: float = 2.0  # until a refused client has read why
    linger_bytes: int = 65_536
    head_bytes: int = 65_536
    most_connections: int = 8_192  # about 60 MB


class Waiting(Protocol):
    """A connection that waits for a head, or for its end."""

    def make_room(self) -> None:
        """End, since someone else needs the place."""


class Finder(Protocol):
    """Finds answers that are known without the application; `ReadyAnswers` is one."""

    def bucket_at(self, address: str) -> Bucket | None:
        """Return what requests of a client at this address are counted by; None where they are not."""

    def find_at_the_wire(self, scope: Any, bucket: Bucket | None) -> Ready | None:
        """Return the answer to a request that is nothing but a head."""

    def find_again(self, data: bytes, bucket: Bucket | None) -> Ready | None:
        """Return the answer to a request of these bytes, if they were remembered."""

    def remember(self, data: bytes, ready: Ready) -> None:
        """Remember that these bytes are one whole request, answered with ``ready``."""


class NothingReady:
    """Finds nothing: every request is the application's."""

    def bucket_at(self, address: str) -> None:
        """Return nothing."""

    def find_at_the_wire(self, scope: Any, bucket: Bucket | None) -> None:
        """Return nothing."""

    def find_again(self, data: bytes, bucket: Bucket | None) -> None:
        """Return nothing."""

    def remember(self, data: bytes, ready: Ready) -> None:
        """Remember nothing."""


@dataclass
class Room:
    """The connections of one server. The oldest that has no whole head makes room for a new one."""

    bounds: Bounds
    most: int
    finder: Finder = field(default_factory=NothingReady)
    waiting: dict[Waiting, None] = field(default_factory=dict)  # the oldest first

    def make_room_for(self, newest: Waiting, count: int) -> None:
        """End the oldest waiting connection where ``count`` are too many; never the newest itself."""
        oldest = next(iter(self.waiting), newest)
        if count > self.most and oldest is not newest:
            del self.waiting[oldest]
            oldest.make_room()
