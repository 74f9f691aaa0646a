"""What does `make test` leave out where there is no container engine? Only what is in tests/containers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import conftest


@pytest.fixture
def left_out(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Path of its file and reason of each test that is skipped where there is no engine.

    Of the tests that this run takes; `.ci/run` holds besides that no other one is skipped (conftest.NO_SKIP).
    """
    monkeypatch.delenv("DAEMON_CONTAINERS", raising=False)
    found = []
    for item in request.session.items:
        path = item.path.relative_to(conftest.ROOT).as_posix()
        found += [(path, conftest.reason_without(tools)) for tools in [conftest.needs_of(item)] if tools]
        found += [(path, mark.kwargs["reason"]) for mark in item.iter_markers("skipif") if mark.args[0]]
    return found


def test_without_an_engine_only_the_container_tests_are_left_out(
    left_out: list[tuple[str, str]], request: pytest.FixtureRequest
) -> None:
    waiting = {name for name, reason in left_out if "engine" in reason}
    taken = {item.path.relative_to(conftest.ROOT).as_posix() for item in request.session.items}
    assert waiting == taken & {"tests/containers/test_compose.py", "tests/containers/test_guide.py"}


def test_anything_else_that_is_left_out_names_the_program_that_it_needs(
    left_out: list[tuple[str, str]],
) -> None:
    others = {reason for name, reason in left_out if not name.startswith("tests/containers/")}
    assert all(reason.startswith("not run here: needs ") for reason in others), others


def test_ci_runs_the_command_that_the_readme_names_as_it_stands(root: Path) -> None:
    steps = (root / ".ci" / "run").read_text()
    assert 'step "make test" make test\n' in steps
    assert "--ignore" not in steps
    assert "`make test`" in (root / "README.md").read_text()


@pytest.mark.parametrize("first", range(6))
def test_a_sample_of_cases_leaves_no_test_without_one(
    first: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("SWEEP_FIRST", first), ("SWEEP_EVERY", 12), ("CASES_EVERY", 12), ("EVERY", 1)):
        monkeypatch.setattr(conftest, name, value)
    items = request.session.items
    beyond = conftest.beyond_sample(items)
    run = {item.nodeid.partition("[")[0] for item in items if item.nodeid not in beyond}
    swept = {item.nodeid.partition("[")[0] for item in items if conftest.is_swept(item)}
    assert {item.nodeid.partition("[")[0] for item in items} - run <= swept
    assert beyond or len(items) < 10  # this file alone


def test_a_sample_takes_less_of_what_is_named_as_well(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("SWEEP_FIRST", 0), ("SWEEP_EVERY", 12), ("SWEEP_ALSO", ("house",)), ("EVERY", 1)):
        monkeypatch.setattr(conftest, name, value)
    here = [item for item in request.session.items if "house" in item.path.parts]
    taken = len(here) - len(conftest.beyond_sample(here))
    assert taken == -(-len(here) // 12)


def test_a_third_of_a_sample_is_all_of_it_in_three_days(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = request.session.items
    named = {item.nodeid for item in items}
    monkeypatch.setattr(conftest, "EVERY", 3)
    taken = []
    for first in range(3):
        monkeypatch.setattr(conftest, "SWEEP_FIRST", first)
        monkeypatch.setattr(conftest, "CASES_EVERY", 1)
        monkeypatch.setattr(conftest, "SWEEP_EVERY", 1)
        taken.append(named - conftest.beyond_sample(items))
    assert set.union(*taken) == named
    assert sum(map(len, taken)) == len(named)
