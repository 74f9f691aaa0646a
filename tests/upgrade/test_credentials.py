"""Does an upgrade say what anybody could have used to come in, and what of it has ended?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.settings import Settings
from app.upgrade import report
from app.upgrade.credentials import PUBLISHED_SECRET
from app.upgrade.plan import make_plan
from app.upgrade.run import run_upgrade

Old = Callable[[str], Path]
OWN_SECRET = "Zp0-long-enough-and-of-the-operator-alone"


def said_before(settings: Settings) -> str:
    return report.check_text(make_plan(settings))


def is_told(settings: Settings) -> bool:
    return any(found.code == PUBLISHED_SECRET for found in make_plan(settings).warnings)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "without a SECRET_KEY of its own"),
        ({"was_secret_known": True}, "with a SECRET_KEY that was published"),
    ],
)
def test_a_published_secret_is_told_before_and_after(
    old: Old, settings: Settings, changes: dict[str, bool], sentence: str
) -> None:
    old("layout_b")
    settings = replace(settings, **changes)  # type: ignore[arg-type]
    assert sentence in said_before(settings)
    said = report.outcome_text(run_upgrade(settings))
    assert sentence in said
    assert "people log in again once" in said
    assert not is_told(settings)


def test_a_secret_of_ones_own_is_not_called_published_but_old_tokens_end(
    old: Old, settings: Settings
) -> None:
    old("layout_b")
    settings = replace(settings, secret_key=OWN_SECRET)
    assert not is_told(settings)
    assert "people log in again once" in report.outcome_text(run_upgrade(settings))


def test_the_server_before_this_one_made_a_secret_but_took_a_published_one(
    old: Old, settings: Settings
) -> None:
    old("layout_b")
    run_upgrade(settings, target="0.3.0")
    assert not is_told(settings)
    assert is_told(replace(settings, was_secret_known=True))
