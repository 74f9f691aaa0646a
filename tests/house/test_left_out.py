"""What does `make test` leave out where there is no container engine? Only what is in tests/containers."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests import conftest

OF_THIS_RUN = ("DAEMON_CONTAINERS", "DAEMON_TESTS_NO_SKIP", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER")


@pytest.fixture(scope="module")
def left_out(root: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """Name of its file and reason of each test that a whole run without an engine does not run."""
    report = tmp_path_factory.mktemp("plan") / "report.xml"
    without = {name: value for name, value in os.environ.items() if name not in OF_THIS_RUN}
    # Everything is set up on paper: what is skipped for a reason known beforehand is skipped here too.
    command = [
        "-m",
        "pytest",
        "--setup-plan",
        "-q",
        "-p",
        "no:cacheprovider",
        "--assert=plain",
        f"--junitxml={report}",
    ]
    done = subprocess.run(
        [sys.executable, *command], cwd=root, env=without, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return [
        (case.get("classname", ""), skipped.get("message", ""))
        for case in ElementTree.parse(report).iter("testcase")
        for skipped in case.iter("skipped")
    ]


def test_without_an_engine_only_the_container_tests_are_left_out(left_out: list[tuple[str, str]]) -> None:
    waiting = {name for name, reason in left_out if "engine" in reason}
    assert waiting == {"tests.containers.test_compose", "tests.containers.test_guide"}


def test_anything_else_that_is_left_out_names_the_program_that_it_needs(
    left_out: list[tuple[str, str]],
) -> None:
    others = {reason for name, reason in left_out if not name.startswith("tests.containers.")}
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
