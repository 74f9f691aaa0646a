"""Does a moment survive being written down and read again, in every form that old databases hold?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import clock

MOMENT = datetime(2026, 11, 22, 6, 44, 58, tzinfo=UTC)


def test_now_is_aware_and_in_utc() -> None:
    assert clock.now().utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22 06:44:58",
        "2026-11-22T06:44:58",
        "2026-11-22T06:44:58Z",
        "2026-11-22 07:44:58+01:00",
        " 2026-11-22 06:44:58.000000 ",
    ],
)
def test_every_form_of_a_stored_moment_is_read(text: str) -> None:
    assert clock.parse_stored(text) == MOMENT


@pytest.mark.parametrize(
    "value",
    [None, 5, 1.5, b"2026-11-22 06:44:58", "", "soon", "2026-13-01 00:00:00", "0001-01-01T00:00:00+23:00"],
)
def test_what_is_no_moment_gives_none(value: object) -> None:
    assert clock.parse_stored(value) is None


@pytest.mark.parametrize("odd", ["", "soon", "2026-11-22 25:00:00"])
def test_an_odd_stored_text_reaches_the_answer_as_it_is(odd: str) -> None:
    assert clock.rfc3339(odd) == odd


def test_an_answer_names_utc_and_keeps_the_fraction() -> None:
    assert clock.rfc3339("2026-11-22 06:45:32.374646") == "2026-11-22T06:45:32.374646Z"
    assert clock.rfc3339(MOMENT) == "2026-11-22T06:44:58Z"


def test_a_moment_of_another_zone_is_written_in_utc() -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=-7)))
    assert clock.stored(elsewhere) == "2026-11-22 06:44:58"
    assert clock.stamp(elsewhere) == "20261122_064458"


@given(st.datetimes(min_value=datetime(1, 1, 1), timezones=st.just(UTC)))
def test_what_was_stored_is_read_back(moment: datetime) -> None:
    whole = moment.replace(microsecond=0)
    assert clock.parse_stored(clock.stored(whole)) == whole
    assert clock.parse_stored(clock.rfc3339(moment)) == moment
