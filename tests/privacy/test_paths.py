"""Do paths mean the places that people mean by them?"""

from __future__ import annotations

import pytest

from app.privacy.paths import Place, allow_list, start


def test_an_allow_list_is_a_tree() -> None:
    root = allow_list(["title", "contact.email", ("a.b", "c")], {"experience": 1})
    title, contact, dotted = root.child("title"), root.child("contact"), root.child("a.b")
    assert title is not None
    assert title.shown
    assert contact is not None
    assert not contact.shown
    assert dotted is not None
    assert dotted.child("c") is not None
    assert root.child("Title") is None
    assert root.below["experience"].most == 1
    assert not root.below["experience"].shown


def is_hit(path: str, *steps: str | int) -> bool:
    place = start(path, "resume")
    for step in steps:
        if place is None:
            return False
        place = place.at_index(step) if isinstance(step, int) else place.at_key(step)
    return place is not None and place.is_hit


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("title", ("title",)),
        ("contact.email", ("contact", "email")),
        ("Contact.EMAIL", ("contact", "email")),
        ("$.contact.email", ("contact", "email")),
        ("resume.contact.email", ("contact", "email")),
        ("experience.company", ("experience", 3, "company")),
        ("experience.0.company", ("experience", 0, "company")),
        ("experience[0].company", ("experience", 0, "company")),
        ("experience[].company", ("experience", 7, "company")),
        ("experience.*.company", ("experience", 7, "company")),
        ("experience.0", ("experience", 0)),
        ("a.b.c", ("a.b", "c")),
        ("a.b.c", ("a", 1, 2, "b", 0, "c")),
        ("naïve.ключ", ("nai\u0308ve", "ключ")),
        ("*.email", ("contact", "email")),
    ],
)
def test_a_path_hits(path: str, steps: tuple[str | int, ...]) -> None:
    assert is_hit(path, *steps)


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("title", ("meta", "title")),
        ("contact.email", ("contact",)),
        ("contact.email", ("contact", "email", "x")),
        ("experience.1.company", ("experience", 0, "company")),
        ("experience.0", ("experience", 10)),
        ("resume", ("resumes",)),
        ("email", ("contact", "email")),
    ],
)
def test_a_path_does_not_hit(path: str, steps: tuple[str | int, ...]) -> None:
    assert not is_hit(path, *steps)


@pytest.mark.parametrize("path", ["", " ", ".", "..", "$", "[]"])
def test_a_path_that_names_nothing(path: str) -> None:
    assert start(path, "resume") is None


def test_the_kind_alone_is_no_prefix() -> None:
    place = start("skills", "skills")
    assert isinstance(place, Place)
    assert not place.is_hit
