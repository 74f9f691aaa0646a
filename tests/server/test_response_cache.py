"""Is the memory of kept answers bounded, and does it give only what is of the same state of the database?"""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app import clock
from app.entries.validity import of_days
from app.server.response_cache import Address, CachedResponse, ResponseCache


def kept(size: int) -> CachedResponse:
    return CachedResponse(b"x" * size, '"e"', (), ())


def test_the_memory_is_bounded_and_forgets_the_oldest() -> None:
    answers = ResponseCache()
    for number in range(40):
        answers.keep(Address(str(number).encode(), b"", b""), 1, kept(1_000_000))
    found = [number for number in range(40) if answers.find(Address(str(number).encode(), b"", b""), 1)]
    assert found == list(range(40 - len(found), 40))
    assert 10 <= len(found) <= 16
    answers.keep(Address(b"large", b"", b""), 1, kept(3_000_000))
    assert answers.find(Address(b"large", b"", b""), 1) is None
    answers.forget()
    assert answers.find(Address(b"39", b"", b""), 1) is None


def test_another_generation_finds_nothing() -> None:
    answers = ResponseCache()
    answers.keep(Address(b"/", b"", b""), 1, kept(1))
    assert answers.find(Address(b"/", b"", b""), 2) is None
    assert answers.find(Address(b"/", b"x", b""), 1) is None
    assert answers.find(Address(b"/", b"", b"assistant"), 1) is None
    assert answers.find(Address(b"/", b"", b"", b"html"), 1) is None
    answers.keep(Address(b"/", b"", b""), 2, kept(2))
    found = answers.find(Address(b"/", b"", b""), 2)
    assert found is not None
    assert len(found.body) == 2


def test_what_ends_by_itself_is_not_found_when_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 26, 23, 59, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: now)
    answers, address = ResponseCache(), Address(b"/", b"", b"")
    answers.keep(address, 1, kept(1), of_days(date(2026, 11, 20), date(2026, 11, 27)))
    assert answers.find(address, 1)
    for moment in (datetime(2026, 11, 27, tzinfo=UTC), datetime(2026, 11, 19, 23, 59, 59, tzinfo=UTC)):
        monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
        assert answers.find(address, 1) is None
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 20, tzinfo=UTC))
    assert answers.find(address, 1)
