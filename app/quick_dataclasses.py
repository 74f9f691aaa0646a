"""Quick data classes (start). How long does it take to define one, while a program is imported?

Before Python 3.13 the standard library writes six functions of each as text and compiles them all: of the 260
classes of a server that was an eighth of its start. Most are compared, hashed or shown by no one, so here all
but ``__init__`` are compiled when they are called first. They are the library's own functions then.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_Make = Callable[..., Any]
_MAKERS = ("_repr_fn", "_cmp_fn", "_hash_fn", "_frozen_get_del_attr")


@contextmanager
def dataclasses_made_quickly() -> Iterator[None]:
    """While this lasts, data classes are defined so; for who imports while no other thread does.

    Changes nothing where the library has no such functions, as from Python 3.13 on.
    """
    library = vars(dataclasses)
    before = {name: library[name] for name in _MAKERS if name in library}
    if len(before) == len(_MAKERS) and "_create_fn" in library:
        library.update(_deferring(**before))
    try:
        yield
    finally:
        library.update(before)


def _deferring(
    _repr_fn: _Make, _cmp_fn: _Make, _hash_fn: _Make, _frozen_get_del_attr: _Make
) -> dict[str, _Make]:
    """Return what is called in the place of these functions, each of which makes methods of a class."""

    def set_and_delete(*given: Any) -> tuple[Any, Any]:
        return (
            _later("__setattr__", lambda: _frozen_get_del_attr(*given)[0]),
            _later("__delattr__", lambda: _frozen_get_del_attr(*given)[1]),
        )

    return {
        "_repr_fn": lambda *given: _later("__repr__", lambda: _repr_fn(*given)),
        "_cmp_fn": lambda name, *given, **named: _later(name, lambda: _cmp_fn(name, *given, **named)),
        "_hash_fn": lambda *given: _later("__hash__", lambda: _hash_fn(*given)),
        "_frozen_get_del_attr": set_and_delete,
    }


def _later(name: str, make: Callable[[], Any]) -> Any:
    """Return a method which puts what ``make`` returns in its own place, and calls it."""

    def method(self: object, *given: object) -> Any:
        made = make()
        made.__qualname__ = method.__qualname__
        for one in type(self).__mro__:
            if vars(one).get(name) is method:
                setattr(one, name, made)
        return made(self, *given)

    method.__name__ = name
    return method
