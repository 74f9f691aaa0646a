"""Does `--target X` mean "at least X", and is everything said about it true?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import EXIT_UPGRADE_PENDING, UsageError
from app.progress import Event
from app.settings import Settings
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import exit_code_of, make_plan
from app.upgrade.report import render, status_text
from app.upgrade.versions.releases import NEWEST, RELEASES, SCHEMA_VERSIONS, Release
from tests.upgrade.places import contents, everything_in, value

Old = Callable[[str], Path]


@pytest.mark.parametrize("target", ["0.2.0", "0.2.1", "0.2.2", "v0.2.0"])
def test_a_lower_one_is_reached_and_no_more(old: Old, settings: Settings, target: str) -> None:
    path = old("layout_a")
    outcome = run_upgrade(settings, target=target)
    assert (outcome.state, outcome.exit_code) == ("done", 0)
    assert make_plan(settings).current.recorded == "0.2.0"
    assert value(path, "PRAGMA user_version") == 200
    assert make_plan(settings).pending
    assert not make_plan(settings, target=target).pending


@pytest.mark.parametrize(
    "release", [*RELEASES[5:], None], ids=lambda each: each.version if each else "newest"
)
def test_every_later_name_is_its_schema(old: Old, settings: Settings, release: Release | None) -> None:
    path = old("layout_a")
    assert run_upgrade(settings, target=release.version if release else None).state == "done"
    version = release.schema_version if release else NEWEST
    assert make_plan(settings).current.recorded == version
    numbers = {row.version: row.user_version for row in SCHEMA_VERSIONS}
    assert value(path, "PRAGMA user_version") == numbers[version]


@pytest.mark.parametrize("target", ["0.1.0", "0.1.1", "0.2.0", "0.2.2"])
@pytest.mark.parametrize("force", [False, True])
def test_what_is_past_it_is_left_there(old: Old, settings: Settings, target: str, force: bool) -> None:
    path = old("layout_a")
    run_upgrade(settings)
    before = contents(path)
    outcome = run_upgrade(settings, target=target, force=force)
    assert outcome.exit_code == 0
    assert make_plan(settings).current.recorded == NEWEST
    if not force:
        assert outcome.state == "nothing_to_do"
        assert NEWEST in outcome.message
        assert contents(path) == before


@pytest.mark.parametrize("target", ["0.1.0", "0.1.1"])
def test_every_old_one_is_at_least_at_the_first(
    old: Old, settings: Settings, home: Path, target: str
) -> None:
    old("layout_a")
    before = everything_in(home)
    outcome = run_upgrade(settings, target=target)
    assert (outcome.state, outcome.exit_code) == ("nothing_to_do", 0)
    assert everything_in(home) == before


@pytest.mark.parametrize("target", ["0.9.9", "9.9.9", "latest", "", "0.3"])
def test_an_unknown_one_is_an_error_and_the_known_are_named(settings: Settings, target: str) -> None:
    if target == "":
        assert make_plan(settings, target=target).target == NEWEST
        return
    with pytest.raises(UsageError) as caught:
        make_plan(settings, target=target)
    assert caught.value.exit_code == 2
    assert "0.3.2" in caught.value.hint


def test_what_is_no_database_is_not_called_sound(settings: Settings) -> None:
    settings.database_path.parent.mkdir(parents=True, exist_ok=True)
    settings.database_path.write_text("a letter to a friend")
    assert render.plan_as_json(make_plan(settings))["sound"] is None


def test_the_check_says_all_that_is_promised(old: Old, settings: Settings) -> None:
    old("claim_0_3_1_on_layout_a")
    plan = make_plan(settings)
    assert exit_code_of(plan) == EXIT_UPGRADE_PENDING
    text = render.check_text(plan)
    for words in ("Detected:", "0.1.0 to 0.2.1", "Recorded:", "0.3.1", "Sound:", " MB ", " s.", "believed"):
        assert words in text, text
    said = json.loads(json.dumps(render.plan_as_json(plan)))
    assert said["pending"] is True
    assert said["sound"] is True
    assert said["needs"]["data_bytes"] > 0
    assert [step["id"] for step in said["steps"]] == [step.id for step in plan.steps]
    run_upgrade(settings)
    assert exit_code_of(make_plan(settings)) == 0
    assert "Nothing to do" in render.check_text(make_plan(settings))


def test_the_tracker_says_version_integrity_history_and_path(old: Old, settings: Settings) -> None:
    old("validation_status")
    plan = make_plan(settings)
    text = render.tracker_text(plan, status_text.history(settings))
    for words in ("Schema integrity: as known", "yours: column data_entries.validation_status", "History:"):
        assert words in text, text
    assert f"The path to {NEWEST}:" in text


def test_status_tells_where_things_stand(old: Old, settings: Settings) -> None:
    old("layout_a")
    said = status_text.status_as_json(settings)
    assert (said["pending"], said["recorded"], said["hold"], said["last"]) == (True, None, None, None)
    run_upgrade(settings)
    said = json.loads(json.dumps(status_text.status_as_json(settings)))
    assert (said["pending"], said["recorded"]) == (False, NEWEST)
    assert said["last"]["event"] == "committed"
    assert "nothing to do" in status_text.status_text(settings)


def test_progress_goes_forward_and_every_phase_is_told(old: Old, settings: Settings) -> None:
    old("layout_a")
    events: list[Event] = []
    run_upgrade(settings, on_event=events.append)
    phases = [event.phase for event in events if event.type == "phase"]
    assert phases == ["look", "lock", "backup", "measure", "steps", "verify", "commit"]
    percents = [event.percent for event in events if event.percent is not None]
    assert percents == sorted(percents)
    assert percents[-1] <= 100
    for event in events:
        json.dumps(event.details)
