"""Optional packages. How is a library imported without one that it loads wherever it is installed?"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

_LOADING = threading.Lock()


@contextmanager
def left_out(package: str) -> Iterator[None]:
    """While this lasts, this thread cannot find a package; who asks for it later finds it.

    One that is loaded already stays, whole: half of it would be found, and half not.
    """
    if package in sys.modules:
        yield
        return
    finder = _FindsNothing(package)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@cache
def whole(package: str) -> Any:
    """Return a package as it is with all that it loads where that is installed: a copy beside one without.

    For the rare use of what `left_out` left out. The copy's classes are other ones than those of the first.
    """
    with _LOADING:
        first = {name: sys.modules.pop(name) for name in [*sys.modules] if name.partition(".")[0] == package}
        try:
            return import_module(package)
        finally:
            sys.modules.update(first)


class _FindsNothing:
    """Says in one thread of one package that it is not installed; leaves all else to the other finders."""

    def __init__(self, package: str) -> None:
        self.package = package
        self._thread = threading.get_ident()  # others may need it just now

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """Raise ModuleNotFoundError for the package; the machinery of imports asks."""
        if name.partition(".")[0] == self.package and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"{name} is left out here", name=name)
