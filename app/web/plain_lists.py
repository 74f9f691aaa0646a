"""Plain list addresses. Which list does an address ask for, where nothing about it is out of the ordinary?

What is not plain (another parameter, an escaped character, page and size) is understood by the framework, and
so is all that is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from app.entries.entry import LIMIT_DEFAULT
from app.entries.parts import Part, by_cursor
from app.entries.question import Question
from app.errors import UsageError
from app.privacy.agents import ASSISTANT
from app.privacy.viewer import Viewer
from app.reserved_names import RESERVED
from app.server.response_cache import Address

PREFIX = "/api/v1/"
_PATH = re.compile(rf"{PREFIX}([a-z][a-z0-9_-]{{0,63}})".encode())
_PARAMETER = re.compile(rb"(limit|cursor|level)=([A-Za-z0-9_-]{1,200})")
_NO_KINDS = frozenset(name.encode() for name in RESERVED)
_LIMIT = re.compile(r"[1-9][0-9]{0,2}")
ADDRESSES_KEPT = 512


@dataclass(frozen=True)
class PlainList:
    """A list of a kind without anyone's name; ``asked`` are the parameters in the order of the query."""

    kind: str
    asked: dict[str, str]
    part: Part

    @property
    def level(self) -> str | None:
        """The level that is asked for."""
        return self.asked.get("level")

    def question(self, agent: bytes, ceiling: str) -> Question:
        """Return what is asked where a stranger asks, of this class of agents."""
        viewer = Viewer(is_assistant=agent == ASSISTANT.encode())
        return Question(self.kind, viewer, level=self.level, ceiling=ceiling, part=self.part)


class PlainLists:
    """Finds plain lists; knows which names are not those of kinds."""

    def __init__(self, cursor_key: Callable[[], bytes]) -> None:
        """``cursor_key`` gives what cursors are made with."""
        self._cursor_key = cursor_key
        self._found = lru_cache(ADDRESSES_KEPT)(self._find)

    def find(self, address: Address) -> PlainList | None:
        """Return the list that an address asks for, None for every address that is not plain."""
        return self._found(address.path, address.query)

    def _find(self, path: bytes, query: bytes) -> PlainList | None:
        found = _PATH.fullmatch(path)
        if found is None or found[1] in _NO_KINDS:
            return None
        asked: dict[str, str] = {}
        for each in query.split(b"&") if query else ():
            parameter = _PARAMETER.fullmatch(each)
            if parameter is None or parameter[1].decode() in asked:
                return None
            asked[parameter[1].decode()] = parameter[2].decode()
        limit = asked.get("limit", str(LIMIT_DEFAULT))
        if not _LIMIT.fullmatch(limit):
            return None
        try:
            part = by_cursor(int(limit), asked.get("cursor"), key=self._cursor_key())
        except UsageError:
            return None
        return PlainList(found[1].decode(), asked, part)
