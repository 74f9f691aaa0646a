"""Ready answers (kept responses). Which request is answered before the framework is entered, and how?"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from starlette.types import Scope

from app.server.client_address import address_of, is_loopback, peer_of
from app.server.entry_lookup import carried, glance
from app.server.response_cache import Address, CachedResponse
from app.web import answers
from app.web.bodies import is_unchanged
from app.web.entry_lists import link_to_next
from app.web.forms import JSON
from app.web.parameters import address_kept
from app.web.plain_lists import PlainLists
from app.web.references import without_root_path
from app.web.request_head import Head, request_id_of

if TYPE_CHECKING:
    from app.server.rate_limits import Bucket
    from app.server.state import ServerState

HEADS_COUNT = 1_024
LONGEST_HEAD_BYTES = 2_048


@dataclass(frozen=True, slots=True)
class Ready:
    """A whole answer to one request: a kept one, or word that the client has it already."""

    kept: CachedResponse
    head: Head
    address: Address
    request_id: bytes

    @property
    def is_known(self) -> bool:
        """Whether the client has said that it has this answer."""
        return bool(self.head.if_none_match) and is_unchanged(self.head.if_none_match, self.kept.etag)

    @property
    def status(self) -> int:
        """The status of the answer."""
        return 304 if self.is_known else 200

    @property
    def body(self) -> bytes:
        """The body, which neither HEAD nor 304 has."""
        return b"" if self.head.method == "HEAD" or self.is_known else self.kept.body

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers, for a server that speaks ASGI."""
        kept = self.kept.unchanged_headers if self.is_known else self.kept.headers
        own = [*kept, (b"x-request-id", self.request_id)]
        return [*own, answers.HSTS] if self.head.scheme == "https" else own

    def lines(self) -> bytes:
        """Return the same headers as lines of HTTP/1.1."""
        kept = self.kept.unchanged_lines if self.is_known else self.kept.lines
        own = b"%sx-request-id: %s\r\n" % (kept, self.request_id)
        return own + b"%s: %s\r\n" % answers.HSTS if self.head.scheme == "https" else own


class ReadyAnswers:
    """Finds the answers that are kept; asked by the protocol, and by the middleware under any other server.

    Clients say the same at each request. So the bytes of whole heads are remembered with what they mean: such
    a head is not parsed again. What is answered is looked up anew each time.
    """

    def __init__(self, server: ServerState, lists: PlainLists | None = None) -> None:
        """With ``lists``: those are joined here of views that are ready, too."""
        self._server = server
        self._lists = lists
        self._heads: dict[bytes, tuple[Head, Address]] = {}

    def find(self, head: Head, scope: Scope) -> Ready | None:
        """Return the answer to a request, if nothing was committed since; ``scope`` is without a prefix."""
        if not head.is_plain:
            return None
        address = address_kept(scope)
        may_be_sent = head.accepts_json if address.form == JSON else True
        return self._find(head, address, head.request_id) if may_be_sent else None

    def bucket_at(self, address: str) -> Bucket | None:
        """Return what requests from an address are counted by, unless a proxy names another one.

        None, too, for this machine, which is not limited.
        """
        return None if is_loopback(address) else self._server.rate_limits.bucket_at(address)

    def find_at_the_wire(self, scope: Scope, bucket: Bucket | None) -> Ready | None:
        """Return the answer to a request that is nothing but a head, and of which nothing is to be noted.

        It is counted then; None, too, where it is one too many, which the application says.
        """
        if scope["method"] not in ("GET", "HEAD"):
            return None
        head = Head(scope, self._server.settings.trusted_proxies)
        if not head.is_alone or (
            head.is_forwarded and self._server.untrusted_proxies.is_news(peer_of(scope))
        ):
            return None
        ready = self.find(head, without_root_path(scope))
        if ready is not None and head.is_forwarded:
            client = address_of(scope, self._server.settings.trusted_proxies)
            bucket = self._server.rate_limits.bucket_at(client)
        return _counted(ready, bucket)

    def find_again(self, data: bytes, bucket: Bucket | None) -> Ready | None:
        """Return the answer to a request of exactly these bytes, which `remember` was told the meaning of."""
        meaning = self._heads.get(data)
        if meaning is None:
            return None
        head, address = meaning
        return _counted(self._find(head, address, request_id_of(head.given_id)), bucket)

    def remember(self, data: bytes, ready: Ready) -> None:
        """Remember that ``data`` is one whole request, and what it means on every connection."""
        if ready.head.is_forwarded or len(data) > LONGEST_HEAD_BYTES:  # that depends on who has sent it
            return
        if len(self._heads) >= HEADS_COUNT:
            self._heads.clear()
        self._heads[data] = ready.head, ready.address

    def _find(self, head: Head, address: Address, request_id: bytes) -> Ready | None:
        if not self._server.may_use_response_cache:
            return None
        generation = self._server.supervisor.generation()
        kept = (
            self._server.response_cache.find(address, generation)
            or carried(self._server, address, generation)
            or self._joined(address, generation)
        )
        return None if kept is None else Ready(kept, head, address, request_id)

    def _joined(self, address: Address, generation: int) -> CachedResponse | None:
        """Return a list of which every view is ready, and keep it; None for all others."""
        plain = None if self._lists is None else self._lists.find(address)
        if plain is None:
            return None
        question = plain.question(address.agent, self._server.settings.privacy_level)
        seen, cache = glance(self._server, question, generation), self._server.response_cache
        if seen is None or seen.depends_on_agent:
            return None
        made = cache.find_made_of(address, seen.page)
        if made is None:
            made = answers.public_answer(seen.value, link_to_next(plain.asked, seen.next, plain.part))
        listed = None if seen.page is None else seen.page.listed
        cache.keep(address, generation, made, seen.validity, made_of=seen.page, listed=listed)
        return made


def _counted(ready: Ready | None, bucket: Bucket | None) -> Ready | None:
    """Return the answer unless it is one too many; what is not found is counted where it is answered."""
    if ready is None or bucket is None or bucket.take(monotonic()):
        return ready
    return None
