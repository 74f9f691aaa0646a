"""Is the memory of kept answers bounded, and does it give only what is of the same state of the database?"""

from __future__ import annotations

from app.server.response_cache import CachedResponse, ResponseCache


def kept(size: int) -> CachedResponse:
    return CachedResponse(b"x" * size, '"e"', (), ())


def test_the_memory_is_bounded_and_forgets_the_oldest() -> None:
    answers = ResponseCache()
    for number in range(40):
        answers.keep((str(number).encode(), b"", b""), 1, kept(1_000_000))
    found = [number for number in range(40) if answers.find((str(number).encode(), b"", b""), 1)]
    assert found == list(range(40 - len(found), 40))
    assert 10 <= len(found) <= 16
    answers.keep((b"large", b"", b""), 1, kept(3_000_000))
    assert answers.find((b"large", b"", b""), 1) is None
    answers.forget()
    assert answers.find((b"39", b"", b""), 1) is None


def test_another_generation_finds_nothing() -> None:
    answers = ResponseCache()
    answers.keep((b"/", b"", b""), 1, kept(1))
    assert answers.find((b"/", b"", b""), 2) is None
    assert answers.find((b"/", b"x", b""), 1) is None
    assert answers.find((b"/", b"", b"assistant"), 1) is None
    answers.keep((b"/", b"", b""), 2, kept(2))
    found = answers.find((b"/", b"", b""), 2)
    assert found is not None
    assert len(found.body) == 2
