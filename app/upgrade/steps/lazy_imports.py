"""Import time. Modules that another package imports and no upgrade uses are loaded at their first use.

Alembic imports the dialects of every engine, its templates, and what compares schemas: twice the time that
the rest of it takes. An upgrade is mostly its start where the database is small.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType


@contextmanager
def loaded_at_first_use(names: Iterable[str]) -> Iterator[None]:
    """While this lasts, importing one of these modules does not run it; touching it later does.

    For modules that nothing else imports: a second import counts as a touch.
    """
    finder = _LazyFinder(frozenset(names))
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _LazyFinder:
    """Finds what is named, as ever, with a loader that waits; leaves all else to the other finders."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where the module is; the machinery of imports asks."""
        found = PathFinder.find_spec(name, path, target) if name in self.names else None
        if found is not None and found.loader is not None:
            found.loader = LazyLoader(found.loader)
        return found
