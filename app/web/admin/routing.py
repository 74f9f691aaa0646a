"""Routing of screens. Which function answers a path below /manage/, and who may ask for it?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from starlette.routing import compile_path

from app.web.forms import MANAGE_PREFIX

if TYPE_CHECKING:
    from starlette.responses import Response

    from app.web.admin.visit import Visit

    Answering = Callable[[Visit], Awaitable[Response]]

Who = Literal["anybody", "person", "admin"]


@dataclass(frozen=True)
class Found:
    """What answers a request, for whom, and what its path names."""

    answer: Answering
    who: Who
    names: dict[str, Any]


@dataclass
class ScreenRouter:
    """The addresses of some screens, all below /manage/; decorate with `get` and `post`."""

    _routes: list[tuple[str, Any, Any, Answering, Who]] = field(default_factory=list)

    def get(self, path: str, *, who: Who = "person") -> Callable[[Answering], Answering]:
        """Let a function answer GET at a path, as "entries/{kind}"; starlette's converters hold."""
        return self._taking("GET", path, who)

    def post(self, path: str, *, who: Who = "person") -> Callable[[Answering], Answering]:
        """The same for the form that is sent there."""
        return self._taking("POST", path, who)

    def _taking(self, method: str, path: str, who: Who) -> Callable[[Answering], Answering]:
        regex, _format, convertors = compile_path(MANAGE_PREFIX + path)

        def add(answer: Answering) -> Answering:
            self._routes.append((method, regex, convertors, answer, who))
            return answer

        return add

    def find(self, method: str, path: str) -> Found | None:
        """Return what answers, or None where nothing has this path and method."""
        for taken, regex, convertors, answer, who in self._routes:
            names = _names_in(path, regex, convertors) if taken == method else None
            if names is not None:
                return Found(answer, who, names)
        return None

    def methods_at(self, path: str) -> set[str]:
        """Return the methods that are taken at a path."""
        return {
            method
            for method, regex, convertors, *_rest in self._routes
            if _names_in(path, regex, convertors) is not None
        }


def _names_in(path: str, regex: Any, convertors: Any) -> dict[str, Any] | None:
    """Return what a path names; None for another path, and for a number longer than any that is one."""
    match = regex.match(path)
    if match is None:
        return None
    try:
        return {name: convertors[name].convert(text) for name, text in match.groupdict().items()}
    except ValueError:
        return None
