"""When is a job over? Only once its whole end has passed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.privacy.job_end import days_alike, is_over, is_past
from app.privacy.person_settings import PersonSettings
from tests.privacy.conftest import ViewOf

TODAY = date(2026, 11, 26)
PAST = (
    *("2025", 2025, "2026-10", "2026-11-25", "25.11.2026", "10/2026", "Oct 2026", "Oktober 2026", "May 2014"),
    *("26/10/2026", "2026/10/31", " 2019-02 ", "juin 2026", "paź. 2026", "Summer 2019"),
)
NOT_PAST: tuple[object, ...] = (
    *(
        "2026",
        2026,
        "2026-11",
        "2026-11-26",
        "12/11/2026",
        "11/12/2026",
        "Dec. 2026",
        "2027-01",
        "2031",
        2031,
    ),
    *(
        "Present",
        "",
        None,
        True,
        "2019-2021",
        "May 2014 - now",
        "ongoing 2019",
        "seit 2019",
        [],
        {},
        "2026-13",
        "Xyz 2026",
    ),
)


@pytest.mark.parametrize("end", PAST)
def test_a_date_that_has_passed_ends_a_job(end: object) -> None:
    assert is_past(end, TODAY)


@pytest.mark.parametrize("end", NOT_PAST)
def test_nothing_else_does(end: object) -> None:
    assert not is_past(end, TODAY)


@given(st.dates(date(1900, 1, 1)), st.dates(date(1900, 1, 1)))
def test_a_day_is_past_from_the_next_day_on(end: date, today: date) -> None:
    assert is_past(end.isoformat(), today) is (end < today)
    assert not is_past(end.strftime("%d/%m/%Y"), end)


ODD_ENDS = ("2024-02", "2024-02-30", "30.02.2024", "2024-02-00", "0000", "9999", "9999-12-31", 0, -3, 10**30)


@pytest.mark.parametrize("end", [*PAST, *NOT_PAST, *ODD_ENDS], ids=repr)
def test_within_days_that_are_alike_an_end_says_the_same_and_beyond_them_another_thing(end: Any) -> None:
    content = [{"jobs": {"end_date": end}, "title": "t"}]
    for today in (date.min, date(2024, 2, 1), date(2024, 2, 29), TODAY, date(2031, 1, 1), date.max):
        first, before = days_alike(content, today)
        now = is_past(end, today)
        assert first <= today
        assert is_past(end, first) is now
        assert first == date.min or is_past(end, first - timedelta(1)) is not now
        last = date.max if before is None else before - timedelta(1)
        assert last >= today
        assert is_past(end, last) is now
        assert before is None or is_past(end, before) is not now


def test_of_several_ends_the_next_to_pass_ends_what_is_alike() -> None:
    jobs = {"a": [{"end_date": "2027"}, {"endDate": "2026-12-05"}], "b": {"end_date": "2026-11-20"}}
    assert days_alike(jobs, TODAY) == (date(2026, 11, 21), date(2026, 12, 6))


def test_of_two_ends_the_later_one_counts() -> None:
    assert is_over({"end_date": "2019", "endDate": "2020"}, TODAY)
    assert not is_over({"end_date": "2019", "endDate": "2031"}, TODAY)
    assert not is_over({"position": "x"}, TODAY)


@pytest.mark.parametrize("end", ["Present", "2031-05", "2026-12", "2026"])
@pytest.mark.parametrize(
    "job",
    [
        {
            "experience": [{"company": "Copperline", "position": "p", "end_date": ""}],
            "name": "n",
            "title": "t",
        },
        {
            "work": [
                {"name": "Copperline", "url": "https://copperline.example", "position": "p", "endDate": ""}
            ]
        },
        {"work": [{"company": "Copperline", "website": "https://copperline.example", "endDate": ""}]},
    ],
)
def test_a_job_that_ends_in_the_future_is_the_current_one(view_of: ViewOf, job: Any, end: str) -> None:
    [name] = [name for name in job if name in ("experience", "work")]
    element = {key: end if key.startswith("end") else value for key, value in job[name][0].items()}
    content = {**job, name: [element]}
    hidden = PersonSettings(show_current_company=False)
    for level in ("professional", "public_full", "ai_safe", "business_card"):
        assert "opperline" not in str(view_of("resume", content, level, settings=hidden))
    assert "opperline" in str(view_of("resume", content, "professional"))
    over = {**job, name: [{key: "2019" if key.startswith("end") else v for key, v in element.items()}]}
    assert "opperline" in str(view_of("resume", over, "professional", settings=hidden))
