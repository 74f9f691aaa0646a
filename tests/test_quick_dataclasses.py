"""Are data classes that are made quickly what they would be otherwise?"""

from __future__ import annotations

import dataclasses
import inspect
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.quick_dataclasses import dataclasses_made_quickly

Made = tuple[type[Any], ...]


def made() -> Made:
    @dataclass(frozen=True)
    class Point:
        x: int
        y: Any = None
        note: str = field(default="", compare=False, repr=False)

    @dataclass(frozen=True)
    class Place(Point):
        name: str = ""

    @dataclass
    class Box:
        inside: Any = None

    @dataclass(frozen=True, order=True)
    class One:
        number: float

    @dataclass(frozen=True, slots=True)
    class Slotted:
        number: int

    @dataclass(frozen=True)
    class Nothing:
        pass

    @dataclass
    class Own:
        number: int

        def __eq__(self, other: object) -> bool:
            return True

        def __repr__(self) -> str:
            return "mine"

    return Point, Place, Box, One, Slotted, Nothing, Own


def quickly_made() -> Made:
    with dataclasses_made_quickly():
        return made()


def outcome(act: Callable[[], object]) -> object:
    """What it returns, or what it raises, whatever class is spoken of."""
    try:
        return act()
    except Exception as error:  # noqa: BLE001 - any may be raised, and is compared
        return type(error), str(error)


def what_they_do(
    point: Any, place: Any, box: Any, one: Any, slotted: Any, nothing: Any, own: Any
) -> list[object]:
    around = box()
    around.inside = [around]
    nan = float("nan")
    acts: list[Callable[[], object]] = [
        lambda: (
            repr(point(1, "a", "b")),
            repr(place(1, name="c")),
            repr(nothing()),
            repr(around),
            repr(own(1)),
        ),
        lambda: (
            point(1) == point(1, note="other"),
            point(1) == point(2),
            point(1) == place(1),
            point(1) != 1,
        ),
        lambda: (place(1, name="c") == place(1, name="c"), nothing() == nothing(), own(1) == own(2)),
        lambda: (one(1.0) < one(2.0), one(1.0) >= one(2.0), one(nan) == one(nan), one(1.0) <= one(1.0)),
        lambda: (hash(point(1, 2, "b")), hash(place(1)) == hash(place(1)), hash(one(1.5)), hash(nothing())),
        lambda: (slotted(3), hash(slotted(3)), slotted(3) == slotted(3)).__repr__(),
        lambda: hash(box()),
        lambda: hash(own(1)),
        lambda: hash(point(1, [])),
        lambda: one(1.0) < point(1),
        lambda: setattr(point(1), "x", 2),
        lambda: setattr(point(1), "z", 2),
        lambda: delattr(place(1), "x"),
        lambda: setattr(type("Sub", (point,), {})(1), "x", 2),
        lambda: vars(dataclasses.replace(point(1), y=5)),
        lambda: dataclasses.asdict(place(1, point(2))),
    ]
    return [outcome(act) for act in acts + acts]  # each method as it is called first, and later


def test_they_do_what_those_of_the_library_do() -> None:
    assert what_they_do(*quickly_made()) == what_they_do(*made())


def test_a_subclass_may_be_given_what_is_no_field() -> None:
    (point, *_) = quickly_made()
    sub = type("Sub", (point,), {})(1)
    sub.other = 3
    del sub.other
    assert vars(sub) == {"x": 1, "y": None, "note": ""}


def test_after_the_first_call_they_are_those_of_the_library() -> None:
    (quick, *_), (usual, *_) = quickly_made(), made()
    assert inspect.signature(quick) == inspect.signature(usual)
    one = quick(1)
    assert one == quick(1)
    assert (hash(one), repr(one)) == (hash(quick(1)), repr(quick(1)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.x = 2
    for name in ("__eq__", "__hash__", "__repr__", "__setattr__"):
        method, expected = getattr(quick, name), getattr(usual, name)
        assert method.__qualname__ == expected.__qualname__
        assert method.__code__.co_code == expected.__code__.co_code, name


def test_what_is_defined_later_is_made_as_ever() -> None:
    names = [name for name in vars(dataclasses) if name.endswith(("_fn", "_attr"))]
    before = {name: vars(dataclasses)[name] for name in names}
    with dataclasses_made_quickly():
        assert sys.version_info >= (3, 13) or vars(dataclasses)["_repr_fn"] is not before["_repr_fn"]
    assert {name: vars(dataclasses)[name] for name in names} == before


def test_a_library_without_such_functions_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(dataclasses, "_create_fn", raising=False)
    before = dict(vars(dataclasses))
    with dataclasses_made_quickly():
        assert vars(dataclasses) == before


with dataclasses_made_quickly():

    @dataclass(frozen=True)
    class Packed:
        number: int


def test_they_are_packed_and_unpacked() -> None:
    assert pickle.loads(pickle.dumps(Packed(7))) == Packed(7)
