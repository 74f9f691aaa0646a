"""Is a clock that jumped noticed, remembered until someone confirms it, and forgotten when it goes back?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.clock_leap import LEAP, ClockSeen, confirmed, doubt, judged

TODAY = datetime(2026, 5, 1, 12, tzinfo=UTC)


def after(**passed: float) -> datetime:
    return TODAY + timedelta(**passed)


@pytest.mark.parametrize("days", [0, 1, 29.9])
def test_time_that_passes_is_no_leap(days: float) -> None:
    assert judged(ClockSeen(TODAY), after(days=days)) == ClockSeen(after(days=days))


@pytest.mark.parametrize("days", [30, 31, 400, 4000])
def test_a_leap_is_remembered_for_as_long_as_no_one_says_anything(days: int) -> None:
    known = judged(ClockSeen(TODAY), after(days=days))
    assert (known.is_leapt, known.leapt_from, known.leapt_to) == (True, TODAY, after(days=days))
    for later in (1, 20, 100):
        again = judged(known, after(days=days + later))
        assert (again.leapt_from, again.leapt_to) == (TODAY, after(days=days))
        assert again.seen_at == after(days=days + later)
    assert not confirmed(after(days=days)).is_leapt


@pytest.mark.parametrize("back", [timedelta(), timedelta(days=2), timedelta(days=-3), LEAP * 0.9])
def test_a_clock_that_goes_back_takes_the_leap_with_it(back: timedelta) -> None:
    leapt = judged(ClockSeen(TODAY), after(days=4000))
    known = judged(leapt, TODAY + back)
    assert known == ClockSeen(max(TODAY, TODAY + back))
    assert (doubt(leapt, TODAY + back) == "") == (back >= timedelta())
    assert judged(known, after(days=4000)).is_leapt, "and leaps again"


def test_a_clock_without_a_battery_is_no_leap_when_it_is_set() -> None:
    """It says 2000 at every start, until the network tells."""
    known = judged(ClockSeen(TODAY), datetime(2000, 1, 1, tzinfo=UTC))
    assert known.seen_at == TODAY
    assert not judged(known, after(days=1)).is_leapt


@pytest.mark.parametrize(("days", "is_leap"), [(29, False), (30, True), (-400, False)])
def test_where_no_time_was_noted_the_newest_backup_tells(days: int, is_leap: bool) -> None:
    assert judged(ClockSeen(), after(days=days), TODAY).is_leapt == is_leap
    assert judged(ClockSeen(), TODAY) == ClockSeen(TODAY)


def test_what_is_odd_is_said() -> None:
    assert doubt(ClockSeen(TODAY), after(days=20)) == ""
    assert doubt(ClockSeen(TODAY), after(minutes=-30)) == ""
    assert "2026-05-01T12:00:00Z" in doubt(ClockSeen(TODAY), after(days=-2))
    assert "(400 days)" in doubt(ClockSeen(TODAY), after(days=400))
